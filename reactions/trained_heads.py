"""Networks that score labels of the vocabulary in place of their rules, or beside them.

A head reads what one kind of landmarks says as numbers, and answers how much each of its labels is
there. ``sidecar model train`` makes them, a bundle (``reactions.bundle``) carries them in
``trained.json``, and numpy runs them.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from pathlib import Path
from types import MappingProxyType
from typing import Annotated, Final, TypeAlias

import numpy as np
import numpy.typing as npt
from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, model_validator

from config.errors import ModelError
from reactions.bundle_json import read_bundle_json
from reactions.geometry import Box
from reactions.gestures.context import Context, Scorer, SeenFace, Sighting
from reactions.gestures.expressions import FaceReading
from reactions.gestures.hand_classes import NONE
from reactions.gestures.motion_window import WINDOW_NUMBERS, read_window
from reactions.labels import LABELS, LabelSpec
from reactions.landmark_types import ModelFamily
from reactions.taught_labels import VIEW_SIZES, LandmarkView, Number, arms_vector

Vectors: TypeAlias = npt.NDArray[np.float32]
"""(n, numbers)"""

MAX_UNITS: Final = 64
"""Units of a head's hidden layer."""
_MAX_FILE: Final = 4 << 20
"""Bytes of ``trained.json``; a head has about 20,000."""


class HeadKind(StrEnum):
    """What a head reads."""

    BODY = "body"
    """Elbows, wrists and fingers of both arms by the shoulders."""
    FACE = "face"
    """Measures of the face mesh, and of the finer one where it was read."""
    MOTION = "motion"
    """The courses of hands and head over the last 1.6 seconds."""


class HeadMode(StrEnum):
    """What becomes of the rules of a head's labels."""

    REPLACE = "replace"
    JOIN = "join"
    """A score is the mean of the rule's and the head's."""


@dataclass(frozen=True, slots=True, eq=False)
class HeadReading:
    """What a head reads in one sample."""

    vector: npt.NDArray[np.float32]
    """(``HEAD_SIZES`` of the kind,)"""
    box: Box
    own: Mapping[str, Sighting] | None = None
    """Who shows each label, where labels are shown by different parts (scores are not set): a label
    that is left out can't be shown. None where all are shown by what ``box`` is around."""


def _read_body(context: Context) -> HeadReading | None:
    if context.arms is None:
        return None
    return HeadReading(arms_vector(context.arms), context.arms.box)


def _read_face(context: Context) -> HeadReading | None:
    return (
        None if context.face is None else HeadReading(face_vector(context.face), context.face.box)
    )


def _read_motion(context: Context) -> HeadReading | None:
    window = read_window(context)
    if window is None:
        return None
    own: dict[str, Sighting] = {}
    if (hand := window.hand) is not None:
        own["wave"] = Sighting(0.0, hand.box, hand.hand.side)
        own["clap"] = Sighting(0.0, Box.union(seen.box for seen in context.hands))
    if (face := window.head) is not None:
        own["nod"] = own["shake"] = Sighting(0.0, face.box)
    return HeadReading(window.vector, next(iter(own.values())).box, own)


def face_vector(seen: SeenFace) -> npt.NDArray[np.float32]:
    """A face as numbers: measures of the coarse mesh, those of the finer one and the eyes by the
    blendshapes, each with whether they were read; zeros where not. Angles in 90 degrees."""
    numbers = _measures(seen.reading)
    detail = seen.detail
    if detail is None:
        numbers += [0.0] * (_MEASURES + 3)
    else:
        numbers += [1.0, *_measures(detail.face), *detail.lids]
    blinks = None if detail is None else detail.blinks
    numbers += [0.0, 0.0, 0.0] if blinks is None else [1.0, *blinks]
    return np.array(numbers, np.float32)


def _measures(face: FaceReading) -> list[float]:
    angles = [face.yaw / 90, face.pitch / 90, face.roll / 90]
    mouth = [face.mouth_width, face.corner_drop, face.mouth_open, face.mouth_round]
    return [*angles, *mouth, face.brow_height, face.eye_open]


_MEASURES: Final = 9
BLINKS_READ: Final = slice(2 * _MEASURES + 3, 2 * _MEASURES + 6)
"""Where a face's vector has its blendshapes, which a server may not read."""
HEAD_SIZES: Final[Mapping[HeadKind, int]] = MappingProxyType(
    {
        HeadKind.BODY: VIEW_SIZES[LandmarkView.ARMS],
        HeadKind.FACE: 2 * _MEASURES + 6,
        HeadKind.MOTION: WINDOW_NUMBERS,
    }
)
"""Numbers of one reading, by kind."""
HEAD_LABELS: Final[Mapping[HeadKind, tuple[str, ...]]] = MappingProxyType(
    {
        HeadKind.BODY: ("arms_raised", "hands_on_head", "arms_crossed", "shrug"),
        HeadKind.FACE: ("smile", "laugh", "surprised", "yawn", "wink", "eyes_closed"),
        HeadKind.MOTION: ("wave", "clap", "nod", "shake"),
    }
)
"""The labels that each kind can tell apart, and the order of its answers."""
HEAD_FAMILIES: Final[Mapping[HeadKind, frozenset[ModelFamily]]] = MappingProxyType(
    {
        HeadKind.BODY: frozenset({ModelFamily.BODY, ModelFamily.FACE}),
        HeadKind.FACE: frozenset({ModelFamily.FACE, ModelFamily.FACE_DETAIL}),
        HeadKind.MOTION: frozenset(),
    }
)
"""The landmark models that each kind needs beside those of its labels' rules. Motions are learnt
with hands or head unread, too: a server reads no more than the enabled ones need."""
_READERS: Final[Mapping[HeadKind, Callable[[Context], HeadReading | None]]] = MappingProxyType(
    {HeadKind.BODY: _read_body, HeadKind.FACE: _read_face, HeadKind.MOTION: _read_motion}
)


def read_for_head(kind: HeadKind, context: Context) -> HeadReading | None:
    """What a head of ``kind`` reads in a sample; None where there is nothing to read."""
    return _READERS[kind](context)


class TrainedHead(BaseModel):
    """One hidden layer of rectified units, and an answer a label and for none of them."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    kind: HeadKind
    mode: HeadMode = HeadMode.REPLACE
    labels: tuple[str, ...]
    thresholds: dict[str, Annotated[float, Field(gt=0, le=1)]]
    hidden: tuple[tuple[Number, ...], ...]
    """(inputs + 1, units): weights, the biases last."""
    out: tuple[tuple[Number, ...], ...]
    """(units + 1, labels + 1): weights, the biases last; the last answer is none of the labels."""

    @model_validator(mode="after")
    def _fits(self) -> "TrainedHead":
        units = len(self.out) - 1
        sizes = {len(row) for row in self.hidden}
        if len(self.hidden) != HEAD_SIZES[self.kind] + 1:
            raise ValueError(f"was made for other features of a {self.kind}")
        if not 1 <= units <= MAX_UNITS or sizes != {units}:
            raise ValueError("layers do not fit each other")
        if {len(row) for row in self.out} != {len(self.labels) + 1}:
            raise ValueError("answers do not fit the labels")
        if not self.labels or self.labels != HEAD_LABELS[self.kind]:
            raise ValueError(f"labels are not those of a {self.kind}")
        if set(self.thresholds) != set(self.labels):
            raise ValueError("thresholds are not those of the labels")
        return self

    def scorer(self) -> Callable[[Vectors], Vectors]:
        """What gives the scores (n, labels + 1), 0–1, of vectors (n, inputs); rows sum up to 1."""
        hidden, out = np.array(self.hidden, np.float32), np.array(self.out, np.float32)

        def score(vectors: Vectors) -> Vectors:
            reached = np.maximum(vectors @ hidden[:-1] + hidden[-1], 0)
            values = reached @ out[:-1] + out[-1]
            grown = np.exp(values - values.max(axis=1, keepdims=True))
            return np.asarray(grown / grown.sum(axis=1, keepdims=True), np.float32)

        return score

    def specs(self, specs: Sequence[LabelSpec]) -> Iterator[LabelSpec]:
        """``specs``, those of its labels scored by it."""
        answer = self.scorer()
        for spec in specs:
            if spec.name not in self.labels:
                yield spec
                continue
            rule = spec.score if self.mode is HeadMode.JOIN else None
            at = self.labels.index(spec.name)
            score = _head_scorer(self, answer, at, rule)
            families = spec.families | HEAD_FAMILIES[self.kind]
            yield replace(spec, score=score, families=families)


def _head_scorer(
    head: TrainedHead, answer: Callable[[Vectors], Vectors], at: int, rule: Scorer | None
) -> Scorer:
    label = head.labels[at]

    def score(context: Context) -> Iterator[Sighting]:
        reading = read_for_head(head.kind, context)
        if reading is None:
            return
        shown = Sighting(0.0, reading.box) if reading.own is None else reading.own.get(label)
        if shown is None:
            return
        value = float(answer(reading.vector[None])[0, at])
        if rule is not None:
            value = (value + max((seen.score for seen in rule(context)), default=0.0)) / 2
        yield replace(shown, score=value)

    return score


def with_heads(specs: Sequence[LabelSpec], heads: Sequence[TrainedHead]) -> tuple[LabelSpec, ...]:
    """``specs``, scored by ``heads`` where these know a label."""
    for head in heads:
        specs = tuple(head.specs(specs))
    return tuple(specs)


def head_families(labels: frozenset[str], heads: Sequence[TrainedHead]) -> frozenset[ModelFamily]:
    """The landmark models that ``heads`` need for those of ``labels`` that they score."""
    needed = (HEAD_FAMILIES[head.kind] for head in heads if labels.intersection(head.labels))
    return frozenset[ModelFamily]().union(*needed)


_HEADS: Final = TypeAdapter(Annotated[tuple[TrainedHead, ...], Field(max_length=len(HeadKind))])


def read_heads(path: Path) -> tuple[TrainedHead, ...]:
    """The heads in ``path``; raises ModelError that says in one line what is wrong."""
    heads = read_bundle_json(_HEADS, path, limit=_MAX_FILE, do="train it again")
    kinds = [head.kind for head in heads]
    if len(set(kinds)) < len(kinds):
        raise ModelError("holds two heads of a kind", where=str(path), do="train it again")
    return heads


def write_heads(heads: Sequence[TrainedHead], path: Path) -> None:
    """Write ``heads`` for ``read_heads``."""
    path.write_bytes(_HEADS.dump_json(tuple(heads)) + b"\n")


def rule_scores(kind: HeadKind, context: Context) -> list[float]:
    """What the rules give for the labels of ``kind``, in their order."""
    scores = (LABELS[label].score(context) for label in HEAD_LABELS[kind])
    return [max((seen.score for seen in found), default=0.0) for found in scores]


def head_classes(kind: HeadKind) -> tuple[str, ...]:
    """The labels of ``kind``, and none of them."""
    return (*HEAD_LABELS[kind], NONE)
