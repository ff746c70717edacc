"""A participant's camera as the sidecar receives it: the newest frame and its age."""

import asyncio
import contextlib
import time
from collections import deque
from collections.abc import Callable
from typing import Protocol

import av
import structlog
from aiortc.mediastreams import MediaStreamError

from sidecar.aio import Broadcast, Component, Contained, TaskSet
from sidecar.media.aiortc_patches import decrypt_track, name_track
from sidecar.media.decoder import FrameCipher
from sidecar.media.lateness_filter import Lateness, LatenessFilter

log = structlog.get_logger(__name__)

STALE_AFTER = 3.0
"""Seconds without a frame after which the picture counts as old. aiortc itself notices a dead peer
only after 29–34 s, so liveness comes from frames."""
LONGEST_GAP = 12.0
"""Seconds that the longest gap between frames may count for a camera that sends few."""


class VideoSource(Protocol):
    """An object that yields video frames: a remote track, a file's track, a mannequin."""

    async def recv(self) -> object:
        """The next ``av.VideoFrame`` (anything else is skipped); MediaStreamError at the end."""
        ...


class Feed(Component):
    """The newest frame of a track, which is read by this feed alone from ``start`` to ``aclose``.

    A track of aiortc queues what is not read (10 MiB/s for 640x360), so the feed drains it and
    keeps one frame. Closing the feed does not stop the track: its owner does.

    ``Feed(track)`` ends when the track ends. ``Feed()`` outlives the tracks that are attached to it
    one after another, as when a camera changes its layer or its connection, and ends with ``end``
    or ``aclose``.

    ``frame`` is shared with the decoder and with all readers of the feed: never write into it.
    """

    def __init__(
        self,
        track: VideoSource | None = None,
        *,
        cipher: FrameCipher | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._track = track
        self._cipher = cipher
        """Decrypts the frames of what is attached."""
        self._lasts = track is None
        self._clock = clock
        self._lateness = LatenessFilter()
        self._held: av.VideoFrame | None = None
        self._releasing: asyncio.TimerHandle | None = None
        self._gaps: deque[float] = deque(maxlen=3)
        self._changed = Broadcast()
        self._tasks = TaskSet()
        self._reader: asyncio.Task[None] | None = None
        self._started = False
        self._participant = ""
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
        self._track, self._lateness = track, LatenessFilter()
        name_track(track, self._participant)
        decrypt_track(track, self._cipher)
        self._drop_held()
        if self.arrived is None:
            self._since = self._clock()
        if self._started:
            self._read_on(track)

    def name(self, participant: str) -> None:
        """Let the log about what is attached, now and later, name ``participant``."""
        self._participant = participant
        if self._track is not None:
            name_track(self._track, participant)

    def end(self) -> None:
        """Take no more frames: all who wait for one are woken."""
        if self._reader is not None and self._reader is not asyncio.current_task():
            self._reader.cancel()
        self.ended = True
        self._drop_held()
        self._changed.notify()

    @property
    def size(self) -> tuple[int, int] | None:
        """Width and height of the newest frame in pixels; it may change from frame to frame."""
        return None if self.frame is None else (self.frame.width, self.frame.height)

    def age(self, now: float) -> float:
        """Seconds since the newest frame arrived at ``now``; before the first, since the start."""
        return now - (self._since if self.arrived is None else self.arrived)

    def stale(self, now: float) -> bool:
        """Whether at ``now``, on the feed's clock, the newest frame is too old to be shown.

        A camera or screen that sends a frame every few seconds is given twice its usual time.
        """
        patience = max(STALE_AFTER, min(2 * max(self._gaps, default=0.0), LONGEST_GAP))
        return self.ended or self.age(now) > patience

    async def wait_newer(self, than: int) -> bool:
        """Wait until ``frames`` exceeds ``than``; False if the feed ended without getting there."""
        await self._changed.wait_for(lambda: self.frames > than or self.ended)
        return self.frames > than

    def _read_on(self, track: VideoSource) -> None:
        if self._reader is not None:
            self._reader.cancel()
        self._reader = self._tasks.create_task(self._read(track), name="feed")

    async def _read(self, track: VideoSource) -> None:
        # One participant's track must not disturb the others: their tile goes stale.
        with Contained("feed failed"), contextlib.suppress(MediaStreamError):
            while True:
                frame = await track.recv()
                if isinstance(frame, av.VideoFrame):
                    self._take(frame)
        if not self._lasts:
            self.end()

    def _take(self, frame: av.VideoFrame) -> None:
        now = self._clock()
        judgement = Lateness.SHOW
        if frame.pts is not None and frame.time_base is not None:
            judgement = self._lateness.judge(float(frame.pts * frame.time_base), now)
        self._drop_held()
        match judgement:
            case Lateness.SHOW:
                self._show(frame, now)
            case Lateness.HOLD:
                self._hold(frame, now)
            case Lateness.DROP:
                self.late += 1

    def _show(self, frame: av.VideoFrame, arrived: float) -> None:
        if self.arrived is not None:
            self._gaps.append(arrived - self.arrived)
        self.frame, self.arrived = frame, arrived
        self.frames += 1
        self._changed.notify()

    def _hold(self, frame: av.VideoFrame, arrived: float) -> None:
        """Keep a late frame, and show it if those that follow do not prove it damaged."""
        release_at = self._lateness.release_at
        assert release_at is not None, "a frame is held until a certain time"
        loop = asyncio.get_running_loop()
        delay = max(0.0, release_at - arrived)
        self._held = frame
        self._releasing = loop.call_later(delay, self._release, frame)

    def _release(self, frame: av.VideoFrame) -> None:
        now = self._clock()
        if self._held is frame and not self.ended:
            if self._lateness.release(now):
                self._held = None
                self._show(frame, now)
            elif self._lateness.release_at is not None:
                self._hold(frame, now)

    def _drop_held(self) -> None:
        """A newer frame, or another track, takes the place of one that is held."""
        if self._held is not None:
            self.late += 1
            self._held = None
        if self._releasing is not None:
            self._releasing.cancel()
            self._releasing = None
