"""A participant's camera as we receive it: the newest frame, and how old it is."""

import asyncio
import time
from collections.abc import Callable
from typing import Protocol, Self

import av
import structlog
from aiortc.mediastreams import MediaStreamError

from sidecar.aio import Broadcast, TaskSet
from sidecar.media.lateness_filter import LagGate

log = structlog.get_logger(__name__)

STALE_AFTER = 3.0
"""Seconds without a frame after which the picture counts as old. aiortc itself notices a dead peer
only after 29–34 s, so liveness comes from frames."""


class VideoSource(Protocol):
    """An object that yields video frames: a remote track, a file's track, a mannequin."""

    async def recv(self) -> object:
        """The next ``av.VideoFrame`` (anything else is skipped); MediaStreamError at the end."""
        ...


class Feed:
    """The newest frame of a track, which is read by this feed alone from ``start`` to ``aclose``.

    A track of aiortc queues what is not read (10 MiB/s for 640x360), so the feed drains it and
    keeps one frame. Closing the feed does not stop the track: its owner does.

    ``Feed(track)`` ends when the track ends. ``Feed()`` outlives the tracks that are attached to it
    one after another, as when a camera changes its layer or its connection, and ends with ``end``
    or ``aclose``.

    ``frame`` is shared with the decoder and with all readers of the feed: never write into it.
    """

    def __init__(
        self, track: VideoSource | None = None, *, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._track = track
        self._lasts = track is None
        self._clock = clock
        self._gate = LagGate()
        self._changed = Broadcast()
        self._tasks = TaskSet()
        self._reader: asyncio.Task[None] | None = None
        self._started = False
        self._since = clock()
        self.frame: av.VideoFrame | None = None
        """The newest frame that came on time; None before the first."""
        self.arrived: float | None = None
        """When it arrived, on the feed's clock."""
        self.frames = 0
        """How many frames came on time."""
        self.late = 0
        """How many were dropped because they came late, as after an outage."""
        self.ended = False
        """There will be no more frames."""

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(self, *exc: object) -> None:
        await self.aclose()

    async def start(self) -> None:
        """Begin to read the track, if there is one."""
        self._started, self._since = True, self._clock()
        if self._track is not None:
            self._read_on(self._track)

    async def aclose(self) -> None:
        """Stop reading, and end."""
        self.end()
        await self._tasks.aclose()

    def attach(self, track: VideoSource) -> None:
        """Take frames from ``track`` from now on, and no more from the track before.

        The newest frame stays until ``track`` brings one. Attaching the same track changes nothing.
        """
        if track is self._track or self.ended:
            return
        self._track, self._gate = track, LagGate()
        if self.arrived is None:
            self._since = self._clock()
        if self._started:
            self._read_on(track)

    def end(self) -> None:
        """Take no more frames: all who wait for one are woken."""
        if self._reader is not None and self._reader is not asyncio.current_task():
            self._reader.cancel()
        self.ended = True
        self._changed.notify()

    @property
    def size(self) -> tuple[int, int] | None:
        """Width and height of the newest frame in pixels; it may change from frame to frame."""
        return None if self.frame is None else (self.frame.width, self.frame.height)

    def age(self, now: float) -> float:
        """Seconds since the newest frame arrived at ``now``; before the first, since the start."""
        return now - (self._since if self.arrived is None else self.arrived)

    def stale(self, now: float) -> bool:
        """Whether at ``now``, on the feed's clock, the newest frame is too old to be shown."""
        return self.ended or self.age(now) > STALE_AFTER

    async def wait_newer(self, than: int) -> bool:
        """Wait until ``frames`` exceeds ``than``; False if the feed ended without getting there."""
        await self._changed.wait_for(lambda: self.frames > than or self.ended)
        return self.frames > than

    def _read_on(self, track: VideoSource) -> None:
        if self._reader is not None:
            self._reader.cancel()
        self._reader = self._tasks.create_task(self._read(track), name="feed")

    async def _read(self, track: VideoSource) -> None:
        try:
            while True:
                frame = await track.recv()
                if isinstance(frame, av.VideoFrame):
                    self._take(frame)
        except MediaStreamError:
            pass
        except Exception as error:
            # One participant's track must not disturb the others: their tile goes stale.
            log.exception("feed failed", reason=repr(error))
        if not self._lasts:
            self.end()

    def _take(self, frame: av.VideoFrame) -> None:
        now = self._clock()
        if frame.pts is not None and frame.time_base is not None:
            stamp = float(frame.pts * frame.time_base)
            if not self._gate.admits(stamp, now):
                self.late += 1
                return
        self.frame, self.arrived = frame, now
        self.frames += 1
        self._changed.notify()
