"""Signs that take both hands: where two hands are by each other. Pure.

Lengths are in palm lengths, the mean of the two hands', in the picture's plane.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from math import cos, dist, radians, sin
from typing import Self

import numpy as np
import numpy.typing as npt

from reactions.geometry import Box
from reactions.gestures import arms
from reactions.gestures.calibration import ramp
from reactions.gestures.context import Context, Scorer, SeenHand, Sighting
from reactions.gestures.hand_at_face import breadth, straightness
from reactions.gestures.hand_classes import HandClass
from reactions.gestures.motion import claps, palm_length, upright
from reactions.gestures.pair_seen import same_hand
from reactions.landmark_types import Hand

_Plane = npt.NDArray[np.float64]
_WRIST, _THUMB, _INDEX_JOINT, _INDEX, _MIDDLE = 0, 4, 6, 8, 12
_PALM, _TIPS = [0, 5, 17], [8, 12, 16, 20]


@dataclass(frozen=True, slots=True, eq=False)
class HandPair:
    """Two hands of one picture, measured against each other."""

    box: Box
    one: _Plane
    """(21, 2): landmarks in palm lengths; likewise ``other``."""
    other: _Plane
    palms: float
    """Between the middles of the palms."""
    uprights: tuple[float, float]
    """The cosine of the angle between each hand and straight up."""

    @classmethod
    def of(cls, one: SeenHand, other: SeenHand) -> Self:
        """``one`` and ``other`` as a pair."""
        points = one.hand.points, other.hand.points
        unit = (palm_length(points[0]) + palm_length(points[1])) / 2
        first, second = (each[:, :2].astype(np.float64) / unit for each in points)
        return cls(
            box=Box.union((one.box, other.box)),
            one=first,
            other=second,
            palms=dist(_middle(first, _PALM), _middle(second, _PALM)),
            uprights=(upright(points[0]), upright(points[1])),
        )

    def between(self, joint: int) -> float:
        """From ``joint`` of one hand to the same of the other."""
        return dist(self.one[joint].tolist(), self.other[joint].tolist())


def score_double(shape: HandClass) -> Scorer:
    """The scorer of two hands that both show ``shape``; the score is that of the less sure one."""

    def score(context: Context) -> Iterator[Sighting]:
        if (pair := _pair(context)) is not None:
            one, other = context.hands[:2]
            both = min(one.shapes.get(shape, 0.0), other.shapes.get(shape, 0.0))
            yield Sighting(min(both, ramp(pair.palms, at=0.9, sure=1.2)), pair.box)

    return score


def score_heart_hands(context: Context) -> Iterator[Sighting]:
    """Two hands whose thumbs and index fingers meet around a heart."""
    if (pair := _pair(context)) is not None:
        yield Sighting(heart_hands(pair), pair.box)


def score_namaste(context: Context) -> Iterator[Sighting]:
    """Two hands palm to palm, fingers up; they are mostly seen as one, from its edge.

    A head that leans rests on its hands.
    """
    if (pair := _pair(context)) is not None:
        yield Sighting(namaste(pair), pair.box)
    elif context.hands and context.arms is not None:
        seen = context.hands[0]
        points = seen.hand.points[:, :2].astype(np.float64)
        meet = arms.palms_meet(context.arms, _middle(points, _PALM))
        roll = 0.0 if context.face is None else context.face.reading.roll
        upright_head = ramp(abs(roll), at=20, sure=13)
        # Two palms held forward are an open palm to the classifier, pressed hands are none.
        no_palm = ramp(seen.shapes.get(HandClass.OPEN_PALM, 0.0), at=0.8, sure=0.7)
        turned = min(aslant(seen.hand), arms.elbows_out(context.arms), no_palm)
        # Two hands that are read as one are no good hand to the model: it is 0.5–0.95 sure of
        # pressed ones, and 0.96 and more of the edge of one alone.
        double = ramp(seen.hand.presence, at=0.96, sure=0.93)
        pressed = min(meet, max(edge_on(seen.hand), turned), upright_head, double)
        yield Sighting(0.0 if _left_alone(context, seen) else pressed, seen.box)


def score_timeout(context: Context) -> Iterator[Sighting]:
    """Two hands that make a T."""
    if (pair := _pair(context)) is not None:
        yield Sighting(timeout_sign(pair), pair.box)


def score_clap(context: Context) -> Iterator[Sighting]:
    """Two hands that meet and part, meet and part."""
    if context.hands:
        box = Box.union(seen.box for seen in context.hands)
        yield Sighting(claps(context.motion), box)


def heart_hands(pair: HandPair) -> float:
    """Whether thumbs and index fingers meet, the fingers hooked down to the thumbs, 0–1.

    Straight fingers that meet so make a triangle, and hands whose palms are as near as their
    fingers are clasped.
    """
    thumbs = (pair.one[_THUMB] + pair.other[_THUMB]) / 2
    tips = (pair.one[_INDEX] + pair.other[_INDEX]) / 2
    hook = min(float(hand[_INDEX, 1] - hand[_INDEX_JOINT, 1]) for hand in (pair.one, pair.other))
    return min(
        ramp(pair.between(_THUMB), at=0.7, sure=0.5),
        ramp(pair.between(_INDEX), at=0.6, sure=0.45),
        ramp(float(thumbs[1] - tips[1]), at=0.18, sure=0.3),
        ramp(hook, at=-0.12, sure=0.0),
        ramp(pair.palms, at=0.9, sure=1.1),
    )


def namaste(pair: HandPair) -> float:
    """Whether two upright hands lie palm to palm: wrists, palms and tips all together, 0–1.

    Steepled hands meet at the tips alone; palms side by side face the camera and look broad.
    """
    tips = max(pair.between(tip) for tip in _TIPS)
    return min(
        ramp(min(pair.uprights), at=cos(radians(40)), sure=cos(radians(28))),
        ramp(tips, at=0.75, sure=0.55),
        ramp(pair.palms, at=0.75, sure=0.6),
        ramp(pair.between(_WRIST), at=1.0, sure=0.8),
        ramp(max(breadth(pair.one), breadth(pair.other)), at=0.62, sure=0.52),
    )


def edge_on(hand: Hand) -> float:
    """Whether an upright flat hand is seen from its edge, 0–1."""
    return min(
        ramp(upright(hand.points), at=cos(radians(28)), sure=cos(radians(20))),
        ramp(straightness(hand.points), at=0.85, sure=0.92),
        ramp(breadth(hand.points), at=0.44, sure=0.4),
    )


def aslant(hand: Hand) -> float:
    """Whether an upright flat hand is turned well away from the camera, 0–1, as pressed hands seen
    from aside."""
    return min(
        ramp(upright(hand.points), at=cos(radians(20)), sure=cos(radians(14))),
        ramp(straightness(hand.points), at=0.95, sure=0.97),
        ramp(breadth(hand.points), at=0.62, sure=0.52),
    )


def timeout_sign(pair: HandPair) -> float:
    """Whether one hand points up and ends below the middle of the other, which lies level, 0–1."""
    return max(
        _under(pair.one, pair.uprights[0], pair.other, pair.uprights[1]),
        _under(pair.other, pair.uprights[1], pair.one, pair.uprights[0]),
    )


def _under(post: _Plane, post_upright: float, bar: _Plane, bar_upright: float) -> float:
    """Whether ``post`` stands below ``bar`` and touches it."""
    top = post[_TIPS].mean(axis=0)
    way = bar[_MIDDLE] - bar[_WRIST]
    along = float((top - bar[_WRIST]) @ way / max(float(way @ way), 1e-9))
    stretched = max(float(np.hypot(*way)), 1e-9)
    gap = abs(float((top - bar[_WRIST]) @ (-way[1], way[0]))) / stretched
    return min(
        ramp(post_upright, at=cos(radians(35)), sure=cos(radians(25))),
        ramp(abs(bar_upright), at=sin(radians(35)), sure=sin(radians(25))),
        ramp(gap, at=0.6, sure=0.45),
        ramp(along, at=0.2, sure=0.3),
        ramp(along, at=0.95, sure=0.85),
        ramp(stretched, at=1.4, sure=1.6),
        ramp(float(_middle(post, _PALM)[1] - _middle(bar, _PALM)[1]), at=0.7, sure=0.9),
    )


def _pair(context: Context) -> HandPair | None:
    """The first two hands, unless both are readings of one."""
    if len(context.hands) < 2:
        return None
    one, other = context.hands[:2]
    size = (palm_length(one.hand.points) + palm_length(other.hand.points)) / 2
    return None if same_hand(one.hand, other.hand, size) else HandPair.of(one, other)


def _left_alone(context: Context, seen: SeenHand) -> bool:
    """Whether ``seen`` stands where it stood beside another hand, which is lost since."""
    if seen.track is None or context.motion.pair is None:
        return False
    newest = seen.track.newest
    return context.motion.pair.left_alone(newest.center, newest.size)


def _middle(points: _Plane, some: list[int]) -> tuple[float, float]:
    x, y = points[some].mean(axis=0).tolist()
    return x, y
