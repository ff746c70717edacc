"""Which recorded hands evidently do not show the shape that their label says: geometry alone.

No classifier is asked, so what it misses can't excuse itself. A hand contradicts a definition where
a finger that the shape folds is evidently straight, one that it stretches is evidently folded, the
thumb or the other fingers are evidently elsewhere, or a palm is seen from its edge. Between
"evidently straight" and "evidently folded" lies a wide gap that contradicts nothing. Figures are of
the 107,196 hands of ``PEOPLES_HANDS`` in the picture's plane; lengths are those of the palm, the
longest way from the wrist to a knuckle.

A hand may contradict its label since the person showed something else, or since the landmark model
read it wrongly: points alone can't tell.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final, Self

import numpy as np
import numpy.typing as npt

from reactions.gestures.features import Landmarks
from reactions.gestures.hand_classes import SHAPES, HandClass

Marks = npt.NDArray[np.bool_]
_Floats = npt.NDArray[np.float64]

_WRIST, _THUMB_TIP, _LITTLE_KNUCKLE = 0, 4, 17
_KNUCKLES, _MIDDLES, _TIPS = [5, 9, 13, 17], [6, 10, 14, 18], [8, 12, 16, 20]
_OVER_FINGERS = [6, 7, 10, 11, 14, 15]
"""Where the tip of a thumb lies that is folded over fingers."""

_STRAIGHT_BEND, _FOLDED_BEND = 25.0, 60.0
"""Degrees at the middle joint: nineteen of twenty stretched fingers bend by less than 21."""
_STRAIGHT_LENGTH = 0.6
_BEYOND_STRAIGHT, _BEYOND_FOLDED = 0.2, -0.1
"""By how much the tip is farther from the wrist than the middle joint. Of fingers that labels
stretch 98 % have 0.26 and more, of those that labels fold 98 % have -0.02 and less."""
_EDGE = 0.15
"""Width of a palm seen from its edge: 98 of 100 open palms have 0.23 and more."""
_ACROSS = 0.4
"""Thumb's tip to the little finger's knuckle: of open palms 99 of 100 have 0.54 and more, of thumbs
up and ``call_me`` 0.72; half of "four" have less than 0.27."""
_MEET = 0.7
"""Thumb's tip to the index finger's: half of the rings have 0.15, 19 of 20 less than 0.38."""
_TOUCHES = 0.12
"""Thumb's tip to the nearest joint that it folds over: half of ``rock`` have less, of ``ily`` one
of 150."""
_SPREAD = 0.6
"""… ``rock`` has at most 0.49, half of ``ily`` more than 0.73."""
_APART, _CROSSED = 5.0, 0.0
"""Degrees by which index and middle finger part: crossed ones -27 to -9, ``victory`` 5 to 39."""

Requirement = Callable[["HandGeometry"], Marks]
"""(n,): which hands contradict it."""


@dataclass(frozen=True, slots=True, eq=False)
class HandGeometry:
    """What the definitions ask of ``n`` hands, in palm lengths and degrees."""

    straight: Marks
    """(n, 4): fingers, from the index to the little one, that are evidently straight …"""
    folded: Marks
    """(n, 4): … and evidently folded."""
    parting: _Floats
    """(n,): by how much the index finger leans away from the middle one; negative: crossed."""
    width: _Floats
    """(n,): of the palm, as the picture shows it."""
    thumb_to_little: _Floats
    """(n,): from the thumb's tip to the little finger's knuckle."""
    thumb_to_index: _Floats
    """(n,): from tip to tip."""
    thumb_to_fingers: _Floats
    """(n,): from the thumb's tip to the nearest joint that a folded thumb lies over."""

    @classmethod
    def of(cls, points: Landmarks) -> Self:
        """Of ``points`` (n, 21, ≥2), whichever their unit; a hand's palm is taken to be seen."""
        hand = points[:, :, :2].astype(np.float64) - points[:, :1, :2]
        palm = np.linalg.norm(hand[:, _KNUCKLES], axis=2).max(axis=1)
        hand /= np.maximum(palm, 1e-9)[:, None, None]
        straight, folded = _fingers(hand)
        thumb = hand[:, _THUMB_TIP]
        index, middle = (hand[:, tip] - hand[:, root] for tip, root in ((8, 5), (12, 9)))
        first, last = hand[:, _KNUCKLES[0]], hand[:, _KNUCKLES[-1]]
        area = _cross(first, last)
        return cls(
            straight,
            folded,
            np.degrees(np.arctan2(np.sign(area) * _cross(index, middle), _dot(index, middle))),
            np.abs(area) / np.maximum(np.linalg.norm(first, axis=1), 1e-9),
            np.asarray(np.linalg.norm(thumb - hand[:, _LITTLE_KNUCKLE], axis=1)),
            np.asarray(np.linalg.norm(thumb - hand[:, _TIPS[0]], axis=1)),
            np.asarray(np.linalg.norm(thumb[:, None] - hand[:, _OVER_FINGERS], axis=2).min(axis=1)),
        )


def contradicted(points: Landmarks) -> Marks:
    """(n, shapes): which of ``SHAPES`` each of ``points`` (n, 21, ≥2) evidently does not show."""
    geometry = HandGeometry.of(points)
    out = np.zeros((len(points), len(SHAPES)), np.bool_)
    for i, shape in enumerate(SHAPES):
        for requirement in _DEFINITIONS[shape]:
            out[:, i] |= requirement(geometry)
    return out


def _fingers(hand: _Floats) -> tuple[Marks, Marks]:
    """Which fingers (n, 4) are evidently straight, and which evidently folded."""
    knuckles, middles, tips = hand[:, _KNUCKLES], hand[:, _MIDDLES], hand[:, _TIPS]
    lower, upper = middles - knuckles, tips - middles
    lengths = np.linalg.norm(lower, axis=2) * np.linalg.norm(upper, axis=2)
    cosine = np.clip(_dot(lower, upper) / np.maximum(lengths, 1e-9), -1, 1)
    bend = np.degrees(np.arccos(cosine))
    length = np.linalg.norm(tips - knuckles, axis=2)
    beyond = np.linalg.norm(tips, axis=2) - np.linalg.norm(middles, axis=2)
    straight = (bend < _STRAIGHT_BEND) & (length > _STRAIGHT_LENGTH) & (beyond > _BEYOND_STRAIGHT)
    return straight, (bend > _FOLDED_BEND) & (beyond < _BEYOND_FOLDED)


def _dot(a: _Floats, b: _Floats) -> _Floats:
    return np.asarray((a * b).sum(axis=-1))


def _cross(a: _Floats, b: _Floats) -> _Floats:
    return np.asarray(a[:, 0] * b[:, 1] - a[:, 1] * b[:, 0])


def _stand(pattern: str) -> Requirement:
    """Fingers from the index to the little one: ``|`` stretched, ``o`` folded, ``.`` either."""
    stretched = [i for i, way in enumerate(pattern) if way == "|"]
    bent = [i for i, way in enumerate(pattern) if way == "o"]

    def breaks(hand: HandGeometry) -> Marks:
        up, down = hand.folded[:, stretched], hand.straight[:, bent]
        return np.asarray(up.any(axis=1) | down.any(axis=1))

    return breaks


def _seen_from_edge(hand: HandGeometry) -> Marks:
    return hand.width < _EDGE


def _thumb_across(hand: HandGeometry) -> Marks:
    return hand.thumb_to_little < _ACROSS


def _thumb_spread(hand: HandGeometry) -> Marks:
    return hand.thumb_to_fingers > _SPREAD


def _thumb_on_fingers(hand: HandGeometry) -> Marks:
    return hand.thumb_to_fingers < _TOUCHES


def _ring_open(hand: HandGeometry) -> Marks:
    return hand.thumb_to_index > _MEET


def _two_apart(hand: HandGeometry) -> Marks:
    return hand.parting > _APART


def _two_crossed(hand: HandGeometry) -> Marks:
    return hand.parting < _CROSSED


_DEFINITIONS: Final[Mapping[str, tuple[Requirement, ...]]] = {
    HandClass.OK_HAND: (_stand(".|||"), _ring_open),
    HandClass.THUMBS_UP: (_stand("oooo"), _thumb_across),
    HandClass.THUMBS_DOWN: (_stand("oooo"), _thumb_across),
    HandClass.VICTORY: (_stand("||oo"), _two_crossed),
    HandClass.ROCK: (_stand("|oo|"), _thumb_spread),
    HandClass.ILY: (_stand("|oo|"), _thumb_on_fingers),
    HandClass.OPEN_PALM: (_stand("||||"), _seen_from_edge, _thumb_across),
    HandClass.FIST: (_stand("oooo"),),
    HandClass.POINTING_UP: (_stand("|ooo"),),
    HandClass.CALL_ME: (_stand("ooo|"), _thumb_across),
    HandClass.CROSSED_FINGERS: (_stand("||oo"), _two_apart),
    HandClass.FINGER_HEART: (_stand(".ooo"), _ring_open),
    HandClass.MIDDLE_FINGER: (_stand("o|oo"),),
}
"""docs/labels.md's definitions; directions are not among them: labels were sorted by these."""
