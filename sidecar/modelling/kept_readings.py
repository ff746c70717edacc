"""Readings of many sources, kept part by part so that a run that was ended reads none again."""

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Final, Protocol, TypeVar

import numpy as np
import numpy.typing as npt

from config.errors import PictureError
from reactions.trained_heads import HEAD_LABELS, HEAD_SIZES
from reactions.training.array_errors import UNREADABLE_ARRAYS
from reactions.training.checkpoints import write_array
from reactions.training.head_network import HeadExamples, HeadPlan

_PART: Final = 25
"""Sources whose readings are kept together."""


class ReadingSource(Protocol):
    """What readings are made of."""

    @property
    def label(self) -> str:
        """What it shows."""
        ...

    @property
    def person(self) -> str:
        """Whose it is."""
        ...


S = TypeVar("S", bound=ReadingSource)
RowsOf = Callable[[S], Iterator[list[float]]]
"""The readings of one source: class, the rules' scores, and the vector, in one list each; raises
PictureError for one that can't be read."""


def collect_readings(
    plan: HeadPlan,
    sources: Sequence[S],
    rows_of: RowsOf[S],
    cache: Path,
    move: Callable[[float, str], None] = lambda share, what: None,
) -> HeadExamples:
    """The readings of all ``sources``; one that can't be read is left out.

    What an earlier run read is taken from ``cache``.
    """
    cache.mkdir(parents=True, exist_ok=True)
    rows: list[npt.NDArray[np.float32]] = []
    people: list[str] = []
    for start in range(0, len(sources), _PART):
        move(start / len(sources), f"{start} of {len(sources)}")
        part = sources[start : start + _PART]
        found, whose = _read_part(plan, rows_of, part, cache / f"{start:06d}.npz")
        rows.append(found)
        people += [part[int(at)].person for at in whose]
    labels = len(HEAD_LABELS[plan.kind])
    both = np.concatenate(rows) if rows else np.zeros((0, 1 + labels), np.float32)
    return HeadExamples(
        plan.kind,
        both[:, 1 + labels :],
        both[:, 0].astype(np.int64),
        np.array(people, np.str_),
        both[:, 1 : 1 + labels],
    )


def _read_part(
    plan: HeadPlan, rows_of: RowsOf[S], part: Sequence[S], file: Path
) -> tuple[npt.NDArray[np.float32], Sequence[int]]:
    """The rows of these sources, and of which source each is."""
    key = f"{plan.kind} {plan.seed} {[(one.label, one.person) for one in part]}"
    width = 1 + len(HEAD_LABELS[plan.kind]) + HEAD_SIZES[plan.kind]
    try:
        with file.open("rb") as opened, np.load(opened) as kept:
            if str(kept["key"]) == key and kept["rows"].shape[1:] == (width,):
                return kept["rows"].astype(np.float32), kept["whose"].tolist()
    except UNREADABLE_ARRAYS:
        pass
    rows: list[list[float]] = []
    whose: list[int] = []
    for at, source in enumerate(part):
        try:
            found = list(rows_of(source))
        except PictureError:
            continue
        rows += found
        whose += [at] * len(found)
    both = np.array(rows, np.float32).reshape(-1, width)
    arrays = {"key": np.array(key), "rows": both, "whose": np.array(whose, np.int64)}
    write_array(file, arrays)
    return both, whose
