"""What recognition is to reach, line by line, beside what it reaches."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from reactions.training.dataset import FREE_SOURCES
from reactions.training.evaluation.cases import MANNEQUINS, CaseKind
from reactions.training.evaluation.clips import started_in
from reactions.training.evaluation.conditions import NEAR_HANDS, Condition
from reactions.training.evaluation.intervals import Share, share_of
from reactions.training.evaluation.rows import grouped
from reactions.training.evaluation.verdicts import CaseVerdict
from reactions.training.label_names import Shown

_RARE = (
    "yawn",
    "namaste",
    "eyes_closed",
    "head_on_hand",
    "arms_raised",
    "arms_crossed",
    "hands_on_head",
)
"""Labels of which there are a few real pictures."""


@dataclass(frozen=True, slots=True)
class Aim:
    """One line: a share that is to be as high, or as low, as ``target``."""

    name: str
    target: float
    at_most: bool
    """Whether less is better."""
    still: Share | None
    """None where a single frame can't show it."""
    stream: Share

    @property
    def missed(self) -> bool:
        """Whether the single frame or the stream falls short."""
        return any(
            share.value > self.target if self.at_most else share.value < self.target
            for share in (self.still, self.stream)
            if share is not None and share.of
        )


def aims(verdicts: Sequence[CaseVerdict]) -> list[Aim]:
    """All lines for which ``verdicts`` hold something, the missed ones first."""
    every = [each for each in _aims(verdicts) if each.stream.of]
    return sorted(every, key=lambda aim: not aim.missed)


def _aims(verdicts: Sequence[CaseVerdict]) -> Iterator[Aim]:
    plain = [each for each in verdicts if each.case.condition is Condition.PLAIN]
    photos = [each for each in plain if each.case.kind is CaseKind.PHOTO]
    shown = [each for each in photos if each.case.meaning.shown is Shown.LABEL]
    new = [each for each in shown if _is_new(each)]
    yield _named("photos of people not trained on, all sources", 0.95, new)
    for source, some in grouped(shown, lambda each: each.case.source).items():
        note = " (the classifier was trained on them)" if source in FREE_SOURCES else ""
        yield _named(f"photos of {source}{note}", 0.95, some)
    dark = [each for each in verdicts if each.case.condition is Condition.DARK]
    yield _named("photos in a dark room", 0.85, dark)
    new = [each for each in dark if _is_new(each)]
    yield _named("photos in a dark room, people not trained on", 0.85, new)
    yield from _false(photos)
    yield from _near(verdicts)
    yield from _quiet_clips(plain)
    for label in _RARE:
        some = [each for each in shown if each.case.meaning.label == label]
        yield _named(f"photos of {label}", 0.9, some)
    yield from _drawn([each for each in plain if each.case.source == MANNEQUINS])


def _is_new(verdict: CaseVerdict) -> bool:
    """Whether the classifier was trained on no photo of the source."""
    return verdict.case.source not in FREE_SOURCES


def _false(photos: Sequence[CaseVerdict]) -> Iterator[Aim]:
    alike = [each for each in photos if each.case.meaning.shown is Shown.LOOK_ALIKE]
    alike = [each for each in alike if _is_new(each)]
    yield _wrong("look-alikes in photos of people not trained on", 0.03, alike)
    ordinary = [each for each in photos if each.case.meaning.shown is Shown.ORDINARY]
    yield _wrong("ordinary people in photos", 0.003, ordinary)
    yawns = [each for each in photos if each.case.meaning.label == "yawn"]
    yield Aim(
        "yawns that fire surprised",
        0.03,
        True,
        share_of("surprised" in each.wrong_fired for each in yawns),
        share_of("surprised" in each.wrong_started for each in yawns),
    )


def _near(verdicts: Sequence[CaseVerdict]) -> Iterator[Aim]:
    for condition in NEAR_HANDS:
        named = [each for each in verdicts if each.case.condition is condition and each.named_still]
        stream = share_of(each.named_stream for each in named)
        yield Aim(f"{_NEAR[condition]}, of those that the still names", 0.8, False, None, stream)


_NEAR = {
    Condition.NEAR: "hands as high as the picture",
    Condition.FILLING: "hands half as high again",
}


def _quiet_clips(plain: Sequence[CaseVerdict]) -> Iterator[Aim]:
    clips = [
        each
        for each in plain
        if each.case.kind is CaseKind.CLIP and each.case.meaning.shown is Shown.ORDINARY
    ]
    started = share_of(bool(each.wrong_started) for each in clips)
    yield Aim("clips of people who talk or listen with a reaction", 0.0, True, None, started)
    event = share_of(bool(started_in(each)) for each in clips)
    yield Aim(
        "clips of people who talk or listen with an event or reaction", 0.0, True, None, event
    )


def _drawn(drawn: Sequence[CaseVerdict]) -> Iterator[Aim]:
    shown = [each for each in drawn if each.case.meaning.shown is Shown.LABEL]
    labels = grouped(shown, lambda each: each.case.meaning.label)
    reached = share_of(
        share_of(each.named_stream for each in some).value >= 0.97 for some in labels.values()
    )
    yield Aim("labels that 97 % of the mannequins of ten tones start", 1.0, False, None, reached)
    yield _named("mannequins, all labels", 0.97, shown)
    alike = [each for each in drawn if each.case.meaning.shown is not Shown.LABEL]
    yield _wrong("look-alikes acted by mannequins", 0.01, alike)


def _named(name: str, target: float, verdicts: Sequence[CaseVerdict]) -> Aim:
    still = _share(verdicts, lambda each: each.named_still)
    return Aim(name, target, False, still, _share(verdicts, lambda each: each.named_stream))


def _wrong(name: str, target: float, verdicts: Sequence[CaseVerdict]) -> Aim:
    still = _share(verdicts, lambda each: bool(each.wrong_fired))
    return Aim(name, target, True, still, _share(verdicts, lambda each: bool(each.wrong_started)))


def _share(verdicts: Sequence[CaseVerdict], hit: Callable[[CaseVerdict], bool]) -> Share:
    return share_of(hit(each) for each in verdicts)
