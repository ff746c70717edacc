"""What a single picture shows: annotate, replay of a picture and the API answer alike.

A picture has no time in it, so that a label counts at its threshold, without a hold.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from config.reaction_rule import Kind, ReactionRule
from reactions.labels import LabelScore
from reactions.landmark_types import RgbImage, Sample
from reactions.pipeline import Detection, RecognitionPipeline
from reactions.reaction_event import ReactionEvent, ReactionStage
from sidecar.session.events import ReactionStep
from sidecar.session.participant import Participant

BoxFractions = tuple[float, float, float, float]


@dataclass(frozen=True, slots=True)
class LabelReport:
    """One label of one picture; ``box`` is x, y, width, height in 0–1 of the picture."""

    label: str
    score: float
    threshold: float
    fires: bool
    box: BoxFractions
    hand: str | None


@dataclass(frozen=True, slots=True, eq=False)
class StillReading:
    """One picture as it was read."""

    participant: Participant
    """The person in it, with the marks of what fires."""
    reactions: tuple[ReactionStep, ...]
    """One start for each label that fires, at time 0."""
    labels: tuple[LabelReport, ...]
    """Best first."""
    milliseconds: float
    """Wall-clock time of detection."""


class StillPolicy:
    """Implements ``ReactionPolicy``: each label at its threshold starts at once, and never ends."""

    def __init__(self, rules: Mapping[str, ReactionRule]) -> None:
        self._rules = rules

    def fires(self, score: LabelScore) -> bool:
        """Whether ``score`` counts in a single picture."""
        rule = self._rules[score.label]
        return rule.kind is not Kind.OFF and score.score >= rule.threshold

    def observe(
        self, participant: str, scores: Iterable[LabelScore], time: float
    ) -> list[ReactionEvent]:
        return [
            ReactionEvent(
                stage=ReactionStage.STARTED,
                time=time,
                participant=participant,
                label=score.label,
                score=score.score,
                progress=1.0,
                box=score.box,
                hand=score.hand,
            )
            for score in scores
            if self.fires(score)
        ]

    def stop(self, participant: str, time: float) -> list[ReactionEvent]:
        return []

    def leave(self, participant: str, time: float) -> list[ReactionEvent]:
        return []


class StillReader:
    """Reads pictures one after another with one set of models; belongs to one thread."""

    def __init__(self, pipeline: RecognitionPipeline, rules: Mapping[str, ReactionRule]) -> None:
        self._pipeline = pipeline
        self._rules = rules
        self._policy = StillPolicy(rules)

    def read(self, pixels: RgbImage, name: str) -> StillReading:
        """What ``pixels`` show of one person, who is called ``name``."""
        detection = self._pipeline.detect(Sample(pixels, 0.0), None)
        participant = Participant(name, name, self._rules, self._policy, caption="")
        events = participant.process(detection, 0.0)
        return StillReading(
            participant,
            tuple(event for event in events if isinstance(event, ReactionStep)),
            label_reports(detection, self._rules),
            detection.milliseconds,
        )


def label_reports(
    detection: Detection, rules: Mapping[str, ReactionRule]
) -> tuple[LabelReport, ...]:
    """What a picture shows of the labels that are on, best first; others are left out: a worker may
    know labels that the table lacks while models change."""
    policy = StillPolicy(rules)
    scores = (
        one
        for one in detection.scores
        if one.label in rules and rules[one.label].kind is not Kind.OFF
    )
    return tuple(_report(score, rules, policy) for score in scores)


def _report(
    score: LabelScore, rules: Mapping[str, ReactionRule], policy: StillPolicy
) -> LabelReport:
    box = score.box.clipped()
    return LabelReport(
        label=score.label,
        score=round(score.score, 4),
        threshold=rules[score.label].threshold,
        fires=policy.fires(score),
        box=(round(box.x, 4), round(box.y, 4), round(box.width, 4), round(box.height, 4)),
        hand=score.hand,
    )
