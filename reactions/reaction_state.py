"""The state of one label of one participant: idle, building up, running. Pure."""

from collections import deque
from dataclasses import dataclass, field
from enum import Enum, auto
from math import inf

from config.reaction_rule import ReactionRule
from reactions.geometry import Box
from reactions.labels import LabelScore
from reactions.reaction_event import ReactionEvent, ReactionStage

SPAN = 0.6
"""Seconds. The window of evidence never reaches back less than this: without it n samples at 15 a
second would be a third of a second, and one lost track would end a hold."""

ROUNDING = 1e-6
"""Sums of sample times carry rounding errors: 4 · 0.2 s must complete a hold of 0.8 s."""


class SampleVote(Enum):
    """What one sample says about one label."""

    HIT = auto()
    """At or above the threshold."""
    NEAR = auto()
    """Between release and threshold: speaks neither for nor against."""
    MISS = auto()


@dataclass(frozen=True, slots=True)
class EvidenceWindow:
    """How much evidence counts: ``hits`` of the newest ``samples``, none of it ``stale_after``."""

    hits: int
    samples: int
    stale_after: float
    """Seconds without a sample after which the window proves nothing any more."""


@dataclass(slots=True)
class ReactionState:
    """One label of one participant: takes what each sample shows, and says what happens."""

    participant: str
    label: str
    rule: ReactionRule
    evidence: EvidenceWindow
    person: int = 0
    """Which of the people in the participant's picture."""
    sighting: LabelScore | None = None
    """The newest score above release."""
    began: float | None = None
    """When the hold began; None while idle."""
    started: float | None = None
    """When the reaction started; None unless running."""
    ready: float = -inf
    """When the cooldown is over."""
    _reported: float = 0.0
    """The progress of the last event; 0 when no hold was reported."""
    _window: deque[tuple[float, SampleVote]] = field(default_factory=deque)

    @property
    def building(self) -> bool:
        return self.began is not None and self.started is None

    @property
    def seen(self) -> bool:
        """Whether the newest sample shows the label at its threshold."""
        return bool(self._window) and self._window[-1][1] is SampleVote.HIT

    def note(self, time: float, score: LabelScore | None) -> None:
        """Take the score of the sample of ``time`` into the window; None: not seen."""
        verdict = SampleVote.MISS
        if score is not None and score.score >= self.rule.threshold:
            verdict = SampleVote.HIT
        elif score is not None and score.score >= self.rule.release:
            verdict = SampleVote.NEAR
        if verdict is not SampleVote.MISS:
            self.sighting = score
        self._window.append((time, verdict))
        while len(self._window) > self.evidence.samples and time - self._window[0][0] > SPAN:
            self._window.popleft()

    def forget(self) -> None:
        """Drop the evidence so far; a running reaction continues until it is over."""
        self._window.clear()

    def begin(self) -> None:
        """Begin the hold with the newest sample."""
        self.began = self._window[-1][0]

    def is_held(self, now: float) -> bool:
        """Whether the newest samples still speak for the label, a share of misses forgiven."""
        if not self._window or now - self._window[-1][0] > self.evidence.stale_after:
            return False
        if self.building and self._count(SampleVote.HIT) == 0:
            return False
        size = max(self.evidence.samples, len(self._window))
        forgiven = self.evidence.samples - self.evidence.hits
        return self._count(SampleVote.MISS) * self.evidence.samples <= forgiven * size

    def is_over(self, now: float) -> bool:
        """Whether the running reaction has played its time and isn't held any more."""
        assert self.started is not None
        return now - self.started >= self.rule.duration and not self.is_held(now)

    def is_full(self, now: float) -> bool:
        """Whether the hold is complete, the newest sample completes it, and that one is recent."""
        recent = self.seen and now - self._window[-1][0] <= SPAN
        return self.building and recent and self.progress(now) >= 1

    def is_shown(self, now: float) -> bool:
        """Whether the hold was completed, and the label is still seen."""
        return self.is_full(now) or (self.started is not None and self.is_held(now))

    def progress(self, now: float) -> float:
        """How much of the hold has passed, 0–1, as far as the evidence carries it."""
        assert self.began is not None
        hold = self.rule.hold
        passed = (now - self.began) / hold if hold > 0 else 1.0
        passed = 1.0 if passed > 1 - ROUNDING else passed
        return min(passed, self._count(SampleVote.HIT) / self.evidence.hits)

    def start(self, now: float) -> ReactionEvent:
        self.started, self._reported = now, 0.0
        return self._event(ReactionStage.STARTED, now, 1.0)

    def trigger(self, now: float, box: Box) -> ReactionEvent:
        """Start the reaction without evidence, at ``box``; it plays for the rule's duration."""
        if self.sighting is None:
            self.sighting = LabelScore(self.label, 1.0, box)
        self.began = now
        return self.start(now)

    def end(self, now: float) -> ReactionEvent:
        """End the running reaction; its cooldown begins."""
        self.began = self.started = None
        self.ready = now + self.rule.cooldown
        return self._event(ReactionStage.ENDED, now, 1.0)

    def give_up(self, now: float) -> list[ReactionEvent]:
        """Drop the hold, and report that if its progress was reported."""
        self.began = None
        return self._report(now, 0.0)

    def report_progress(self, now: float) -> list[ReactionEvent]:
        """How far the hold is, if that is news and the newest sample didn't miss it."""
        if not self.building or self._window[-1][1] is SampleVote.MISS:
            return []
        return self._report(now, self.progress(now))

    def _report(self, now: float, progress: float) -> list[ReactionEvent]:
        if progress == self._reported:
            return []
        self._reported = progress
        return [self._event(ReactionStage.PROGRESS, now, progress)]

    def _count(self, verdict: SampleVote) -> int:
        """How many samples of the window, since the hold began, say ``verdict``."""
        since = -inf if self.began is None else self.began
        return sum(said is verdict and time >= since for time, said in self._window)

    def _event(self, stage: ReactionStage, time: float, progress: float) -> ReactionEvent:
        assert self.sighting is not None
        seen = self.sighting
        return ReactionEvent(
            stage,
            time,
            self.participant,
            self.label,
            seen.score,
            progress,
            seen.box,
            seen.hand,
            self.person,
        )
