"""A track of frames that a thread makes: the newest one, never a queue."""

import asyncio
import contextlib
import threading
from collections.abc import Callable, Generator, Iterator
from typing import TypeAlias

import av
import structlog
from aiortc.mediastreams import MediaStreamError

from config.errors import RefusedError, SidecarError
from sidecar.aio import Component, Contained, Mailbox, MailboxClosedError

log = structlog.get_logger(__name__)

GRACE = 0.9
"""Seconds that leaving waits for the thread; one that waits for a camera ends by itself later."""

Frames: TypeAlias = Callable[[threading.Event], Iterator[av.VideoFrame]]
"""Makes frames until they end or the event is set; called, and closed, in the thread."""


class ThreadTrack(Component):
    """A ``VideoSource`` whose frames come from ``frames``, run in a thread while it is entered."""

    def __init__(self, name: str, frames: Frames) -> None:
        self._mailbox: Mailbox[av.VideoFrame] = Mailbox()
        self.over = asyncio.Event()
        """Set when there will be no more frames; the last one can still be read."""
        self._name = name
        self._frames = frames
        self._stop = threading.Event()
        self.reason = "the end of the recording"
        """Why there are no more frames, for people."""
        self.refused = False
        """Whether the source refuses to give its frames."""

    async def start(self) -> None:
        loop = asyncio.get_running_loop()
        # A daemon: a read that hangs must not keep the program from ending.
        threading.Thread(
            target=self._run, args=(loop,), name=f"camera {self._name}", daemon=True
        ).start()

    async def aclose(self) -> None:
        self._stop.set()
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(GRACE):
                await self.over.wait()
        self._end()

    async def recv(self) -> av.VideoFrame:
        """The newest frame, once; raises MediaStreamError when there are no more."""
        try:
            return await self._mailbox.get()
        except MailboxClosedError:
            raise MediaStreamError from None

    def _end(self) -> None:
        self._mailbox.close()
        self.over.set()

    def _run(self, loop: asyncio.AbstractEventLoop) -> None:
        frames = self._frames(self._stop)
        with Contained("camera failed", camera=self._name) as attempt:
            try:
                for frame in frames:
                    if self._stop.is_set() or not _post(loop, self._mailbox.put, frame):
                        break
            except SidecarError as error:
                self.reason = error.what
                self.refused = isinstance(error, RefusedError)
                log.warning("camera ended", camera=self._name, reason=error.what)
            finally:
                if isinstance(frames, Generator):
                    frames.close()
        if attempt.error is not None:
            self.reason = repr(attempt.error)
        _post(loop, self._end)


def _post(loop: asyncio.AbstractEventLoop, act: Callable[..., None], *args: object) -> bool:
    """Let ``loop`` call ``act``; False where it has been closed."""
    try:
        loop.call_soon_threadsafe(act, *args)
    except RuntimeError:
        return False
    return True
