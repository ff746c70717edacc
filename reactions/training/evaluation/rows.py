"""Rows of verdicts summed up: by source and label, by look-alike, by condition, an hour."""

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

from reactions.training.evaluation.cases import CaseKind
from reactions.training.evaluation.conditions import ROBUSTNESS, Condition
from reactions.training.evaluation.intervals import (
    HourlyRate,
    Interval,
    Share,
    bootstrap,
    mean_over,
    share_of,
)
from reactions.training.evaluation.verdicts import CaseVerdict
from reactions.training.label_names import Shown

_ALL = "all"


@dataclass(frozen=True, slots=True)
class RecallRow:
    """What shows one label, in one source or under one condition."""

    group: str
    label: str
    found_still: Share
    """A hand was found."""
    found_stream: Share
    still: Share
    """The single frame names it."""
    stream: Share
    """The stream starts it."""
    wrong_still: Share
    """A sticker fires that is not shown."""
    wrong_stream: Share


@dataclass(frozen=True, slots=True)
class ConditionRow:
    """Photos under one condition, and the same photos as they are."""

    changed: RecallRow
    plain_still: Share
    plain_stream: Share


@dataclass(frozen=True, slots=True)
class FireRow:
    """What must set nothing off, in one source."""

    source: str
    name: str
    still: Share
    stream: Share
    which: Mapping[str, int]
    """Reactions that start in streams."""


@dataclass(frozen=True, slots=True)
class FootageRow:
    """False reactions an hour in one kind of footage."""

    footage: str
    files: int
    rate: HourlyRate
    which: Mapping[str, int]


@dataclass(frozen=True, slots=True)
class MeanRow:
    """The mean over sources of photos or over mannequins, each of which counts the same."""

    group: str
    people: int
    still: float
    still_interval: Interval
    stream: float
    stream_interval: Interval


def recall_rows(
    verdicts: Sequence[CaseVerdict], group_of: Callable[[CaseVerdict], str], *, labels: bool = True
) -> list[RecallRow]:
    """A row for each group's labels (unless ``labels`` is False), and one for all of the group."""
    rows = []
    for group, members in grouped(verdicts, group_of).items():
        if labels:
            for label, some in grouped(members, lambda each: each.case.meaning.label).items():
                rows.append(recall_row(group, label, some))
        rows.append(recall_row(group, _ALL, members))
    return rows


def recall_row(group: str, label: str, verdicts: Sequence[CaseVerdict]) -> RecallRow:
    """One row of all ``verdicts``."""
    return RecallRow(
        group,
        label,
        found_still=share_of(each.found_still for each in verdicts),
        found_stream=share_of(each.found_stream for each in verdicts),
        still=share_of(each.named_still for each in verdicts),
        stream=share_of(each.named_stream for each in verdicts),
        wrong_still=share_of(bool(each.wrong_fired) for each in verdicts),
        wrong_stream=share_of(bool(each.wrong_started) for each in verdicts),
    )


def fire_rows(verdicts: Sequence[CaseVerdict]) -> list[FireRow]:
    """A row for each source's look-alikes, and one for all of the source."""
    rows = []
    for source, members in grouped(verdicts, lambda each: each.case.source).items():
        groups = grouped(members, lambda each: each.case.name)
        for name, some in [*groups.items(), *([(_ALL, members)] if len(groups) > 1 else [])]:
            rows.append(fire_row(source, name, some))
    return rows


def fire_row(source: str, name: str, verdicts: Sequence[CaseVerdict]) -> FireRow:
    """One row of all ``verdicts``."""
    still = share_of(bool(each.wrong_fired) for each in verdicts)
    stream = share_of(bool(each.wrong_started) for each in verdicts)
    return FireRow(source, name, still, stream, wrong_reactions(verdicts))


def footage_rows(verdicts: Sequence[CaseVerdict]) -> list[FootageRow]:
    """False reactions an hour: in clips of people, in what is made of photos and drawings, and in
    all of it in which nothing is meant."""
    groups: dict[str, list[CaseVerdict]] = {}
    for each in verdicts:
        clip, shown = each.case.kind is CaseKind.CLIP, each.case.meaning.shown
        if shown is not Shown.UNSCORED:
            kind = "clips" if clip else f"streams of {_MADE_OF[each.case.kind]}"
            groups.setdefault(f"{kind}: {_SHOWS[shown]}", []).append(each)
            if shown is not Shown.LABEL and each.case.kind is not CaseKind.MANNEQUIN:
                groups.setdefault(_NOTHING_MEANT, []).append(each)
    return [
        FootageRow(
            footage,
            len(some),
            HourlyRate(sum(wrong_reactions(some).values()), sum(each.seconds for each in some)),
            wrong_reactions(some),
        )
        for footage, some in sorted(groups.items())
    ]


_NOTHING_MEANT = "all of people in which nothing is meant"
_MADE_OF = {CaseKind.PHOTO: "photos", CaseKind.MANNEQUIN: "mannequins"}
_SHOWS = {
    Shown.LABEL: "reactions meant",
    Shown.LOOK_ALIKE: "look-alikes",
    Shown.ORDINARY: "ordinary people",
}


def condition_rows(verdicts: Sequence[CaseVerdict]) -> list[ConditionRow]:
    """A row for each condition that a sample of the photos is seen under."""
    hard = [each for each in verdicts if each.case.condition in ROBUSTNESS]
    plain = {
        each.case.file: each
        for each in verdicts
        if each.case.condition is Condition.PLAIN and each.case.kind is CaseKind.PHOTO
    }
    rows = []
    for condition, some in grouped(hard, lambda each: each.case.condition.value).items():
        pairs = [(each, plain[each.case.file]) for each in some if each.case.file in plain]
        worse, same = [each for each, _ in pairs], [each for _, each in pairs]
        if pairs:
            rows.append(
                ConditionRow(
                    recall_row(condition, _ALL, worse),
                    share_of(each.named_still for each in same),
                    share_of(each.named_stream for each in same),
                )
            )
    return rows


def mean_row(
    group: str, verdicts: Sequence[CaseVerdict], person_of: Callable[[CaseVerdict], str]
) -> MeanRow:
    """The means over the people of ``verdicts``, whom ``person_of`` tells apart."""
    people = grouped(verdicts, person_of)
    still = {name: share_of(each.named_still for each in some) for name, some in people.items()}
    stream = {name: share_of(each.named_stream for each in some) for name, some in people.items()}
    return MeanRow(
        group,
        len(people),
        mean_over(still),
        bootstrap([share.value for share in still.values()]),
        mean_over(stream),
        bootstrap([share.value for share in stream.values()]),
    )


def condition_and_source(verdict: CaseVerdict) -> str:
    """Condition and source, to group by."""
    return f"{verdict.case.condition.value}, {verdict.case.source}"


def wrong_reactions(verdicts: Iterable[CaseVerdict]) -> Mapping[str, int]:
    """How often each false reaction starts in the streams of ``verdicts``."""
    started: Counter[str] = Counter()
    for each in verdicts:
        started.update(each.wrong_started)
    # Not the Counter itself: ``asdict`` copies one into a count of its items.
    return dict(started)


def grouped(
    verdicts: Iterable[CaseVerdict], key: Callable[[CaseVerdict], str]
) -> Mapping[str, Sequence[CaseVerdict]]:
    """``verdicts`` by ``key``, in the order of their first."""
    groups: dict[str, list[CaseVerdict]] = {}
    for each in verdicts:
        groups.setdefault(key(each), []).append(each)
    return groups
