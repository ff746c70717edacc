"""The face over the last seconds: nods and shakes of the head, who left and came back. Pure.

Built, as ``motion``, for 5 samples a second: a nod has 1–2.5 swings a second, so what counts is how
far the head turns between its extremes and how often it changes direction.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import NamedTuple, Self

from reactions.compact_pickle import CompactPickle
from reactions.gestures.calibration import ramp
from reactions.gestures.expressions import FaceReading
from reactions.gestures.eyes import DetailReading
from reactions.gestures.turns import find_turns
from reactions.landmark_types import Face

HISTORY = 2.0
"""Seconds of past that are kept."""
MOST_MOMENTS = 64
WINDOW = 1.8
"""Seconds in which the swings of a nod or shake must fall: two nods at an easy pace."""
NOD_SWING, SHAKE_SWING = 5.0, 7.0
"""Degrees: smaller turns of direction are noise of the mesh, or talking."""
FULL = 1.3
"""Swings from which on one counts in full, as a multiple of the least; a smaller one by its share.
Set with clips of people who talk (docs/labels.md)."""
OTHER_WAY = 1.5
"""How many times as far as about the other axis the head must turn."""
ABSENT = 5.0
"""Seconds without a face in the picture after which one has come back."""
_SURELY = 0.9
RETURNED = 2.0
"""For how many seconds it has."""


class HeadMoment(NamedTuple):
    """How the head was turned at one time; degrees. A tuple, as ``motion.Moment`` is."""

    time: float
    pitch: float
    yaw: float
    mouth: float = 0.0
    """``FaceReading.mouth_round``."""


@dataclass(frozen=True, slots=True)
class FaceMotion(CompactPickle):
    """One participant's face over time: small, frozen, picklable."""

    moments: tuple[HeadMoment, ...] = ()
    """Oldest first, of the last two seconds."""
    detail: DetailReading | None = None
    """The newest fine reading, while it may be trusted."""
    missed: float | None = None
    """Since when no face has been in sight; None while there is one."""
    returned: float | None = None
    """When a face came back after a long absence."""

    def follow(self, time: float, face: Face | None, reading: FaceReading | None) -> Self:
        """The same with one sample more: its face, and what ``read_face`` makes of it."""
        recent = tuple(each for each in self.moments if 0 < time - each.time <= HISTORY)
        missed, returned = self.missed, self.returned
        if not in_sight(face):
            missed = time if missed is None else missed
        elif missed is not None:
            returned = time if time - missed >= ABSENT else returned
            missed = None
        if face is None or reading is None:
            return type(self)(recent, None, missed, returned)
        newest = HeadMoment(time, reading.pitch, reading.yaw, reading.mouth_round)
        detail = DetailReading.of(face, time) or self.detail
        if detail is not None and not 0 <= time - detail.time <= HISTORY:
            detail = None
        return type(self)((*recent, newest)[-MOST_MOMENTS:], detail, missed, returned)


def in_sight(face: Face | None) -> bool:
    """Whether there surely is a face: in an empty room the mesh is 0.6–0.7 sure now and then."""
    return face is not None and face.presence >= _SURELY


def nod(motion: FaceMotion) -> float:
    """How much the head nods, 0–1: down and up, twice, and far more than it turns aside.

    The mouth stays shut: people who talk move their heads as well (mouths of 0.22 and more in the
    clips there are; shut ones have up to 0.08).
    """
    pitches, yaws, shut = _seen(motion)
    return min(shut, _swinging(pitches, yaws, NOD_SWING))


def shake(motion: FaceMotion) -> float:
    """How much the head is shaken, 0–1: to one side and the other, twice, the mouth shut."""
    pitches, yaws, shut = _seen(motion)
    return min(shut, _swinging(yaws, pitches, SHAKE_SWING))


def came_back(motion: FaceMotion, time: float) -> float:
    """1 in the first seconds after a person has come back into the picture, else 0."""
    return float(motion.returned is not None and time - motion.returned <= RETURNED)


def _seen(motion: FaceMotion) -> tuple[list[float], list[float], float]:
    """The window's angles of pitch and yaw, and whether the mouth was shut all the time, 0–1."""
    end = motion.moments[-1].time if motion.moments else 0.0
    seen = [each for each in motion.moments if end - each.time <= WINDOW]
    shut = ramp(max((each.mouth for each in seen), default=0.0), at=0.16, sure=0.1)
    return [each.pitch for each in seen], [each.yaw for each in seen], shut


def _swinging(angles: Sequence[float], others: Sequence[float], least: float) -> float:
    """Three swings decide; ``others`` are the angles about the axis that must keep still."""
    turns = find_turns(angles, least)
    legs = [abs(angles[b] - angles[a]) for a, b in pairwise(turns)]
    if not legs:
        return 0.0
    strength = sum(min(1.0, leg / (FULL * least)) for leg in legs)
    begin = turns[-5:][0]
    range_here = max(angles[begin:]) - min(angles[begin:])
    range_there = max(others[begin:]) - min(others[begin:])
    return min(
        ramp(strength, at=2.5, sure=3.2),
        ramp(range_here / (range_there + least / 2), at=OTHER_WAY, sure=2.2),
    )
