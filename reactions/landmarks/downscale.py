"""Scale large pictures down for the models, which see 256 pixels at most of any region."""

from dataclasses import replace

import numpy as np
from PIL import Image

from reactions.landmark_types import Face, Observation, Points, RgbImage, Vessel

LONGEST = 1280
"""A longer side is halved, or divided by three, … until it is at most this many pixels.

Unlike the warps this averages all pixels, so a photo of 12 megapixels doesn't alias, and costs as
much as a camera's frame.
"""


def factor(width: int, height: int) -> int:
    """By how much a picture of this size is to be divided; 1 leaves it alone."""
    return -(-max(width, height) // LONGEST)


def shrunk(picture: RgbImage, by: int) -> RgbImage:
    """``picture`` with each ``by`` x ``by`` pixels averaged into one."""
    if by == 1:
        return np.ascontiguousarray(picture)
    return np.asarray(Image.fromarray(picture).reduce(by))


def enlarged(seen: Observation, by: int, width: int, height: int) -> Observation:
    """What was seen in a shrunk picture, in pixels of its ``width`` x ``height`` original."""
    if by == 1:
        return seen
    face, body = seen.face, seen.body
    return replace(
        seen,
        width=width,
        height=height,
        hands=tuple(replace(hand, points=_times(hand.points, by)) for hand in seen.hands),
        face=_enlarged_face(face, by) if face else None,
        others=tuple(replace(one, face=_enlarged_face(one.face, by)) for one in seen.others),
        body=replace(body, points=_times(body.points, by)) if body else None,
        vessels=_larger(seen.vessels, by),
    )


def _enlarged_face(face: Face, by: int) -> Face:
    detail = face.detail
    if detail is not None:
        detail = replace(detail, points=_times(detail.points, by))
    return replace(face, points=_times(face.points, by), detail=detail)


def _larger(vessels: tuple[Vessel, ...] | None, by: int) -> tuple[Vessel, ...] | None:
    if vessels is None:
        return None
    return tuple(replace(each, corners=_times(each.corners, by)) for each in vessels)


def _times(points: Points, by: int) -> Points:
    return points * np.float32(by)
