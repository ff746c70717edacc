"""What is wrong in a data set: leaks, near-duplicates, bad boxes, labels that are rare."""

from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

import numpy as np

from reactions.datasets.look import alike_rows
from reactions.datasets.records import PictureRecord, Split
from reactions.datasets.store import Dataset

TINY: Final = 0.02
"""Share of the picture's longer side below which a box is tiny: 13 pixels of a sample's 640."""
IMBALANCE: Final = 10
"""How many times as often the commonest label may be shown as another."""


class FindingKind(StrEnum):
    """What a finding is about."""

    LEAK = "leak"
    DUPLICATE = "near-duplicate"
    MISSING = "missing file"
    OUTSIDE = "box outside"
    TINY = "tiny box"
    RARE = "imbalance"
    UNTESTED = "untested label"
    DOUBTED = "doubted label"


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that is wrong, and where."""

    kind: FindingKind
    what: str


def check_dataset(dataset: Dataset) -> Iterator[Finding]:
    """All that is wrong, leaks first."""
    records = list(dataset.records.values())
    yield from _leaks(records)
    yield from _alike(records)
    for record in records:
        if not dataset.path(record).is_file():
            yield Finding(FindingKind.MISSING, f"{record.name}: {record.file}")
        yield from _bad_boxes(record)
    yield from _imbalance(records)


def _leaks(records: Sequence[PictureRecord]) -> Iterator[Finding]:
    splits: dict[tuple[str, str], set[Split]] = defaultdict(set)
    for record in records:
        for kind, name in (("person", record.origin.person), ("source", record.origin.source)):
            if name and record.split:
                splits[kind, name].add(record.split)
    for (kind, name), found in splits.items():
        if len(found) > 1:
            yield Finding(FindingKind.LEAK, f"{kind} {name!r} is in {' and '.join(sorted(found))}")


def _alike(records: Sequence[PictureRecord]) -> Iterator[Finding]:
    """Each picture once with one that it looks like, and once with one of another split."""
    splits = np.array([record.split.value for record in records])
    listed, leaked = np.zeros(len(records), bool), np.zeros(len(records), bool)
    for index, others in alike_rows([int(record.look, 16) for record in records]):
        known = (splits[others] != "") & (splits[index] != "")
        across = known & (splits[others] != splits[index])
        leaks = others[across & ~leaked[others]]
        twins = others[~across & ~listed[others]]
        leaked[leaks] = listed[twins] = True
        for other in map(int, leaks):
            what = f"{records[index].name} and {records[other].name} look alike and are in"
            both = sorted((records[index].split, records[other].split))
            yield Finding(FindingKind.LEAK, f"{what} {' and '.join(both)}")
        for other in map(int, twins):
            what = f"{records[index].name} and {records[other].name} look alike"
            yield Finding(FindingKind.DUPLICATE, what)


def _bad_boxes(record: PictureRecord) -> Iterator[Finding]:
    for box in record.boxes:
        where = f"{record.name}: {box.label} at {box.left:.0f},{box.top:.0f}"
        outside = box.right > record.width + 1 or box.bottom > record.height + 1
        if outside or box.width <= 0 or box.height <= 0:
            yield Finding(FindingKind.OUTSIDE, where)
        elif max(box.width, box.height) < TINY * max(record.width, record.height):
            yield Finding(FindingKind.TINY, f"{where}, {box.width:.0f}x{box.height:.0f} pixels")


def _imbalance(records: Sequence[PictureRecord]) -> Iterator[Finding]:
    counts = Counter(label for record in records for label in record.shown)
    most = max(counts.values(), default=0)
    for label, count in sorted(counts.items()):
        if count * IMBALANCE < most:
            yield Finding(FindingKind.RARE, f"{label} {count} times, the commonest {most} times")
    used = {record.split for record in records if record.split}
    for label in sorted(counts):
        shown = {record.split for record in records if label in record.shown}
        for split in sorted(used - shown):
            yield Finding(FindingKind.UNTESTED, f"{label} is not in {split}")
