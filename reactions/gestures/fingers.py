"""How the four fingers stand: what tells palms and rings from hands whose outline is near to one.

The trained classifier sees where joints are. A split-finger greeting, a hand curved to a C and a
hand that is rolled to a tube put most of them where a palm or a ring has them. Figures are of the
107,196 hands of ``reactions/training/data/people.npz`` in the picture's plane.
"""

import numpy as np
import numpy.typing as npt

from reactions.gestures.calibration import ramp
from reactions.gestures.motion import palm_length

_Hand = npt.NDArray[np.floating]
"""(21, ≥2): one hand's landmarks, pixels."""
_KNUCKLES, _JOINTS, _TIPS = ([5, 9, 13, 17], [6, 10, 14, 18], [8, 12, 16, 20])


def spread_as_palm(points: _Hand) -> float:
    """Whether the fingers stand as an open palm's do, 0–1: stretched, and in one fan.

    Of palms 99 in 100 have no gap more than 3° wider between the middle and the ring finger than
    beside them; the split-finger greeting has 25° and more. All but one finger of a palm are
    straight within 20°; those of a C are bent by 35° and more.
    """
    flat = _plane(points)
    return min(
        ramp(finger_gap(flat), at=11, sure=7),
        ramp(float(np.sort(_bends(flat))[1]), at=0.83, sure=0.92),
    )


def free_of_ring(points: _Hand) -> float:
    """Whether the three fingers beside a ring of thumb and index finger are stretched, 0–1.

    Held like binoculars, or closed to an O, a hand curls all of its fingers.
    """
    flat = _plane(points)
    reach = np.linalg.norm(flat[_TIPS[1:]] - flat[0], axis=1) / palm_length(flat)
    return min(
        ramp(float(np.median(_bends(flat)[1:])), at=0.55, sure=0.75),
        ramp(float(np.median(reach)), at=1.3, sure=1.45),
    )


def finger_gap(points: _Hand) -> float:
    """By how many degrees the gap between middle and ring finger exceeds its wider neighbour."""
    ways = _plane(points)[_TIPS] - points[_KNUCKLES, :2]
    angles = np.unwrap(np.arctan2(ways[:, 0], -ways[:, 1]))
    first, middle, last = np.degrees(np.abs(np.diff(angles))).tolist()
    return float(middle - max(first, last))


def _bends(flat: _Hand) -> npt.NDArray[np.float64]:
    """(4,): the cosine of the bend of each finger at its middle joint."""
    lower, upper = flat[_JOINTS] - flat[_KNUCKLES], flat[_TIPS] - flat[_JOINTS]
    lengths = np.sqrt((lower * lower).sum(axis=1) * (upper * upper).sum(axis=1))
    return np.asarray((lower * upper).sum(axis=1) / np.maximum(lengths, 1e-9))


def _plane(points: _Hand) -> npt.NDArray[np.float64]:
    return points[:, :2].astype(np.float64)
