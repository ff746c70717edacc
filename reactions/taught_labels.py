"""Labels that users teach: a small network a label, beside a hand classifier that stays as it is.

A network reads what one view of a sample says as numbers and answers how much it looks like its
label. ``reactions.training.teach`` makes them, a bundle (``reactions.bundle``) carries them, and
numpy runs them.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from types import MappingProxyType
from typing import Annotated, ClassVar, Final, TypeAlias

import numpy as np
import numpy.typing as npt
from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, model_validator

from config.errors import ModelError
from config.reaction_rule import ReactionRule
from reactions.bundle_json import read_bundle_json
from reactions.bundle_label import BundleLabel
from reactions.geometry import Box
from reactions.gestures.arms import ArmsReading
from reactions.gestures.context import Context, Scorer, Sighting
from reactions.gestures.features import FEATURES
from reactions.labels import LABELS, Group, LabelSpec
from reactions.landmark_types import ModelFamily, Side

MAX_TAUGHT: Final = 32
"""Taught labels of one bundle."""
MAX_HIDDEN: Final = 64
"""Units of a network's hidden layer."""
Vector: TypeAlias = npt.NDArray[np.float32]
Number = Annotated[float, Field(ge=-1e6, le=1e6, allow_inf_nan=False)]
"""A weight. Larger ones overflow float32, and have no meaning."""


class LandmarkView(StrEnum):
    """What of a sample a taught label is read from."""

    HAND = "hand"
    """The shape of one hand."""
    HAND_AT_FACE = "hand_at_face"
    """The shape of one hand and where its palm is by the face."""
    ARMS = "arms"
    """Elbows, wrists and fingers of both arms by the shoulders."""


@dataclass(frozen=True, slots=True, eq=False)
class ViewReading:
    """One hand, or both arms, as a view reads it."""

    vector: Vector
    """(``VIEW_SIZES`` of the view,)"""
    box: Box
    hand: Side | None


def _read_hands(context: Context) -> Iterator[ViewReading]:
    for seen in context.hands:
        yield ViewReading(seen.features, seen.box, seen.hand.side)


def _read_hands_at_face(context: Context) -> Iterator[ViewReading]:
    for seen in context.hands:
        if seen.place is not None:
            x, y = seen.place.palm
            # As a right hand, like the shape.
            place = np.array([-x if seen.hand.side is Side.LEFT else x, y], np.float32)
            yield ViewReading(np.concatenate([seen.features, place]), seen.box, seen.hand.side)


def _read_arms(context: Context) -> Iterator[ViewReading]:
    if context.arms is not None:
        yield ViewReading(arms_vector(context.arms), context.arms.box, None)


def arms_vector(reading: ArmsReading) -> Vector:
    """Both arms as numbers, the person's left first; see ``ArmsReading`` for units."""
    numbers = [reading.nose]
    for arm in reading.both:
        numbers += [*arm.elbow, *arm.wrist, *arm.fingers, arm.elbow_seen, arm.wrist_seen]
    return np.array(numbers, np.float32)


_READERS: Final[Mapping[LandmarkView, Callable[[Context], Iterator[ViewReading]]]] = (
    MappingProxyType(
        {
            LandmarkView.HAND: _read_hands,
            LandmarkView.HAND_AT_FACE: _read_hands_at_face,
            LandmarkView.ARMS: _read_arms,
        }
    )
)
VIEW_SIZES: Final[Mapping[LandmarkView, int]] = MappingProxyType(
    {LandmarkView.HAND: FEATURES, LandmarkView.HAND_AT_FACE: FEATURES + 2, LandmarkView.ARMS: 17}
)
"""Numbers of one reading, by view."""
VIEW_FAMILIES: Final[Mapping[LandmarkView, frozenset[ModelFamily]]] = MappingProxyType(
    {
        LandmarkView.HAND: frozenset({ModelFamily.HANDS}),
        LandmarkView.HAND_AT_FACE: frozenset({ModelFamily.HANDS, ModelFamily.FACE}),
        LandmarkView.ARMS: frozenset({ModelFamily.BODY, ModelFamily.FACE}),
    }
)
"""The landmark models that each view needs."""
_GROUPS: Final[Mapping[LandmarkView, Group]] = MappingProxyType(
    {
        LandmarkView.HAND: Group.HAND,
        LandmarkView.HAND_AT_FACE: Group.BODY,
        LandmarkView.ARMS: Group.BODY,
    }
)


def read_view(view: LandmarkView, context: Context) -> Sequence[ViewReading]:
    """All hands, or the arms, that ``view`` reads in a sample."""
    return tuple(_READERS[view](context))


class TaughtNetwork(BaseModel):
    """One hidden layer of rectified units and one answer."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    hidden: tuple[tuple[Number, ...], ...]
    """(inputs + 1, units): weights, the biases last."""
    out: tuple[Number, ...]
    """(units + 1,): weights, the bias last."""

    @model_validator(mode="after")
    def _fits(self) -> "TaughtNetwork":
        units = len(self.out) - 1
        if not 1 <= units <= MAX_HIDDEN or any(len(row) != units for row in self.hidden):
            raise ValueError("layers do not fit each other")
        return self

    def scorer(self) -> Callable[[npt.NDArray[np.float32]], npt.NDArray[np.float32]]:
        """What gives the scores (n,), 0–1, of vectors (n, inputs)."""
        hidden = np.array(self.hidden, np.float32)
        out = np.array(self.out, np.float32)

        def score(vectors: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
            reached = np.maximum(vectors @ hidden[:-1] + hidden[-1], 0)
            value = np.clip(reached @ out[:-1] + out[-1], -60, 60)
            return np.asarray(1 / (1 + np.exp(-value)), np.float32)

        return score


class TaughtLabel(BundleLabel):
    """One taught label: its network, how people make it, and what it does."""

    release: ClassVar[float] = 0.5

    view: LandmarkView
    hold: Annotated[float, Field(ge=0, le=10)] = 0.8
    outranks: tuple[str, ...] = ()
    """Labels of the vocabulary that its pictures set off as well."""
    network: TaughtNetwork

    @model_validator(mode="after")
    def _fits(self) -> "TaughtLabel":
        if unknown := sorted(set(self.outranks) - set(LABELS)):
            raise ValueError(f"outranks {unknown[0]!r}, which is no label")
        if len(self.network.hidden) != VIEW_SIZES[self.view] + 1:
            raise ValueError(f"the network of {self.name} was made for other features")
        return self

    def spec(self) -> LabelSpec:
        """The label as one of the vocabulary."""
        return LabelSpec(
            self.name,
            _GROUPS[self.view],
            VIEW_FAMILIES[self.view],
            _taught_scorer(self.view, self.network),
            self.how,
            self.threshold,
            self.title,
        )

    def rule(self) -> ReactionRule:
        return super().rule().model_copy(update={"outranks": self.outranks})


def _taught_scorer(view: LandmarkView, network: TaughtNetwork) -> Scorer:
    answer = network.scorer()

    def score(context: Context) -> Iterator[Sighting]:
        for reading in read_view(view, context):
            yield Sighting(float(answer(reading.vector[None])[0]), reading.box, reading.hand)

    return score


_TAUGHT: Final = TypeAdapter(Annotated[tuple[TaughtLabel, ...], Field(max_length=MAX_TAUGHT)])
_MAX_FILE: Final = 16 << 20
"""Bytes of ``taught.json``: one label has about 40,000."""


def read_taught(path: Path) -> tuple[TaughtLabel, ...]:
    """The labels in ``path``; raises ModelError that says in one line what is wrong."""
    labels = read_bundle_json(_TAUGHT, path, limit=_MAX_FILE, do="teach it again")
    names = [label.name for label in labels]
    if twice := [name for name in names if names.count(name) > 1]:
        raise ModelError(f"{twice[0]} is taught twice", where=str(path), do="teach it again")
    return labels


def write_taught(labels: Sequence[TaughtLabel], path: Path) -> None:
    """Write ``labels`` for ``read_taught``."""
    path.write_bytes(_TAUGHT.dump_json(tuple(labels)) + b"\n")
