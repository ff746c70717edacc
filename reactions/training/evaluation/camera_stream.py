"""A photo as a webcam's stream: shaken, noisy, encoded by VP8 and decoded again."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from math import radians, sqrt
from typing import TYPE_CHECKING

import av
import numpy as np

from reactions.geometry import Box
from reactions.landmark_types import RgbImage
from reactions.landmarks.roi import Roi
from reactions.landmarks.warp import crop_on_edge

if TYPE_CHECKING:
    from av.video.codeccontext import VideoCodecContext

FPS = 10
"""Frames a second: a webcam's in a dim room; half of them become samples."""
AREA = 640 * 360
"""Pixels of a stream's picture: what a meeting sends of one tile."""
_SHAKE = (1.2, 1.2, 0.4, 0.004)
"""How far the camera is off, as a standard deviation: pixels right, pixels down, degrees, zoom."""
_STEADY = 0.8
"""How much of that is left in the next frame."""
_NOISE_TILE = 1 << 21
_OPTIONS = {"deadline": "realtime", "cpu-used": "-12", "lag-in-frames": "0"}


@dataclass(frozen=True, slots=True)
class Encoding:
    """What becomes of the frames on the way."""

    noise: float = 3.0
    """Standard deviation of the sensor's noise, grey levels of 255."""
    bits_a_pixel: float = 0.17
    """Of VP8, for each pixel of each frame: 400 kbit/s at 640x360 and 10 frames a second."""


def at_webcam(pixels: RgbImage, area: int = AREA) -> RgbImage:
    """``pixels`` scaled to at most ``area``, its aspect kept, with even sides."""
    height, width = pixels.shape[:2]
    scale = min(1.0, sqrt(area / (width * height)))
    return scaled(pixels, _even(width * scale), _even(height * scale))


def scaled(pixels: RgbImage, width: int, height: int) -> RgbImage:
    """``pixels`` at ``width`` x ``height``, averaged where it shrinks."""
    from PIL import Image

    if pixels.shape[:2] == (height, width):
        return pixels
    image = Image.fromarray(pixels).resize((width, height), Image.Resampling.BOX, reducing_gap=2)
    return np.asarray(image)


def _even(length: float) -> int:
    return max(16, round(length / 2) * 2)


def framed(pixels: RgbImage, width: int, height: int) -> RgbImage:
    """``pixels`` in the middle of ``width`` x ``height``, its edge repeated around it."""
    rows, columns = pixels.shape[:2]
    return crop_on_edge(pixels, Roi(columns / 2, rows / 2, width, height), width, height)


def without(picture: RgbImage, boxes: Iterable[Box]) -> RgbImage:
    """``picture`` with each box painted over, from the colours left of it to those right of it."""
    painted = picture.copy()
    height, width = picture.shape[:2]
    for box in boxes:
        inside = box.clipped()
        left, top = int(inside.x * width), int(inside.y * height)
        right = min(width, int((inside.x + inside.width) * width) + 1)
        bottom = min(height, int((inside.y + inside.height) * height) + 1)
        if left >= right or top >= bottom:
            continue
        rows = painted[top:bottom].astype(np.float32)
        first = rows[:, max(0, left - 2)] if left > 1 else rows[:, min(width - 1, right + 1)]
        last = rows[:, min(width - 1, right + 1)] if right < width - 1 else first
        way = np.linspace(0, 1, right - left, dtype=np.float32)[None, :, None]
        painted[top:bottom, left:right] = first[:, None] * (1 - way) + last[:, None] * way
    return painted


def shaken(pictures: Sequence[RgbImage], noise: float, seed: int) -> Iterator[RgbImage]:
    """One frame of each of ``pictures`` as a camera that moves a little takes it."""
    rng = np.random.default_rng(seed)
    grains = rng.normal(0, noise, _NOISE_TILE).round().astype(np.int16)
    spread = np.array(_SHAKE) * sqrt(1 - _STEADY**2)
    off = rng.normal(0, _SHAKE)
    for picture in pictures:
        height, width = picture.shape[:2]
        off = _STEADY * off + rng.normal(0, spread)
        right, down, degrees, zoom = (float(each) for each in off)
        scale = 1 + zoom
        where = Roi(
            width / 2 + right, height / 2 + down, width * scale, height * scale, radians(degrees)
        )
        seen = crop_on_edge(picture, where, width, height)
        start = int(rng.integers(0, max(1, _NOISE_TILE - seen.size)))
        grain = np.resize(grains[start : start + seen.size], seen.shape)
        yield np.clip(seen + grain, 0, 255).astype(np.uint8)


def through_vp8(frames: Iterable[RgbImage], bits_a_pixel: float) -> Iterator[av.VideoFrame]:
    """``frames`` (of one size, ``FPS`` a second) as a receiver decodes them."""
    encoder: VideoCodecContext | None = None
    decoder = av.CodecContext.create("vp8", "r")
    decoder.thread_count = 1
    for number, frame in enumerate(frames):
        height, width = frame.shape[:2]
        encoder = encoder or _encoder(width, height, bits_a_pixel)
        picture = av.VideoFrame.from_ndarray(frame, format="rgb24")
        picture.pts = number
        for packet in encoder.encode(picture):
            yield from decoder.decode(packet)


def _encoder(width: int, height: int, bits_a_pixel: float) -> "VideoCodecContext":
    encoder = av.CodecContext.create("libvpx", "w")
    encoder.width, encoder.height, encoder.pix_fmt = width, height, "yuv420p"
    encoder.time_base, encoder.framerate = Fraction(1, FPS), Fraction(FPS)
    encoder.bit_rate = round(width * height * FPS * bits_a_pixel)
    encoder.gop_size, encoder.thread_count = 300, 1
    encoder.options = _OPTIONS
    return encoder
