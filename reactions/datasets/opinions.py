"""What the recogniser sees in the pictures of a data set: boxes to propose, and labels it doubts.

An opinion is kept in ``cache/opinions.jsonl`` of the data set, a line a picture, so that a run that
was interrupted goes on. It belongs to one recogniser: another one's lines are left out.
"""

from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Final, TypeAlias

from pydantic import Field, TypeAdapter, ValidationError

from reactions.datasets.records import Coordinate, LabelledBox, PictureRecord
from reactions.datasets.store import CACHE, Dataset, whole_file
from reactions.geometry import Box
from reactions.labels import LabelScore
from reactions.pipeline import Detection
from reactions.training.label_names import meaning_of

HAND: Final = "hand"
FACE: Final = "face"
_SAME: Final = 0.6
"""Intersection over union from which two proposals are of the same thing."""
_MOST: Final = 50
"""Proposals for one picture."""


@dataclass(frozen=True, slots=True)
class ProposedBox:
    """What the recogniser sees, and where in pixels of the upright picture.

    ``label`` is empty for a hand or face that shows none; ``part`` is ``hand``, ``face`` or empty;
    ``score`` is 0–1.
    """

    label: Annotated[str, Field(max_length=200)]
    left: Coordinate
    top: Coordinate
    right: Coordinate
    bottom: Coordinate
    score: Annotated[float, Field(ge=0, le=1)]
    part: str = ""


@dataclass(frozen=True, slots=True)
class ModelOpinion:
    """What the recogniser called ``model`` sees in the picture ``file``."""

    file: str
    model: str
    proposed: tuple[ProposedBox, ...] = ()


@dataclass(frozen=True, slots=True)
class Doubt:
    """A label of a picture that the recogniser does not see there.

    ``index`` is that of the box, -1 for a label of the whole picture; ``seen`` is what it sees in
    place of it with ``score``, empty for nothing.
    """

    label: str
    index: int
    seen: str = ""
    score: float = 0.0

    def __str__(self) -> str:
        sees = f"sees {self.seen} ({self.score:.0%})" if self.seen else "sees none there"
        return f"{self.label}: the model {sees}"


PictureJudge: TypeAlias = Callable[[PictureRecord, Path], ModelOpinion]
"""Looks at a picture; raises PictureError where it can't be read."""

_OPINIONS = TypeAdapter(ModelOpinion)


def opinion_of(
    record: PictureRecord, model: str, detection: Detection, thresholds: Mapping[str, float]
) -> ModelOpinion:
    """The opinion that ``detection`` is; labels count from ``thresholds``, others are left out.

    Of several labels for one thing the best is proposed. Hands and faces without a label follow.
    """
    chosen: list[ProposedBox] = []
    for score in detection.scores:
        if score.score >= thresholds.get(score.label, 2.0):
            _add(chosen, _proposed(record, score.box, score.score, score.label, _part(score)))
    for box, presence, part in _parts(detection):
        _add(chosen, _proposed(record, box, presence, "", part))
    return ModelOpinion(record.file, model, tuple(chosen[:_MOST]))


def _part(score: LabelScore) -> str:
    return "" if score.hand is None else HAND


def _parts(detection: Detection) -> Iterator[tuple[Box, float, str]]:
    found = detection.landmarks
    for hand in () if found is None else found.hands:
        xs, ys = [point[0] for point in hand.points], [point[1] for point in hand.points]
        box = Box(min(xs), min(ys), max(xs) - min(xs), max(ys) - min(ys))
        yield box, hand.presence, HAND
    for face in (detection.face, *detection.other_faces):
        if face is not None:
            yield face, 1.0, FACE


def _proposed(record: PictureRecord, box: Box, score: float, label: str, part: str) -> ProposedBox:
    inside, width, height = box.clipped(), record.width, record.height
    return ProposedBox(
        label,
        round(inside.x * width, 1),
        round(inside.y * height, 1),
        round((inside.x + inside.width) * width, 1),
        round((inside.y + inside.height) * height, 1),
        round(min(max(score, 0.0), 1.0), 4),
        part,
    )


def _add(chosen: list[ProposedBox], box: ProposedBox) -> None:
    """Add ``box`` unless it has no area, or is of something that is proposed already."""
    empty = box.right - box.left < 1 or box.bottom - box.top < 1
    if not empty and all(_overlap(box, other) < _SAME for other in chosen):
        chosen.append(box)


AnyBox: TypeAlias = ProposedBox | LabelledBox


def _overlap(one: AnyBox, other: AnyBox) -> float:
    """Intersection over union, 0–1."""
    across = min(one.right, other.right) - max(one.left, other.left)
    down = min(one.bottom, other.bottom) - max(one.top, other.top)
    shared = max(across, 0.0) * max(down, 0.0)
    whole = _area(one) + _area(other) - shared
    return shared / whole if whole > 0 else 0.0


def _area(box: AnyBox) -> float:
    return (box.right - box.left) * (box.bottom - box.top)


def _at(one: AnyBox, other: AnyBox) -> bool:
    """Whether the middle of either box is in the other: people draw boxes loosely."""
    return _holds(one, other) or _holds(other, one)


def _holds(outer: AnyBox, inner: AnyBox) -> bool:
    x, y = (inner.left + inner.right) / 2, (inner.top + inner.bottom) / 2
    return outer.left <= x <= outer.right and outer.top <= y <= outer.bottom


def doubts_of(
    record: PictureRecord, opinion: ModelOpinion, judged: Collection[str]
) -> tuple[Doubt, ...]:
    """The labels of ``record`` among ``judged`` that ``opinion`` does not share.

    Labels that the recogniser does not know can't be judged.
    """
    found = [
        _doubt(box.label, index, [p for p in opinion.proposed if _at(p, box)])
        for index, box in enumerate(record.boxes)
        if box.label in judged
    ]
    found += [_doubt(one, -1, opinion.proposed) for one in record.labels if one in judged]
    return tuple(doubt for doubt in found if doubt is not None)


def _doubt(label: str, index: int, seen: Collection[ProposedBox]) -> Doubt | None:
    right = meaning_of(label).right
    named = [box for box in seen if box.label]
    if any(box.label in right for box in named):
        return None
    best = max(named, key=lambda box: box.score, default=None)
    return Doubt(label, index) if best is None else Doubt(label, index, best.label, best.score)


class OpinionFile:
    """The opinions of ``model`` on the pictures of ``dataset`` that were asked for before.

    Lines of other models, of pictures that were deleted, and broken ones are dropped.
    """

    def __init__(self, dataset: Dataset, model: str) -> None:
        self._path = dataset.folder / CACHE / "opinions.jsonl"
        self._model = model
        self._known: dict[str, ModelOpinion] = {}
        lines = self._path.read_bytes().splitlines() if self._path.is_file() else []
        for line in lines:
            try:
                opinion = _OPINIONS.validate_json(line)
            except ValidationError:
                continue
            if opinion.model == model and opinion.file in dataset.records:
                self._known[opinion.file] = opinion
        self._stale = len(lines) != len(self._known)

    def get(self, file: str) -> ModelOpinion | None:
        """The opinion on the picture ``file``; None where it was not looked at."""
        return self._known.get(file)

    def put(self, opinion: ModelOpinion) -> None:
        """Keep ``opinion``, on disk as well."""
        self._known[opinion.file] = opinion
        self._path.parent.mkdir(exist_ok=True)
        if self._stale:
            with whole_file(self._path) as partial:
                partial.write_bytes(b"".join(map(_line, self._known.values())))
            self._stale = False
            return
        with self._path.open("ab") as file:
            file.write(_line(opinion))


def _line(opinion: ModelOpinion) -> bytes:
    return _OPINIONS.dump_json(opinion, exclude_defaults=True) + b"\n"
