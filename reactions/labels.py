"""The vocabulary: every label we score, what kind of thing it is, and which nets it needs."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType

from reactions.geometry import Box
from reactions.landmark_types import Side


class Net(StrEnum):
    """A family of landmark nets that the cascade can run or leave out."""

    FACE = "face"
    HANDS = "hands"
    BODY = "body"


class Evidence(StrEnum):
    """What a label is read from."""

    PRESENCE = "presence"
    HAND_SHAPE = "hand shape"
    FACE = "face"
    BODY = "body"
    MOTION = "motion"


@dataclass(frozen=True, slots=True)
class LabelSpec:
    """One label of the vocabulary."""

    name: str
    evidence: Evidence
    nets: frozenset[Net]
    how: str
    """How to make it, in the words a user reads in the legend."""


@dataclass(frozen=True, slots=True)
class LabelScore:
    """How much one sample looks like ``label``: ``score`` in 0–1, and where in the frame."""

    label: str
    score: float
    box: Box
    hand: Side | None = None
    """The hand that shows it; None for faces, bodies and both hands."""


_FACE = frozenset({Net.FACE})
_HANDS = frozenset({Net.HANDS})
_FACE_AND_HANDS = _FACE | _HANDS


def _catalogue(*specs: LabelSpec) -> Mapping[str, LabelSpec]:
    return MappingProxyType({spec.name: spec for spec in specs})


LABELS: Mapping[str, LabelSpec] = _catalogue(
    LabelSpec("face", Evidence.PRESENCE, _FACE, "be in the picture"),
    LabelSpec("hand", Evidence.PRESENCE, _HANDS, "show a hand"),
    LabelSpec("neutral", Evidence.FACE, _FACE_AND_HANDS, "look at the camera, hands down"),
    LabelSpec("smile", Evidence.FACE, _FACE, "smile and keep smiling"),
    LabelSpec("surprised", Evidence.FACE, _FACE, "open your mouth, raise your brows and keep it"),
    LabelSpec("thinking", Evidence.FACE, _FACE_AND_HANDS, "hold your chin with a hand"),
    LabelSpec("raised_hand", Evidence.BODY, _FACE_AND_HANDS, "raise a flat hand beside your head"),
    LabelSpec("wave", Evidence.MOTION, _HANDS, "swing an open hand from side to side"),
    LabelSpec("ok_hand", Evidence.HAND_SHAPE, _HANDS, "join thumb and index finger in a ring"),
    LabelSpec("thumbs_up", Evidence.HAND_SHAPE, _HANDS, "a fist with the thumb up"),
    LabelSpec("thumbs_down", Evidence.HAND_SHAPE, _HANDS, "a fist with the thumb down"),
    LabelSpec("victory", Evidence.HAND_SHAPE, _HANDS, "index and middle finger in a V, palm out"),
    LabelSpec("rock", Evidence.HAND_SHAPE, _HANDS, "index and little finger up, thumb folded"),
    LabelSpec("ily", Evidence.HAND_SHAPE, _HANDS, "thumb, index and little finger spread"),
    LabelSpec("open_palm", Evidence.HAND_SHAPE, _HANDS, "an open hand, palm to the camera"),
    LabelSpec("fist", Evidence.HAND_SHAPE, _HANDS, "a closed fist"),
    LabelSpec("pointing_up", Evidence.HAND_SHAPE, _HANDS, "index finger up, the others folded"),
    LabelSpec("call_me", Evidence.HAND_SHAPE, _HANDS, "thumb and little finger spread"),
)


def nets_for(labels: Iterable[str]) -> frozenset[Net]:
    """The nets that scoring ``labels`` needs; a net that no label needs is never loaded."""
    return frozenset().union(*(LABELS[label].nets for label in labels))
