"""A clip shown at its own pace: frames on time, blocking in between. For a thread of its own."""

import threading
from collections.abc import Callable, Iterator

import av

from config.errors import PictureError
from sidecar.media.video_files import MAX_SIDE, VideoReader

LEAP = 5.0
"""Seconds between two frames' stamps beyond which the stamps are wrong, not the wait long."""


class Timeline:
    """When each frame is due, from stamps that files get wrong in every way. Pure.

    Seconds since the first frame, never decreasing: stamps that run backwards or leap go on one
    frame after the last.
    """

    def __init__(self, interval: float) -> None:
        self._interval = interval
        self._shift: float | None = None
        self._due = -interval

    def due(self, stamp: float | None) -> float:
        """When the frame stamped ``stamp`` (in seconds; None: without a stamp) is due."""
        after = self._due + self._interval
        if stamp is None:
            self._due = after
            return after
        if self._shift is None:
            self._shift = after - stamp
        due = stamp + self._shift
        if not max(self._due, 0.0) <= due <= self._due + LEAP:
            self._shift += after - due
            due = after
        self._due = due
        return due


def play(
    reader: VideoReader, stop: threading.Event, *, clock: Callable[[], float]
) -> Iterator[av.VideoFrame]:
    """The frames of ``reader``, each when it is due on ``clock``, the first at once.

    ``reader`` is closed at the end. A machine that can't decode at the clip's pace shows it slower.
    Raises PictureError where it can't be read on, or a frame is too large.
    """
    timeline = Timeline(float(1 / reader.rate))
    with reader:
        began = clock()
        for item in reader:
            if not isinstance(item, av.VideoFrame):
                continue
            if max(item.width, item.height) > MAX_SIDE:
                what = f"{item.width}x{item.height} exceeds {MAX_SIDE} pixels a side"
                raise PictureError(what)
            due = timeline.due(item.time if item.pts is not None else None)
            if stop.wait(max(0.0, began + due - clock())):
                return
            # The file's stamps say nothing about delay; the feed would take them for it.
            item.pts = None
            yield item
