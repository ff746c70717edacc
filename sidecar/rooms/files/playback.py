"""Play a recording at its own pace; blocks, so it runs in its own thread."""

import threading
from collections.abc import Callable, Iterator
from typing import Final

import av

from sidecar.media.container.reader import TimedFrame
from sidecar.media.recordings import Recording

REPEAT: Final = 1.0
"""Seconds after which a frame that is still to be shown is handed out again, so that a recording of
few frames is not taken for a camera that has stopped."""


def play(
    recording: Recording, stop: threading.Event, *, clock: Callable[[], float]
) -> Iterator[av.VideoFrame]:
    """The frames of ``recording``, each when it is due on ``clock``, the first at once.

    ``recording`` is closed at the end. A machine that can't decode at its pace shows it slower.
    Raises PictureError where it can't be read on.
    """
    began: float | None = None
    shown: av.VideoFrame | None = None
    with recording:
        for item in recording:
            if not isinstance(item, TimedFrame):
                continue
            if began is None:
                began = clock() - item.time
            while (left := began + item.time - clock()) > 0:
                if stop.wait(min(left, REPEAT)):
                    return
                if left > REPEAT and shown is not None:
                    yield shown
            if stop.is_set():
                return
            shown = item.frame
            # The file's stamps say nothing about delay; the feed would take them for it.
            shown.pts = None
            yield shown
