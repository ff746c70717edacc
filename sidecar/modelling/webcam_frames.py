"""Frames of a webcam that a label is taught with: read as they come, kept in memory alone."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Final, Protocol

import numpy as np

from config.errors import HttpRefusalError, NotFoundError, PictureError
from reactions.landmark_types import RgbImage
from reactions.training.taught_examples import Example
from sidecar.media.pictures import opened_picture
from sidecar.modelling.sources import TeachPicture
from sidecar.modelling.teach import Examples

MAX_FRAME: Final = 1 << 20
"""Bytes of one frame; a JPEG of 640x360 has 40,000."""
MAX_FRAME_PIXELS: Final = 1280 * 1280
MAX_FRAMES: Final = 100
"""Of the label, and as many of anything else; a recording of ten seconds has 50."""

Outline = tuple[tuple[float, float], ...]
"""Places in fractions of the frame: the 21 points of a hand, or the corners of a box."""


class FrameReader(Protocol):
    """What finds hands or arms in frames (``sidecar.modelling.teach.ExampleReader``)."""

    def add(self, picture: TeachPicture, examples: Examples, *, again: bool = False) -> bool:
        """Add what ``picture`` shows to ``examples``, if anything."""
        ...


@dataclass(frozen=True, slots=True, eq=False)
class WebcamFrame:
    """One frame that was taken, and what was found in it."""

    number: int
    shows: bool
    """Whether it shows the label, or anything else."""
    jpeg: bytes
    examples: tuple[Example, ...]
    outlines: tuple[Outline, ...]


def read_webcam_frame(number: int, shows: bool, jpeg: bytes, reader: FrameReader) -> WebcamFrame:
    """The frame in ``jpeg`` with what ``reader`` finds; raises PictureError for no small JPEG."""
    pixels = _decoded(jpeg)
    found = Examples()
    reader.add(TeachPicture(pixels, shows), found)
    examples = tuple(found.shown if shows else found.other)
    height, width = pixels.shape[:2]
    outlines = tuple(_outline(example, width, height) for example in examples)
    return WebcamFrame(number, shows, jpeg, examples, outlines)


def _decoded(jpeg: bytes) -> RgbImage:
    def check(width: int, height: int) -> None:
        if width * height > MAX_FRAME_PIXELS:
            what = f"{width}x{height} exceeds {MAX_FRAME_PIXELS} pixels"
            raise PictureError(what, where="frame", do="send a smaller one")

    with opened_picture(jpeg, "JPEG", check, where="frame") as image:
        return np.asarray(image.convert("RGB"))


def _outline(example: Example, width: int, height: int) -> Outline:
    if example.points is not None:
        return tuple((x / width, y / height) for x, y in example.points.tolist())
    if example.box is None:
        return ()
    left, top = example.box.x, example.box.y
    right, bottom = left + example.box.width, top + example.box.height
    return (left, top), (right, top), (right, bottom), (left, bottom)


class WebcamFrames:
    """The frames of one lesson, in the order in which they were taken."""

    def __init__(self) -> None:
        self._frames: dict[int, WebcamFrame] = {}
        self._coming: dict[int, bool] = {}
        """By its number whether a frame that is being read shows the label."""
        self._numbers = 0

    def next_number(self, shows: bool) -> int:
        """The number of a frame that comes, which ``put`` or ``give_up`` gets.

        Raises HttpRefusalError where there are too many.
        """
        taken = [*(frame.shows for frame in self._frames.values()), *self._coming.values()]
        if taken.count(shows) >= MAX_FRAMES:
            do = "remove some, or record again"
            raise HttpRefusalError(
                f"there are {MAX_FRAMES} frames", status=409, where="frames", do=do
            )
        self._numbers += 1
        self._coming[self._numbers] = shows
        return self._numbers

    def put(self, frame: WebcamFrame) -> None:
        """Keep ``frame``."""
        self.give_up(frame.number)
        self._frames[frame.number] = frame

    def give_up(self, number: int) -> None:
        """The frame ``number`` does not come, or has come."""
        self._coming.pop(number, None)

    def get(self, number: int) -> WebcamFrame:
        """Raises NotFoundError where it was removed, or never taken."""
        if number not in self._frames:
            raise NotFoundError("there is no such frame", where=str(number), do="reload the page")
        return self._frames[number]

    def remove(self, keep: Callable[[WebcamFrame], bool]) -> None:
        """Drop all frames but those that ``keep`` approves of."""
        self._frames = {at: frame for at, frame in self._frames.items() if keep(frame)}

    def of(self, shows: bool) -> Sequence[WebcamFrame]:
        """Those that show the label, or the others."""
        return [frame for frame in self._frames.values() if frame.shows is shows]

    def examples(self) -> Examples:
        """What was found in all frames, as ``teach_bundle`` takes it."""
        all_of_them = Examples(pictures=len(self._frames))
        for number, frame in enumerate(self._frames.values()):
            part = all_of_them.shown if frame.shows else all_of_them.other
            part.extend(replace(example, picture=number) for example in frame.examples)
        return all_of_them
