"""A participant's camera as we receive it: the newest frame, and how old it is."""

import asyncio
import time
from collections.abc import Callable
from typing import Protocol, Self

import av
import structlog
from aiortc.mediastreams import MediaStreamError

from sidecar.media.lateness_filter import LagGate

log = structlog.get_logger(__name__)

STALE_AFTER = 3.0
"""Seconds without a frame after which the picture counts as old. aiortc itself notices a dead peer
only after 29–34 s, so liveness comes from frames."""


class VideoSource(Protocol):
    """Whatever hands out video frames: a remote track, a file's track, a mannequin."""

    async def recv(self) -> object:
        """The next ``av.VideoFrame`` (anything else is skipped); MediaStreamError at the end."""
        ...


class Feed:
    """The newest frame of ``track``, which is read by this feed alone while it is entered.

    A track of aiortc queues what nobody reads (10 MiB/s for 640x360), so the feed drains it from
    entering to leaving, and keeps one frame. Leaving does not stop the track: who made it does.

    ``frame`` is shared with the decoder and with whoever else reads the feed: never write into it.
    """

    def __init__(self, track: VideoSource, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._track = track
        self._clock = clock
        self._gate = LagGate()
        self._news = asyncio.Event()
        self._task: asyncio.Task[None] | None = None
        self._opened = clock()
        self.frame: av.VideoFrame | None = None
        """The newest frame that came on time; None before the first."""
        self.arrived: float | None = None
        """When it arrived, on the feed's clock."""
        self.frames = 0
        """How many frames came on time."""
        self.late = 0
        """How many were dropped because they came late, as after an outage."""
        self.ended = False
        """The track is over: there will be no more frames."""

    async def __aenter__(self) -> Self:
        self._opened = self._clock()
        self._task = asyncio.create_task(self._consume(), name="feed")
        return self

    async def __aexit__(self, *exc: object) -> None:
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)
            self._task = None
        self._end()

    @property
    def size(self) -> tuple[int, int] | None:
        """Width and height of the newest frame in pixels; it may change from frame to frame."""
        return None if self.frame is None else (self.frame.width, self.frame.height)

    def age(self, now: float) -> float:
        """Seconds since the newest frame arrived (or since the feed was opened) at ``now``."""
        return now - (self._opened if self.arrived is None else self.arrived)

    def stale(self, now: float) -> bool:
        """Whether at ``now``, on the feed's clock, the newest frame is too old to be believed."""
        return self.ended or self.age(now) > STALE_AFTER

    async def wait_newer(self, than: int) -> bool:
        """Wait until ``frames`` exceeds ``than``; False if the feed ended without getting there."""
        while self.frames <= than:
            if self.ended:
                return False
            await self._news.wait()
        return True

    async def _consume(self) -> None:
        try:
            while True:
                frame = await self._track.recv()
                if isinstance(frame, av.VideoFrame):
                    self._take(frame)
        except MediaStreamError:
            pass
        except Exception:
            # One participant's track must not disturb the others: their tile goes stale.
            log.exception("feed failed")
        finally:
            self._end()

    def _take(self, frame: av.VideoFrame) -> None:
        now = self._clock()
        if frame.pts is not None and frame.time_base is not None:
            stamp = float(frame.pts * frame.time_base)
            if not self._gate.admits(stamp, now):
                self.late += 1
                return
        self.frame, self.arrived = frame, now
        self.frames += 1
        self._announce()

    def _end(self) -> None:
        self.ended = True
        self._announce()

    def _announce(self) -> None:
        """Wake everybody who waits now; later waiters wait for the next change."""
        self._news.set()
        if not self.ended:
            self._news = asyncio.Event()
