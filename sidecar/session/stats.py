"""A session's numbers: counters (``SessionStats``), and the rates since the last look (``Status``).

Counters are what ``GET /rooms/NAME/stats`` answers; the status is for terminals and JSON lines.
"""

from bisect import bisect_left
from collections import deque
from collections.abc import Container, Iterable, Mapping
from dataclasses import asdict, dataclass
from math import inf
from statistics import median
from typing import ClassVar

from reactions.labels import LabelScore
from sidecar.inference.detector import DetectorStats
from sidecar.session.events import Json, ReactionStep, SessionEvent

RECENT = 6
"""Reactions that are remembered."""


@dataclass(frozen=True, slots=True)
class ParticipantStats:
    """One participant's counters since they joined."""

    participant: str
    name: str
    width: int | None
    """Pixels of the layer that arrives; None before the first frame."""
    height: int | None
    frames_in: int
    frames_late: int
    """Frames dropped because they came late, as after an outage."""
    samples: int
    sample_age: float | None
    """Seconds since the newest sample was taken; None before the first."""
    detection_ms: float | None
    """Median of the last detections, in milliseconds."""
    stale: bool
    opted_out: bool


@dataclass(frozen=True, slots=True)
class SessionStats:
    """One room's counters since the session began."""

    room: str
    uptime: float
    """Seconds."""
    frames_out: int
    late_ticks: int
    viewers: int
    key_frames: int
    participants: tuple[ParticipantStats, ...]
    listeners: int = 0
    """Event streams that are open."""
    listeners_cut_off: int = 0
    """Event streams that were ended because their reader was too slow."""
    packets_dropped: int = 0
    """Packets that viewers missed because their connection didn't keep up."""


@dataclass(frozen=True, slots=True)
class SinkStats:
    """What one sink got so far: events, packets of all its viewers, or pictures."""

    name: str
    delivered: int = 0
    dropped: int = 0
    reason: str = ""
    """Why the last ones were dropped; empty while all is delivered."""


class DurationHistogram:
    """How many durations fell below each of a few bounds, for a Prometheus histogram."""

    BOUNDS: ClassVar[tuple[float, ...]] = (0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0, inf)
    """Seconds."""

    def __init__(self) -> None:
        self.counts = [0] * len(self.BOUNDS)
        """Durations above the bound before and up to each bound."""
        self.total = 0.0
        """Seconds, of all durations together."""

    def add(self, seconds: float) -> None:
        """Count one duration."""
        self.counts[bisect_left(self.BOUNDS, seconds)] += 1
        self.total += seconds


class RecentMedian:
    """The median of the last ``size`` values."""

    def __init__(self, size: int = 25) -> None:
        self._values: deque[float] = deque(maxlen=size)

    def add(self, value: float) -> None:
        self._values.append(value)

    @property
    def value(self) -> float | None:
        """None before the first value."""
        return median(self._values) if self._values else None


@dataclass(frozen=True, slots=True)
class ParticipantStatus:
    """One camera as it comes in."""

    participant: str
    name: str
    width: int | None
    """Pixels of the layer that arrives; None before the first frame."""
    height: int | None
    fps: float
    label: str | None
    """The best label of the newest sample, and its score (0–1)."""
    score: float | None
    stale: bool
    opted_out: bool


@dataclass(frozen=True, slots=True)
class RecentReaction:
    """A reaction that started ``time`` seconds into the session."""

    time: float
    name: str
    label: str


@dataclass(frozen=True, slots=True)
class Status:
    """A session at one moment; rates are since the status before."""

    system: str
    room: str
    uptime: float
    """Seconds."""
    rejoined: int
    fps: float
    """Pictures of the composite a second."""
    late_ticks: int
    viewers: int
    cpu: float
    """Share of one core, 0–1 and above."""
    participants: tuple[ParticipantStatus, ...]
    reactions: tuple[RecentReaction, ...]
    """The last ones, newest first."""
    sinks: tuple[SinkStats, ...] = ()
    detector: DetectorStats | None = None

    def to_json(self) -> Json:
        """One JSON object; numbers are rounded to three decimals."""
        return {"event": "status", **_rounded(asdict(self))}


def _rounded(fields: Mapping[str, object]) -> dict[str, object]:
    return {key: _round(value) for key, value in fields.items()}


def _round(value: object) -> object:
    if isinstance(value, float):
        return round(value, 3)
    if isinstance(value, dict):
        return _rounded(value)
    if isinstance(value, tuple | list):
        return [_round(item) for item in value]
    return value


class StatusReader:
    """Turns a session's counters into rates; keeps the counters before and the last reactions."""

    def __init__(self, system: str, labels: Container[str]) -> None:
        """``labels`` are those that are shown: not ``face``, which is nearly always there."""
        self._system = system
        self._labels = labels
        self._before: SessionStats | None = None
        self._cpu: float | None = None
        self._reactions: deque[RecentReaction] = deque(maxlen=RECENT)

    def update(self, event: SessionEvent) -> None:
        """Take an event into account: a reaction that starts is remembered."""
        if not isinstance(event, ReactionStep) or event.kind != "reaction.started":
            return
        if (label := event.event.label) in self._labels:
            self._reactions.appendleft(RecentReaction(event.time, event.name, label))

    def read(
        self,
        stats: SessionStats,
        scores: Mapping[str, Iterable[LabelScore]],
        *,
        cpu: float,
        rejoined: int = 0,
        detector: DetectorStats | None = None,
        sinks: Iterable[SinkStats] = (),
    ) -> Status:
        """The status of now; ``cpu`` is what the process has used so far, in seconds of a core."""
        before, self._before = self._before, stats
        used, self._cpu = self._cpu, cpu
        seconds = 0.0 if before is None else stats.uptime - before.uptime
        earlier = {} if before is None else {one.participant: one for one in before.participants}
        return Status(
            system=self._system,
            room=stats.room,
            uptime=stats.uptime,
            rejoined=rejoined,
            fps=_rate(stats.frames_out, None if before is None else before.frames_out, seconds),
            late_ticks=stats.late_ticks,
            viewers=stats.viewers,
            cpu=0.0 if used is None or seconds <= 0 else (cpu - used) / seconds,
            participants=tuple(
                _participant(
                    now,
                    earlier.get(now.participant),
                    seconds,
                    self._best(scores.get(now.participant, ())),
                )
                for now in stats.participants
            ),
            reactions=tuple(self._reactions),
            sinks=tuple(sinks),
            detector=detector,
        )

    def _best(self, scores: Iterable[LabelScore]) -> LabelScore | None:
        return next((score for score in scores if score.label in self._labels), None)


def _participant(
    now: ParticipantStats,
    before: ParticipantStats | None,
    seconds: float,
    best: LabelScore | None,
) -> ParticipantStatus:
    return ParticipantStatus(
        participant=now.participant,
        name=now.name,
        width=now.width,
        height=now.height,
        fps=_rate(now.frames_in, None if before is None else before.frames_in, seconds),
        label=None if best is None else best.label,
        score=None if best is None else best.score,
        stale=now.stale,
        opted_out=now.opted_out,
    )


def _rate(count: int, before: int | None, seconds: float) -> float:
    """Per second; 0 without a count before. Counters of a participant who came back restart."""
    return 0.0 if before is None or seconds <= 0 else max(0, count - before) / seconds
