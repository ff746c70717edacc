"""Divide pictures over training, validation and test, so that no person is on two sides."""

import hashlib
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from config.errors import DatasetError
from reactions.datasets.look import alike_rows
from reactions.datasets.records import PictureRecord, Split


@dataclass(frozen=True, slots=True)
class SplitShares:
    """Shares of the pictures, 0–1 each, for validation and test; training gets the rest."""

    validation: float = 0.0
    test: float = 0.2

    def __post_init__(self) -> None:
        if min(self.validation, self.test) < 0 or self.validation + self.test >= 1:
            what = "shares must be 0 or more, and leave something for training"
            raise DatasetError(what, where="dataset split", do="use --test 0.2 --validation 0.1")

    @property
    def of(self) -> Mapping[Split, float]:
        """The share of each split that gets pictures, training first."""
        train = 1 - self.validation - self.test
        shares = {Split.TRAIN: train, Split.VALIDATION: self.validation, Split.TEST: self.test}
        return {split: share for split, share in shares.items() if share}


def split_pictures(
    records: Sequence[PictureRecord], shares: SplitShares, seed: int = 0
) -> Mapping[str, Split]:
    """The split of each picture, by its ``file``.

    Pictures of one person, of one source, or that look alike stay together. Groups are placed one
    by one, the largest first, where their labels are missing most: so labels are divided as
    pictures are. The same records and seed give the same splits. Raises DatasetError for pictures
    that all stay together.
    """
    groups = picture_groups(records)
    wanted = shares.of
    if len(groups) < len(wanted):
        what = f"the number of groups by person, source and look is {len(groups)}"
        do = f"{len(wanted)} are needed: add pictures of other people"
        raise DatasetError(what, where="dataset split", do=do)
    groups.sort(key=lambda group: (-len(group), _drawn(group, seed)))
    totals = Counter(label for record in records for label in _counted(record))
    placed: dict[Split, Counter[str]] = {split: Counter() for split in wanted}
    splits: dict[str, Split] = {}
    for left, group in zip(range(len(groups), 0, -1), groups, strict=True):
        labels = Counter(label for record in group for label in _counted(record))
        empty = [split for split in wanted if not placed[split]]
        # The last groups go to splits that have none yet.
        among = empty if len(empty) >= left else list(wanted)

        def missing(split: Split, labels: Counter[str] = labels) -> float:
            return sum(
                count * (wanted[split] - placed[split][label] / totals[label])
                for label, count in labels.items()
            )

        best = max(among, key=missing)
        placed[best] += labels
        splits |= {record.file: best for record in group}
    return splits


def _counted(record: PictureRecord) -> tuple[str, ...]:
    """The labels of a picture, and one that every picture has."""
    return (*record.shown, "")


def _drawn(group: Sequence[PictureRecord], seed: int) -> bytes:
    first = min(record.file for record in group)
    return hashlib.sha256(f"{seed} {first}".encode()).digest()


def picture_groups(records: Sequence[PictureRecord]) -> list[list[PictureRecord]]:
    """Pictures that belong together: of one person, of one source, or near-duplicates."""
    group = np.arange(len(records))

    def join(index: int, others: NDArray[np.intp]) -> None:
        joined = np.append(group[others], group[index])
        group[np.isin(group, joined)] = group[index]

    for index, others in alike_rows([int(record.look, 16) for record in records]):
        join(index, others)
    for indices in _same(records):
        join(indices[0], np.array(indices))
    groups: dict[int, list[PictureRecord]] = defaultdict(list)
    for number, record in zip(group.tolist(), records, strict=True):
        groups[number].append(record)
    return list(groups.values())


def _same(records: Sequence[PictureRecord]) -> Iterable[list[int]]:
    """The indices of each person's pictures, and of each source's."""
    found: dict[tuple[str, str], list[int]] = defaultdict(list)
    for index, record in enumerate(records):
        for kind, name in (("person", record.origin.person), ("source", record.origin.source)):
            if name:
                found[kind, name].append(index)
    return found.values()
