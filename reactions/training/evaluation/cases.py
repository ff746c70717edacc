"""What is looked at: each photo, clip and mannequin under a condition."""

import random
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum

from reactions.labels import LABELS, Group
from reactions.mannequin import LOOKALIKES, POSES
from reactions.training.evaluation.conditions import NEAR_HANDS, ROBUSTNESS, Condition
from reactions.training.label_names import Meaning, meaning_of
from reactions.training.photos import Photo
from reactions.training.scored_photos import is_scored, relabelled

MANNEQUINS = "mannequins"
_TONES = range(10)
_NEAR_PER_LABEL = 3
"""Near hands of each source and label."""
_HARD_PER_LABEL = 2
"""Photos of each source and label that are seen under each condition of ``ROBUSTNESS``."""
_ALIKE_TONES = (1, 4, 8)
_HAND_LABELS = frozenset(name for name, spec in LABELS.items() if spec.group is Group.HAND)


class CaseKind(StrEnum):
    """What a case is made of."""

    PHOTO = "image"
    CLIP = "video"
    MANNEQUIN = "mannequin"


@dataclass(frozen=True, slots=True)
class Case:
    """One photo, clip or mannequin, seen under one condition."""

    source: str
    name: str
    """What the index calls it; of a mannequin its pose, a look-alike's with ``neg_`` before it."""
    kind: CaseKind
    file: str = ""
    condition: Condition = Condition.PLAIN
    tone: int = 0
    """Of a mannequin's skin, 0–9 on the Monk scale."""

    @property
    def key(self) -> str:
        """Tells it from all others."""
        where = self.file or f"{self.name} {self.tone}"
        return f"{self.kind.value} {self.condition.value} {where}"

    @property
    def meaning(self) -> Meaning:
        """What it shows."""
        return meaning_of(self.name)

    @property
    def photo(self) -> Photo:
        """The row of the index that it comes from."""
        return Photo(self.source, self.name, self.file, self.kind.value)


def all_cases(
    index: Sequence[Photo],
    *,
    conditions: Collection[Condition] = tuple(Condition),
    sample: int | None = None,
    seed: int = 0,
) -> list[Case]:
    """Every case of ``index`` and the mannequins under ``conditions``; of them ``sample`` at most,
    drawn by ``seed``.

    Photos that nothing is scored on are left out.
    """
    plain = [case for row in index if (case := _case(row)) is not None]
    photos = [case for case in plain if case.kind is CaseKind.PHOTO]
    hands = [case for case in photos if case.meaning.label in _HAND_LABELS]
    every = [
        *plain,
        *_under(NEAR_HANDS, _some(hands, _NEAR_PER_LABEL, seed)),
        *_under(ROBUSTNESS, _some(hands, _HARD_PER_LABEL, seed + 1)),
        *_mannequins(),
    ]
    cases = [case for case in every if case.condition in conditions]
    if sample is None or sample >= len(cases):
        return cases
    chosen = sorted(random.Random(seed).sample(range(len(cases)), sample))  # noqa: S311
    return [cases[i] for i in chosen]


def _case(row: Photo) -> Case | None:
    if row.kind not in (CaseKind.PHOTO, CaseKind.CLIP):
        return None
    photo, kind = relabelled(row), CaseKind(row.kind)
    if kind is not CaseKind.CLIP and not is_scored(photo):
        return None
    return Case(photo.source, photo.label, kind, photo.file)


def _under(conditions: Iterable[Condition], cases: Sequence[Case]) -> Iterator[Case]:
    for condition in conditions:
        for case in cases:
            yield Case(case.source, case.name, case.kind, case.file, condition)


def _some(cases: Sequence[Case], most: int, seed: int) -> list[Case]:
    """At most ``most`` of each source and label."""
    groups: dict[tuple[str, str], list[Case]] = {}
    for case in cases:
        groups.setdefault((case.source, case.name), []).append(case)
    draw = random.Random(seed)  # noqa: S311
    return [
        case
        for group in groups.values()
        for case in (group if len(group) <= most else draw.sample(group, most))
    ]


def _mannequins() -> Iterator[Case]:
    for pose in POSES:
        if pose in LABELS and LABELS[pose].group is not Group.PRESENCE and pose != "neutral":
            for tone in _TONES:
                yield Case(MANNEQUINS, pose, CaseKind.MANNEQUIN, tone=tone)
    for pose in LOOKALIKES:
        for tone in _ALIKE_TONES:
            yield Case(MANNEQUINS, f"neg_{pose}", CaseKind.MANNEQUIN, tone=tone)
