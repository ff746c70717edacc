"""Conditions that a picture is made worse by: light, blur, size, turn and what is cut off."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from enum import StrEnum
from io import BytesIO
from math import radians
from types import MappingProxyType

import numpy as np

from reactions.geometry import Box
from reactions.landmark_types import RgbImage
from reactions.landmarks.roi import Roi
from reactions.landmarks.warp import crop_on_edge
from reactions.training.evaluation.camera_stream import Encoding, at_webcam

_GAMMA = 2.2
_DARK = 0.04
"""Light of a dark room, of that of the photo."""
_BACKLIT = 0.25
"""Light on people before a window, of that of the photo."""
_BLUR = 2.2
"""Standard deviation, pixels at 640x360."""
_ROLL = 30.0
"""Degrees."""
_CUT = 1 / 3
"""Of a hand's width that the frame leaves out."""
_NEAR_HEIGHTS = (1.0, 1.5)
"""Heights of near and filling hands, of the picture: 19 cm are 80 % of it at 35 cm from a webcam
that sees 65 degrees across, and 110 % at 30 cm from one that sees 55 degrees."""
_ASIDE = 0.06
"""Steps by which a near hand is beside the picture's middle, of the picture: two at most."""


class Condition(StrEnum):
    """How a photo is seen."""

    PLAIN = "plain"
    NEAR = "near"
    """The hand is as high as the picture, as 30 to 40 cm from a webcam."""
    FILLING = "fills the picture"
    """It is half as high again: fingers or wrist are outside."""
    CUT_OFF = "cut off"
    """A third of the hand's width is outside the frame."""
    DARK = "dark"
    BACKLIT = "backlit"
    BLURRED = "blurred"
    SMALL = "320x180"
    TINY = "160x90"
    GREY = "greyscale"
    MIRRORED = "mirrored"
    ROLLED = "rolled 30"
    JPEG = "JPEG q20"
    LOW_RATE = "VP8 150 kbit/s"


NEAR_HANDS = (Condition.NEAR, Condition.FILLING)
ROBUSTNESS = tuple(each for each in Condition if each not in (Condition.PLAIN, *NEAR_HANDS))
"""Conditions that a sample of the photos is seen in."""
ON_THE_HAND = frozenset({*NEAR_HANDS, Condition.CUT_OFF})
"""Conditions that need a hand in the picture."""


def encoding_for(condition: Condition) -> Encoding:
    """Noise and bit rate of a stream under ``condition``."""
    usual = Encoding()
    if condition is Condition.DARK:
        return replace(usual, noise=6.0)
    if condition is Condition.LOW_RATE:
        return replace(usual, bits_a_pixel=150_000 / (640 * 360 * 10))
    if condition in (Condition.SMALL, Condition.TINY):
        # Small pictures get more bits a pixel, as in simulcast.
        return replace(usual, bits_a_pixel=0.25)
    return usual


def seen_under(condition: Condition, picture: RgbImage, hands: Sequence[Box]) -> RgbImage:
    """``picture`` under ``condition``; ``hands`` are the boxes of those in it, the largest first.

    Raises ValueError where the condition needs a hand and there is none.
    """
    if condition in ON_THE_HAND:
        if not hands:
            raise ValueError(f"{condition} needs a hand in the picture")
        if condition is Condition.CUT_OFF:
            return _cut(picture, hands[0])
        return crop_on_edge(picture, _near_view(condition, picture, hands[0]), 640, 360)
    change = _CHANGES.get(condition)
    return picture if change is None else change(picture)


def moved_boxes(condition: Condition, picture: RgbImage, hands: Sequence[Box]) -> Sequence[Box]:
    """Where ``hands`` are in ``picture`` as it is seen under ``condition``."""
    if condition in NEAR_HANDS and hands:
        view = _near_view(condition, picture, hands[0])
        return [_in_view(box, view, picture) for box in hands]
    if condition is Condition.CUT_OFF and hands:
        by = _cut_shift(hands[0])
        return [replace(box, x=box.x + by) for box in hands]
    if condition is Condition.MIRRORED:
        return [replace(box, x=1 - box.x - box.width) for box in hands]
    # Turned, a box is somewhere else: all of the picture is painted over.
    return [Box(0, 0, 1, 1)] if condition is Condition.ROLLED and hands else hands


def _near_view(condition: Condition, picture: RgbImage, hand: Box) -> Roi:
    rows, columns = picture.shape[:2]
    across, down = hand.width * columns, hand.height * rows
    tall = max(down, across * 0.8) / _NEAR_HEIGHTS[condition is Condition.FILLING]
    x, y = hand.center
    view = Roi(x * columns, y * rows, tall * 16 / 9, tall)
    # By the hand's place, so that it is always the same.
    right, below = (int(place * 1e4) % 5 - 2 for place in (x, y))
    return view.moved(right * _ASIDE * view.width, below * _ASIDE * view.height)


def _in_view(box: Box, view: Roi, picture: RgbImage) -> Box:
    rows, columns = picture.shape[:2]
    left, top, _, _ = view.bounds()
    return Box(
        (box.x * columns - left) / view.width,
        (box.y * rows - top) / view.height,
        box.width * columns / view.width,
        box.height * rows / view.height,
    )


def _cut_shift(hand: Box) -> float:
    """Widths of the picture to move it by: the hand leaves it at the nearer side."""
    if hand.center[0] < 0.5:
        return -(hand.x + hand.width * _CUT)
    return 1 - (hand.x + hand.width * (1 - _CUT))


def _cut(picture: RgbImage, hand: Box) -> RgbImage:
    rows, columns = picture.shape[:2]
    view = Roi(columns / 2 - _cut_shift(hand) * columns, rows / 2, columns, rows)
    return crop_on_edge(picture, view, columns, rows)


def _lit(picture: RgbImage, light: float) -> RgbImage:
    levels = np.linspace(0, 1, 256) ** _GAMMA * light
    table = (np.clip(levels, 0, 1) ** (1 / _GAMMA) * 255).round().astype(np.uint8)
    return np.asarray(np.take(table, picture), np.uint8)


def _dark(picture: RgbImage) -> RgbImage:
    return _lit(picture, _DARK)


def _backlit(picture: RgbImage) -> RgbImage:
    rows = picture.shape[0]
    # The window is above, and its light veils all of the picture.
    veil = np.linspace(150, 20, rows, dtype=np.float32)[:, None, None]
    veiled = np.clip(_lit(picture, _BACKLIT) + veil, 0, 255)
    return np.asarray(veiled, np.uint8)


def _blurred(picture: RgbImage) -> RgbImage:
    from PIL import Image, ImageFilter

    radius = _BLUR * max(picture.shape[:2]) / 640
    return np.asarray(Image.fromarray(picture).filter(ImageFilter.GaussianBlur(radius)))


def _grey(picture: RgbImage) -> RgbImage:
    luma = picture @ np.array([0.299, 0.587, 0.114], np.float32)
    return np.repeat(luma.round().astype(np.uint8)[..., None], 3, axis=2)


def _rolled(picture: RgbImage) -> RgbImage:
    rows, columns = picture.shape[:2]
    # Half of the photos to each side, and always the same ones.
    way = 1 if int(picture[:: max(1, rows // 8)].sum()) % 2 else -1
    view = Roi(columns / 2, rows / 2, columns, rows, way * radians(_ROLL))
    return crop_on_edge(picture, view, columns, rows)


def _compressed(picture: RgbImage) -> RgbImage:
    from PIL import Image

    with BytesIO() as file:
        Image.fromarray(picture).save(file, "JPEG", quality=20)
        with Image.open(file) as image:
            return np.asarray(image.convert("RGB"))


_CHANGES: Mapping[Condition, Callable[[RgbImage], RgbImage]] = MappingProxyType(
    {
        Condition.DARK: _dark,
        Condition.BACKLIT: _backlit,
        Condition.BLURRED: _blurred,
        Condition.SMALL: lambda picture: at_webcam(picture, 320 * 180),
        Condition.TINY: lambda picture: at_webcam(picture, 160 * 90),
        Condition.GREY: _grey,
        Condition.MIRRORED: lambda picture: np.ascontiguousarray(picture[:, ::-1]),
        Condition.ROLLED: _rolled,
        Condition.JPEG: _compressed,
    }
)
