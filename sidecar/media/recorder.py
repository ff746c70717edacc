"""Record the composite as a video file."""

import asyncio
import contextlib
import queue
import threading
from fractions import Fraction
from pathlib import Path
from typing import Final, TypeAlias

import av
import structlog

from config.errors import PictureError, SidecarError
from sidecar.aio import Component
from sidecar.media.container.writer import VideoWriter

log = structlog.get_logger(__name__)

CAPACITY: Final = 8
"""Pictures that wait to be written at most: a third of a second, 11 MiB at 1280x720."""
PATIENCE: Final = 10.0
"""Seconds that the file gets to be completed when the recorder is left."""

_Item: TypeAlias = tuple[av.VideoFrame, float] | None


class Recorder(Component):
    """Writes the pictures that it is given to ``path`` while it is entered.

    H.264 in .mp4, .mkv or .mov, VP8 in .webm, each picture at its own time; the file appears under
    its name when the recorder is left, unless no picture came. Encoding runs in a thread of its
    own: where that can't keep up, pictures are dropped and counted, and no caller waits.
    """

    def __init__(self, path: Path, fps: int) -> None:
        self._path = path
        self._fps = fps
        self._mailbox: queue.Queue[_Item] = queue.Queue(CAPACITY)
        self._thread: threading.Thread | None = None
        self._began: float | None = None
        self._open = False
        self._failure: SidecarError | None = None
        self.written = 0
        """Pictures in the file so far."""
        self.dropped = 0
        """Pictures left out because the thread didn't keep up, or failed."""

    async def start(self) -> None:
        """Begin the file; raises PictureError where it can't be written."""
        writer = await asyncio.to_thread(VideoWriter, self._path, Fraction(self._fps))
        self._thread = threading.Thread(
            target=self._run, args=(writer,), name="recorder", daemon=True
        )
        self._thread.start()
        self._open = True

    async def aclose(self) -> None:
        """Complete the file; raises PictureError where that failed, now or before."""
        self._open = False
        thread, self._thread = self._thread, None
        if thread is not None:
            await asyncio.to_thread(self._finish, thread)
        if self._failure is not None:
            raise self._failure
        if self.dropped:
            log.info("pictures left out of the file", dropped=self.dropped, written=self.written)

    @property
    def failure(self) -> str:
        """Why the recording ended early; empty while it runs."""
        return "" if self._failure is None else str(self._failure)

    def take(self, frame: av.VideoFrame, time: float) -> None:
        """Write ``frame``, shown at ``time`` in seconds on any clock; from any one thread.

        Returns at once. The frame's time and picture type become the recorder's, its pixels are
        only read, and must not change afterwards.
        """
        if not self._open:
            return
        if self._failure is not None:
            self.dropped += 1
            return
        try:
            self._mailbox.put_nowait((frame, time))
        except queue.Full:
            self.dropped += 1

    def _finish(self, thread: threading.Thread) -> None:
        with contextlib.suppress(queue.Full):
            self._mailbox.put(None, timeout=PATIENCE)
        thread.join(PATIENCE)

    def _run(self, writer: VideoWriter) -> None:
        try:
            with writer:
                while (item := self._mailbox.get()) is not None:
                    self._write(writer, *item)
        except SidecarError as error:
            self._fail(error)
        except (av.FFmpegError, OSError, ValueError) as error:
            self._fail(PictureError(f"can't be written: {error}", where=str(self._path)))

    def _write(self, writer: VideoWriter, frame: av.VideoFrame, time: float) -> None:
        if self._began is None:
            self._began = time
        writer.write(frame, max(0.0, time - self._began))
        self.written += 1

    def _fail(self, error: SidecarError) -> None:
        self._failure = error
        log.error("recording failed", reason=str(error))
        with contextlib.suppress(queue.Empty):
            while True:
                self.dropped += self._mailbox.get_nowait() is not None
