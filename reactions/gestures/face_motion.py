"""The face over the last seconds: nods and shakes of the head, who left and came back. Pure.

Built, as ``motion``, for 5 samples a second: a nod has 1–2.5 swings a second, so what counts is how
far the head turns between its extremes and how often it changes direction.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from statistics import fmean
from typing import NamedTuple, Self

from reactions.compact_pickle import CompactPickle
from reactions.gestures.calibration import ramp
from reactions.gestures.expressions import FaceReading
from reactions.gestures.eyes import DetailReading
from reactions.gestures.turns import find_turns
from reactions.landmark_types import Face

HISTORY = 2.0
"""Seconds of past that are kept."""
DETAIL_KEPT = 3.3
"""Seconds that a fine reading is: longer than eyes that may be shut go unread (three samples) and
than a burst or a lost face delays that. What is read from a mouth holds for ``HISTORY``."""
MOST_MOMENTS = 64
WINDOW = 1.8
"""Seconds in which the swings of a nod or shake must fall: two nods at an easy pace."""
NOD_SWING, SHAKE_SWING = 5.0, 7.0
"""Degrees: smaller turns of direction are noise of the mesh, or talking."""
FULL = 1.3
"""Swings from which on one counts in full, as a multiple of the least; a smaller one by its share.
Set with clips of people who talk (docs/labels.md)."""
NOD_BEAT, SHAKE_BEAT = 0.52, 0.42
"""Seconds from the middle of one swing to that of the next, at most in the mean: nods of a cycle a
second and more, shakes of 1.2. A head that sways and turns with a shut mouth for no sign is slower
or less even (docs/labels.md)."""
_SLOWEST = 1.2
"""The most that one such interval may last, as a multiple of that."""
_BRISK = 0.87
"""The share of both from which on swings are surely quick enough."""
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
        detail = DetailReading.of(face, time, self.detail) or self.detail
        if detail is not None and not 0 <= time - detail.time <= DETAIL_KEPT:
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
    seen, shut = _seen(motion)
    pitches, yaws = [each.pitch for each in seen], [each.yaw for each in seen]
    return min(shut, _swinging(seen, pitches, yaws, NOD_SWING, NOD_BEAT))


def shake(motion: FaceMotion) -> float:
    """How much the head is shaken, 0–1: to one side and the other, twice, the mouth shut."""
    seen, shut = _seen(motion)
    pitches, yaws = [each.pitch for each in seen], [each.yaw for each in seen]
    return min(shut, _swinging(seen, yaws, pitches, SHAKE_SWING, SHAKE_BEAT))


def came_back(motion: FaceMotion, time: float) -> float:
    """1 in the first seconds after a person has come back into the picture, else 0."""
    return float(motion.returned is not None and time - motion.returned <= RETURNED)


def _seen(motion: FaceMotion) -> tuple[list[HeadMoment], float]:
    """The window's moments, and whether the mouth was shut all the time, 0–1."""
    end = motion.moments[-1].time if motion.moments else 0.0
    seen = [each for each in motion.moments if end - each.time <= WINDOW]
    shut = ramp(max((each.mouth for each in seen), default=0.0), at=0.16, sure=0.1)
    return seen, shut


def _swinging(
    seen: Sequence[HeadMoment],
    angles: Sequence[float],
    others: Sequence[float],
    least: float,
    beat: float,
) -> float:
    """Three brisk swings decide; ``others`` are the angles about the axis that must keep still."""
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
        _brisk(_intervals(seen, angles, turns), beat),
        ramp(range_here / (range_there + least / 2), at=OTHER_WAY, sure=2.2),
    )


def _brisk(intervals: Sequence[float], beat: float) -> float:
    """Whether swings follow each other within ``beat`` seconds, 0–1; three make two intervals."""
    if len(intervals) < 2:
        return 0.0
    slowest = beat * _SLOWEST
    return min(
        ramp(fmean(intervals), at=beat, sure=_BRISK * beat),
        ramp(max(intervals), at=slowest, sure=_BRISK * slowest),
    )


def _intervals(
    seen: Sequence[HeadMoment], angles: Sequence[float], turns: Sequence[int]
) -> list[float]:
    """Seconds from each swing between ``turns`` to the next.

    A swing's time is when it passes its middle, between samples: five a second tell it within
    0.03 s, and the times of extremes only within 0.1 s. The first and the newest swing may be seen
    in part, so their middles are those of the swings beside them.
    """
    legs = list(pairwise(turns))
    if len(legs) < 3:
        return []
    levels = [(angles[a] + angles[b]) / 2 for a, b in legs]
    levels[0], levels[-1] = levels[1], levels[-2]
    passed = [
        _passes(seen[a : b + 1], angles[a : b + 1], level)
        for (a, b), level in zip(legs, levels, strict=True)
    ]
    times = [time for time in passed if time is not None]
    return [after - before for before, after in pairwise(times)]


def _passes(seen: Sequence[HeadMoment], angles: Sequence[float], level: float) -> float | None:
    """When ``angles`` first pass ``level``; None where they stay on one side of it."""
    for (one, before), (other, after) in pairwise(zip(seen, angles, strict=True)):
        if (before > level) is not (after > level):
            share = (level - before) / (after - before)
            return one.time + share * (other.time - one.time)
    return None
