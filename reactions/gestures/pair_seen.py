"""Where two hands were when both were last seen: what one that is seen alone says. Pure.

The palm detector and the tracks lose one of two hands often: where they touch, where one hides the
other, and at random. A hand alone is half of the pair: clapping hands are as far from the middle as
each other, and a hand that stands where it stood was left by the other's track, not joined by it.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from math import dist
from typing import Self, TypeAlias

import numpy as np

from reactions.compact_pickle import CompactPickle
from reactions.landmark_types import Hand

_Spot: TypeAlias = tuple[float, float]

MERGED = 0.6
"""Palm lengths between the middles of two palms that lie on each other."""
REMEMBERED = 2.0
"""Seconds that the pair is remembered; and each hand's place as long as one stands there."""
_STANDS = 0.3
"""Palm lengths by which a hand that stands still seems to move; clapping moves it by 0.5."""
_ONE = 0.35
"""Palm lengths between the joints of two readings of one hand: 0.1–0.35 in streams of photos that
show one, as tracks take over from each other. Pressed hands have that, too, but seldom one side."""


@dataclass(frozen=True, slots=True)
class PairSeen(CompactPickle):
    """Two hands of one sample, pixels."""

    time: float
    one: _Spot
    """The middle of a palm; likewise ``other``."""
    other: _Spot
    apart: float
    """Palm lengths between them."""

    def follow(self, time: float, seen: Sequence[tuple[_Spot, float]]) -> Self | None:
        """The same at ``time``, when these palms were seen, middle and length; None when it is too
        long ago."""
        if not 0 < time - self.time <= REMEMBERED:
            return None
        left = seen and self.left_alone(*seen[0])
        return replace(self, time=time) if left else self

    def left_alone(self, palm: _Spot, size: float) -> bool:
        """Whether a hand with its ``palm`` there stands where one of a pair stood apart."""
        moved = min(dist(palm, self.one), dist(palm, self.other))
        return self.apart > MERGED and moved <= _STANDS * size

    def gap(self, palm: _Spot, size: float) -> float:
        """Palm lengths between two hands of which one, with its ``palm`` there, is seen: the other
        is as far from the middle."""
        middle = (self.one[0] + self.other[0]) / 2, (self.one[1] + self.other[1]) / 2
        return 2 * dist(palm, middle) / size


def same_hand(one: Hand, other: Hand, size: float) -> bool:
    """Whether ``one`` and ``other`` are two readings of one hand with a palm of ``size`` pixels."""
    gaps = np.linalg.norm(one.points[:, :2] - other.points[:, :2], axis=1)
    return one.side is other.side and float(gaps.mean()) <= _ONE * size
