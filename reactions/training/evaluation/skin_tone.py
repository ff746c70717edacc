"""How light the skin of a photo's person appears, to compare recognition over skin tones.

The colours of a photo tell of light, exposure and white balance as well: the groups are of
appearance, not of people.
"""

from enum import StrEnum
from math import atan2, degrees

import numpy as np
import numpy.typing as npt

from reactions.landmark_types import Hand, Observation, Points, RgbImage

_FOREHEAD_AND_CHEEKS = (151, 108, 337, 50, 280, 205, 425)
"""Points of the face's mesh: hair, a mask or a beard hides few of them at once."""
_PALM = (0, 5, 17)
"""Wrist, index finger's and little finger's knuckle: the corners of a palm."""
_WITHIN = ((2, 1, 1), (1, 2, 1), (1, 1, 2), (1, 1, 1), (1, 2, 2), (2, 1, 2), (2, 2, 1))
"""Weights of the corners for points of a palm."""
_TO_XYZ = np.array(
    [
        [0.4124564, 0.3575761, 0.1804375],
        [0.2126729, 0.7151522, 0.0721750],
        [0.0193339, 0.1191920, 0.9503041],
    ]
)
"""Linear sRGB to XYZ (IEC 61966-2-1)."""
_WHITE = np.array([0.95047, 1.0, 1.08883])
"""D65."""


class ApparentTone(StrEnum):
    """Groups of the individual typology angle (Chardon 1991; limits by Del Bino 2013)."""

    LIGHT = "light (ITA above 41°)"
    INTERMEDIATE = "intermediate (28–41°)"
    TAN = "tan (10–28°)"
    DARK = "brown and dark (below 10°)"


def apparent_tone(picture: RgbImage, seen: Observation) -> ApparentTone | None:
    """The tone of the face in ``picture``, else of its first hand; None where there is neither.

    ``seen`` has the landmarks in pixels of ``picture``.
    """
    if seen.face is not None:
        where: Points = seen.face.points[list(_FOREHEAD_AND_CHEEKS)]
    elif seen.hands:
        where = _within_palm(seen.hands[0])
    else:
        return None
    rows, columns = picture.shape[:2]
    x = np.clip(where[:, 0].round().astype(int), 0, columns - 1)
    y = np.clip(where[:, 1].round().astype(int), 0, rows - 1)
    return tone_of(np.median(picture[y, x], axis=0))


def tone_of(colour: npt.NDArray[np.float64]) -> ApparentTone:
    """The group of an sRGB ``colour`` (3,), 0–255."""
    angle = typology_angle(colour)
    if angle > 41:
        return ApparentTone.LIGHT
    if angle > 28:
        return ApparentTone.INTERMEDIATE
    return ApparentTone.TAN if angle > 10 else ApparentTone.DARK


def typology_angle(colour: npt.NDArray[np.float64]) -> float:
    """atan((L* − 50) / b*) of an sRGB ``colour`` (3,), 0–255, in degrees."""
    shares = np.asarray(colour, np.float64) / 255
    linear = np.where(shares > 0.04045, ((shares + 0.055) / 1.055) ** 2.4, shares / 12.92)
    xyz = _TO_XYZ @ linear / _WHITE
    _, f_y, f_z = np.where(xyz > 0.008856, np.cbrt(xyz), 7.787 * xyz + 16 / 116)
    lightness, yellow = 116 * f_y - 16, 200 * (f_y - f_z)
    return degrees(atan2(float(lightness - 50), max(float(yellow), 1e-6)))


def _within_palm(hand: Hand) -> Points:
    weights = np.array(_WITHIN, np.float32)
    corners = hand.points[list(_PALM)]
    return np.asarray(weights @ corners / weights.sum(axis=1, keepdims=True), np.float32)
