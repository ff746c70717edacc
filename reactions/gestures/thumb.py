"""Where a hand's thumb is: what tells an open palm from hands whose landmarks look like one.

The landmark model, unsure of folded fingers on a light palm, sees short straight ones. The trained
head knows such readings from nowhere; but people's thumbs don't reach as far as their fingers.
"""

from math import dist

import numpy as np
import numpy.typing as npt

from reactions.gestures.calibration import ramp
from reactions.gestures.motion import palm_length

_Hand = npt.NDArray[np.floating]
"""(21, ≥2): one hand's landmarks, pixels."""
_WRIST, _THUMB, _LITTLE_KNUCKLE = 0, 4, 17
_FINGERTIPS = (8, 12, 16, 20)


def beside_palm(points: _Hand) -> float:
    """Whether the thumb lies as an open palm's does, 0–1.

    Folded across the palm it makes a four. One that reaches as far as the fingers says that these
    are folded or point at the camera.
    """
    return min(
        ramp(clearance(points), at=0.62, sure=0.72),
        ramp(reach(points), at=0.9, sure=0.82),
    )


def clearance(points: _Hand) -> float:
    """From the thumb's tip to the little finger's knuckle, in palm lengths: 0.2–0.5 where it is
    folded across the palm, 0.6–1.8 where an open hand holds it out."""
    thumb, knuckle = points[[_THUMB, _LITTLE_KNUCKLE], :2].tolist()
    return dist(thumb, knuckle) / palm_length(points)


def reach(points: _Hand) -> float:
    """How far from the wrist the thumb's tip is, in the distance of the farthest fingertip: open
    hands have 0.47–0.81."""
    flat = points[:, :2].tolist()
    farthest = max(dist(flat[_WRIST], flat[tip]) for tip in _FINGERTIPS)
    return dist(flat[_WRIST], flat[_THUMB]) / max(farthest, 1.0)
