"""Verdicts summed up: by source and label, by look-alike, by condition, by skin tone, an hour."""

import json
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass

from reactions.training.evaluation.cases import MANNEQUINS, CaseKind
from reactions.training.evaluation.conditions import NEAR_HANDS, ROBUSTNESS, Condition
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


@dataclass(frozen=True, slots=True)
class Summary:
    """All tables of one evaluation."""

    cases: int
    recall: Sequence[RecallRow]
    means: Sequence[MeanRow]
    fires: Sequence[FireRow]
    footage: Sequence[FootageRow]
    conditions: Sequence[RecallRow]
    near: Sequence[RecallRow]
    tones: Sequence[RecallRow]


def summarize(verdicts: Sequence[CaseVerdict]) -> Summary:
    """The tables of ``verdicts``."""
    plain = [each for each in verdicts if each.case.condition is Condition.PLAIN]
    still = [each for each in plain if each.case.kind is not CaseKind.CLIP]
    shown = [each for each in still if each.case.meaning.shown is Shown.LABEL]
    photos = [each for each in shown if each.case.source != MANNEQUINS]
    drawn = [each for each in shown if each.case.source == MANNEQUINS]
    near = [each for each in verdicts if each.case.condition in NEAR_HANDS]
    return Summary(
        cases=len(verdicts),
        recall=recall_rows(shown, lambda each: each.case.source),
        means=[
            _mean_row("photos, by source", photos, lambda each: each.case.source),
            _mean_row("mannequins, by skin tone", drawn, lambda each: str(each.case.tone)),
        ],
        fires=fire_rows([each for each in still if each.case.meaning.shown is not Shown.LABEL]),
        footage=footage_rows(plain),
        conditions=condition_rows(verdicts),
        near=[
            *recall_rows(near, _condition_and_source, labels=False),
            *recall_rows(near, lambda each: each.case.condition.value, labels=False),
        ],
        tones=recall_rows(drawn, lambda each: f"Monk {each.case.tone + 1}", labels=False),
    )


def recall_rows(
    verdicts: Sequence[CaseVerdict], group_of: Callable[[CaseVerdict], str], *, labels: bool = True
) -> list[RecallRow]:
    """A row for each group's labels (unless ``labels`` is False), and one for all of the group."""
    rows = []
    for group, members in _by(verdicts, group_of).items():
        if labels:
            for label, some in _by(members, lambda each: each.case.meaning.label).items():
                rows.append(_recall_row(group, label, some))
        rows.append(_recall_row(group, _ALL, members))
    return rows


def _recall_row(group: str, label: str, verdicts: Sequence[CaseVerdict]) -> RecallRow:
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
    for source, members in _by(verdicts, lambda each: each.case.source).items():
        groups = _by(members, lambda each: each.case.name)
        for name, some in [*groups.items(), *([(_ALL, members)] if len(groups) > 1 else [])]:
            still = share_of(bool(each.wrong_fired) for each in some)
            stream = share_of(bool(each.wrong_started) for each in some)
            rows.append(FireRow(source, name, still, stream, _wrong(some)))
    return rows


def footage_rows(verdicts: Sequence[CaseVerdict]) -> list[FootageRow]:
    """False reactions an hour: in clips of people, and in what is made of photos and drawings."""
    groups: dict[str, list[CaseVerdict]] = {}
    for each in verdicts:
        clip, shown = each.case.kind is CaseKind.CLIP, each.case.meaning.shown
        if shown is not Shown.UNSCORED:
            kind = "clips" if clip else f"streams of {_MADE_OF[each.case.kind]}"
            groups.setdefault(f"{kind}: {_SHOWS[shown]}", []).append(each)
    return [
        FootageRow(
            footage,
            len(some),
            HourlyRate(sum(_wrong(some).values()), sum(each.seconds for each in some)),
            _wrong(some),
        )
        for footage, some in sorted(groups.items())
    ]


_MADE_OF = {CaseKind.PHOTO: "photos", CaseKind.MANNEQUIN: "mannequins"}
_SHOWS = {
    Shown.LABEL: "reactions meant",
    Shown.LOOK_ALIKE: "look-alikes",
    Shown.ORDINARY: "ordinary people",
}


def condition_rows(verdicts: Sequence[CaseVerdict]) -> list[RecallRow]:
    """A row for each condition, and the same photos as they are first."""
    hard = [each for each in verdicts if each.case.condition in ROBUSTNESS]
    files = {each.case.file for each in hard}
    same = [
        each
        for each in verdicts
        if each.case.condition is Condition.PLAIN and each.case.file in files
    ]
    return recall_rows([*same, *hard], lambda each: each.case.condition.value, labels=False)


def _mean_row(
    group: str, verdicts: Sequence[CaseVerdict], person_of: Callable[[CaseVerdict], str]
) -> MeanRow:
    people = _by(verdicts, person_of)
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


def _condition_and_source(verdict: CaseVerdict) -> str:
    return f"{verdict.case.condition.value}, {verdict.case.source}"


def _wrong(verdicts: Iterable[CaseVerdict]) -> Counter[str]:
    started: Counter[str] = Counter()
    for each in verdicts:
        started.update(each.wrong_started)
    return started


def _by(
    verdicts: Iterable[CaseVerdict], key: Callable[[CaseVerdict], str]
) -> Mapping[str, Sequence[CaseVerdict]]:
    groups: dict[str, list[CaseVerdict]] = {}
    for each in verdicts:
        groups.setdefault(key(each), []).append(each)
    return groups


def to_json(summary: Summary) -> str:
    """``summary`` with the value and the interval of each share and rate."""
    return json.dumps(_plain(asdict(summary)), indent=1)


def _plain(value: object) -> object:
    if isinstance(value, dict):
        if value.keys() == {"hits", "of"}:
            share = Share(**value)
            return value | {"share": round(share.value, 4)} | _ends(share.interval)
        if value.keys() == {"count", "seconds"}:
            rate = HourlyRate(**value)
            return value | {"per_hour": round(rate.per_hour, 2)} | _ends(rate.interval)
        return {name: _plain(each) for name, each in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(each) for each in value]
    return round(value, 4) if isinstance(value, float) else value


def _ends(interval: Interval) -> dict[str, float]:
    return {"low": round(interval.low, 4), "high": round(interval.high, 4)}
