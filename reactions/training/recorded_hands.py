"""Hands that people recorded as landmarks, with what each shows and whose it is: one ``.npz``."""

from dataclasses import dataclass
from pathlib import Path
from typing import Self

import numpy as np
import numpy.typing as npt

from config.errors import ModelError
from reactions.gestures.features import Landmarks
from reactions.training.array_errors import UNREADABLE_ARRAYS

PEOPLES_HANDS = Path(__file__).with_name("data") / "people.npz"
"""Hands of 80 people under Apache-2.0 and MIT; ``people-sources.csv`` beside it names them."""
_ARRAYS = ("points", "label", "labels", "near", "nears", "source", "sources")
_FORMAT = "docs/training.md has the format"
_INDEX_KNUCKLE, _LITTLE_KNUCKLE = 5, 17


def _in_plane(points: npt.NDArray[np.generic]) -> Landmarks:
    """``points`` (n, 21, 2 or 3) as numbers, without depth; another form stays for the check.

    Raises TypeError for what is no array of numbers.
    """
    if points.dtype.kind not in "fiu":
        raise TypeError(f"points are {points.dtype}")
    plane = points[:, :, :2] if points.shape[1:] == (21, 3) else points
    return plane.astype(np.float32)


def require_checkout(path: Path = PEOPLES_HANDS) -> None:
    """Raise ModelError where the hands that learning needs are not installed, as in a wheel."""
    if path.parent == PEOPLES_HANDS.parent and not path.parent.is_dir():
        do = "run it in a checkout of the repository: make .venv/.run, then .venv/bin/sidecar model"
        raise ModelError(
            "the hands that it learns from are not in the wheel", where="learning", do=do
        )


@dataclass(frozen=True, slots=True)
class RecordedHands:
    """Hands (n) by index into ``labels``, ``nears`` and ``sources``.

    A source is one person as far as is known. No depth, no side: the programs that recorded them
    kept neither.
    """

    points: Landmarks
    """(n, 21, 2), x right, y down, of a mirrored webcam picture; the unit differs by hand."""
    label: npt.NDArray[np.int64]
    near: npt.NDArray[np.int64]
    """A shape that the hand resembles so much that firing it is no mistake."""
    source: npt.NDArray[np.int64]
    labels: tuple[str, ...]
    nears: tuple[str, ...]
    """Names of ``near``; '' for none."""
    sources: tuple[str, ...]

    @classmethod
    def load(cls, path: Path) -> Self:
        """The hands in ``path``, an ``.npz`` with the arrays named as here.

        Raises ModelError naming the file and what is wrong with it.
        """
        require_checkout(path)
        try:
            with path.open("rb") as file, np.load(file) as saved:
                missing = [name for name in _ARRAYS if name not in saved.files]
                if missing:
                    raise ModelError(f"lacks {', '.join(missing)}", where=str(path), do=_FORMAT)
                hands = cls(
                    _in_plane(saved["points"]),
                    saved["label"].astype(np.int64),
                    saved["near"].astype(np.int64),
                    saved["source"].astype(np.int64),
                    tuple(saved["labels"].tolist()),
                    tuple(saved["nears"].tolist()),
                    tuple(saved["sources"].tolist()),
                )
        except UNREADABLE_ARRAYS as error:
            missing_file = isinstance(error, FileNotFoundError)
            what = "there is no such file" if missing_file else "no recorded hands"
            raise ModelError(what, where=str(path), do=_FORMAT) from error
        hands._check(path)
        return hands

    def _check(self, path: Path) -> None:
        count = len(self.points) if self.points.ndim else 0
        if self.points.shape[1:] != (21, 2) or not np.isfinite(self.points).all():
            what = "points must be finite, (n, 21, 2), or (n, 21, 3) of which the depth is not read"
            raise ModelError(what, where=str(path))
        for name, values, names in (
            ("label", self.label, self.labels),
            ("near", self.near, self.nears),
            ("source", self.source, self.sources),
        ):
            inside = (values >= 0) & (values < len(names))
            if values.shape != (count,) or not inside.all():
                what = f"{name} must hold {count} indices into its {len(names)} names"
                raise ModelError(what, where=str(path))

    @property
    def left(self) -> npt.NDArray[np.bool_]:
        """(n,): which hands look like left ones, taking each for a palm.

        The knuckles of index and little finger go round the wrist one way in a left palm's picture,
        the other way in a right one's. A back of a hand is taken for the other hand's palm.
        """
        index = self.points[:, _INDEX_KNUCKLE] - self.points[:, 0]
        little = self.points[:, _LITTLE_KNUCKLE] - self.points[:, 0]
        turn = index[:, 0] * little[:, 1] - index[:, 1] * little[:, 0]
        return np.asarray(turn > 0)

    def pick(self, which: npt.NDArray[np.bool_] | npt.NDArray[np.int64]) -> "RecordedHands":
        """The hands that ``which`` marks or lists."""
        return RecordedHands(
            self.points[which],
            self.label[which],
            self.near[which],
            self.source[which],
            self.labels,
            self.nears,
            self.sources,
        )
