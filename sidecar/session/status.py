"""How a session is doing at one moment, for people at a terminal and for programs. Pure."""

from collections import deque
from collections.abc import Container, Iterable, Mapping
from dataclasses import asdict, dataclass

from reactions.labels import LabelScore
from sidecar.session.events import Json, ReactionStep, SessionEvent
from sidecar.session.stats import ParticipantStats, SessionStats

RECENT = 6
"""Reactions that are remembered."""


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
class Reaction:
    """One that started, ``time`` seconds into the session."""

    time: float
    name: str
    label: str


@dataclass(frozen=True, slots=True)
class Status:
    """Everything worth knowing of one moment; rates are since the moment before."""

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
    reactions: tuple[Reaction, ...]
    """The last ones, newest first."""

    def to_json(self) -> Json:
        """One JSON object; times in seconds, rounded to what can be told apart."""
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
    """Turns a session's counters into rates: keeps the moment before, and the last reactions."""

    def __init__(self, system: str, labels: Container[str]) -> None:
        """``labels`` are those worth telling: not every face that is there."""
        self._system = system
        self._labels = labels
        self._before: SessionStats | None = None
        self._cpu: float | None = None
        self._reactions: deque[Reaction] = deque(maxlen=RECENT)

    def hear(self, event: SessionEvent) -> None:
        """Remember a reaction that starts."""
        if not isinstance(event, ReactionStep) or event.kind != "reaction.started":
            return
        if (label := event.event.label) in self._labels:
            self._reactions.appendleft(Reaction(event.time, event.name, label))

    def read(
        self,
        stats: SessionStats,
        scores: Mapping[str, Iterable[LabelScore]],
        *,
        cpu: float,
        rejoined: int = 0,
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
    """Per second; 0 without a moment before. Who came back began to count from nothing."""
    return 0.0 if before is None or seconds <= 0 else max(0, count - before) / seconds
