"""A participant while they are in the room: their seat, their feed, and what was counted."""

import asyncio
from dataclasses import dataclass, field

from reactions.labels import LabelScore
from reactions.pipeline import Detection
from sidecar.media.compositor.tiles import TileView
from sidecar.media.feed import Feed
from sidecar.session.seat import Seat
from sidecar.session.stats import ParticipantStats, RecentMedian


@dataclass(slots=True, eq=False)
class Presence:
    """A participant with their feed, None where it can't be watched."""

    seat: Seat
    feed: Feed | None
    opted_out: bool = False
    paused: bool = False
    """Their camera rests by our own wish: an old picture is nothing to worry about."""
    samples: int = 0
    failures: int = 0
    sampled_at: float | None = None
    scores: tuple[LabelScore, ...] = ()
    """Of the newest sample, best first."""
    detection_ms: RecentMedian = field(default_factory=RecentMedian)
    watcher: asyncio.Task[None] | None = None

    @property
    def busy(self) -> bool:
        """Holds a pose or wears a sticker."""
        return bool(self.seat.progress) or self.seat.decorated

    def count(self, detection: Detection, taken: float) -> None:
        """Take a detection into account, of a sample taken at ``taken``."""
        self.samples += 1
        self.sampled_at = taken
        self.scores = detection.scores
        self.detection_ms.add(detection.milliseconds)

    def tile(self, now: float, *, pinned: bool) -> TileView:
        """How they look at ``now``."""
        feed = self.feed
        if feed is None:
            return self.seat.tile(None, pinned=pinned)
        stale = feed.stale(now) and not self.paused
        return self.seat.tile(feed.frame, stale=stale, pinned=pinned)

    def stats(self, now: float) -> ParticipantStats:
        """Their numbers at ``now``."""
        feed = self.feed
        size = None if feed is None else feed.size
        return ParticipantStats(
            participant=self.seat.participant,
            name=self.seat.name,
            width=None if size is None else size[0],
            height=None if size is None else size[1],
            frames_in=0 if feed is None else feed.frames,
            frames_late=0 if feed is None else feed.late,
            samples=self.samples,
            sample_age=None if self.sampled_at is None else now - self.sampled_at,
            detection_ms=self.detection_ms.value,
            stale=feed is None or feed.stale(now),
            opted_out=self.opted_out,
        )
