"""All tables of an evaluation, and their JSON."""

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass

from reactions.training.evaluation.aims import Aim, aims
from reactions.training.evaluation.breakdowns import LabelRow, SourceRow, label_rows, source_rows
from reactions.training.evaluation.cases import MANNEQUINS, CaseKind
from reactions.training.evaluation.clips import ClipRow, clip_rows
from reactions.training.evaluation.conditions import NEAR_HANDS, Condition
from reactions.training.evaluation.intervals import HourlyRate, Interval, Share
from reactions.training.evaluation.rows import (
    ConditionRow,
    FireRow,
    FootageRow,
    MeanRow,
    RecallRow,
    condition_and_source,
    condition_rows,
    fire_row,
    fire_rows,
    footage_rows,
    grouped,
    mean_row,
    recall_rows,
)
from reactions.training.evaluation.verdicts import CaseVerdict
from reactions.training.label_names import Shown


@dataclass(frozen=True, slots=True)
class Summary:
    """All tables of one evaluation."""

    cases: int
    aims: Sequence[Aim]
    labels: Sequence[LabelRow]
    sources: Sequence[SourceRow]
    recall: Sequence[RecallRow]
    means: Sequence[MeanRow]
    fires: Sequence[FireRow]
    footage: Sequence[FootageRow]
    clips: Sequence[ClipRow]
    conditions: Sequence[ConditionRow]
    near: Sequence[RecallRow]
    tones: Sequence[RecallRow]
    """Of mannequins, by the Monk scale, and of photos, by what appears in them."""
    tone_fires: Sequence[FireRow]


def summarize(verdicts: Sequence[CaseVerdict]) -> Summary:
    """The tables of ``verdicts``."""
    plain = [each for each in verdicts if each.case.condition is Condition.PLAIN]
    still = [each for each in plain if each.case.kind is not CaseKind.CLIP]
    shown = [each for each in still if each.case.meaning.shown is Shown.LABEL]
    nothing = [each for each in still if each.case.meaning.shown is not Shown.LABEL]
    photos = [each for each in shown if each.case.source != MANNEQUINS]
    drawn = [each for each in shown if each.case.source == MANNEQUINS]
    near = [each for each in verdicts if each.case.condition in NEAR_HANDS]
    return Summary(
        cases=len(verdicts),
        aims=aims(verdicts),
        labels=label_rows(shown),
        sources=source_rows(photos),
        recall=recall_rows(shown, lambda each: each.case.source),
        means=[
            mean_row("photos, by source", photos, lambda each: each.case.source),
            mean_row("mannequins, by skin tone", drawn, lambda each: str(each.case.tone)),
        ],
        fires=fire_rows(nothing),
        footage=footage_rows(plain),
        clips=clip_rows(plain),
        conditions=condition_rows(verdicts),
        near=[
            *recall_rows(near, condition_and_source, labels=False),
            *recall_rows(near, lambda each: each.case.condition.value, labels=False),
        ],
        tones=[
            *recall_rows(sorted(drawn, key=_tone), _monk, labels=False),
            *recall_rows(_toned(photos), _apparent, labels=False),
        ],
        tone_fires=[
            fire_row(tone, kind, some)
            for tone, members in grouped(_toned(nothing), _apparent).items()
            for kind, some in grouped(members, _kind).items()
        ],
    )


def _tone(verdict: CaseVerdict) -> int:
    return verdict.case.tone


def _monk(verdict: CaseVerdict) -> str:
    return f"mannequins, Monk {verdict.case.tone + 1}"


def _toned(verdicts: Sequence[CaseVerdict]) -> list[CaseVerdict]:
    known = [each for each in verdicts if each.tone is not None]
    return sorted(known, key=_apparent, reverse=True)


def _apparent(verdict: CaseVerdict) -> str:
    return f"photos, {verdict.tone}"


def _kind(verdict: CaseVerdict) -> str:
    return "look-alikes" if verdict.case.meaning.shown is Shown.LOOK_ALIKE else "ordinary people"


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
