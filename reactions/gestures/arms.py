"""What both arms do, from the body's landmarks: raised, on the head, crossed, shrugging. Pure.

Positions are in the shoulders' frame: the origin between the shoulders, x along them towards the
person's left, y down; the unit is the distance between the shoulders (about 36 cm). The nose is
near y = -0.5, the top of the head at -0.95, the hips at 1.4. Figures are of 18 to 22 photos each
(docs/labels.md).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from math import dist
from typing import TypeAlias

from reactions.compact_pickle import CompactPickle
from reactions.geometry import Box
from reactions.gestures.calibration import ramp
from reactions.landmark_types import Body, Observation

_Spot: TypeAlias = tuple[float, float]

KEPT = 2.5
"""Seconds that a reading holds: a body at rest is read every two seconds."""
_NOSE = 0
_SHOULDERS, _ELBOWS, _WRISTS, _FINGERS = (11, 12), (13, 14), (15, 16), (19, 20)
"""BlazePose's landmarks, the person's left first."""
_SURELY = 0.97
_NOSE_HEIGHT = 1.5
"""Shoulder widths in the height of the nose, at the least: turned aside, shoulders look narrow."""


@dataclass(frozen=True, slots=True)
class ArmPlace(CompactPickle):
    """One arm in the shoulders' frame, mirrored so that x is outwards for either arm."""

    elbow: _Spot
    wrist: _Spot
    fingers: _Spot
    elbow_seen: float
    wrist_seen: float
    """How sure the model is that they are in sight, 0–1."""


@dataclass(frozen=True, slots=True)
class ArmsReading(CompactPickle):
    """Both arms of one sample."""

    time: float
    left: ArmPlace
    right: ArmPlace
    nose: float
    """The nose above the shoulders, in shoulder widths."""
    origin: _Spot
    """The middle of the shoulders, pixels."""
    unit: float
    """Pixels between the shoulders."""
    box: Box
    """Around head, shoulders, elbows and wrists."""
    presence: float = 1.0
    """How sure the model is that there is a body, 0–1."""

    @property
    def surely(self) -> bool:
        """Whether there is one: 0.99 and more of people, up to 0.93 in an empty room."""
        return self.presence >= _SURELY

    def place(self, spot: _Spot) -> _Spot:
        """A place in pixels in the shoulders' frame, the tilt of the shoulders left out."""
        (x, y), (u, v) = spot, self.origin
        return (x - u) / self.unit, (y - v) / self.unit

    @property
    def both(self) -> tuple[ArmPlace, ArmPlace]:
        return self.left, self.right


def read_arms(body: Body, observation: Observation) -> ArmsReading:
    """The arms of ``body``, seen in ``observation``."""
    points = body.points[:, :2].tolist()
    (a, b), (c, d) = points[_SHOULDERS[0]], points[_SHOULDERS[1]]
    middle = (a + c) / 2, (b + d) / 2
    width = dist((a, b), (c, d)) or 1.0
    along = ((a - c) / width, (b - d) / width)
    unit = max(width, _NOSE_HEIGHT * dist(points[_NOSE], middle))

    def placed(point: int, side: int) -> _Spot:
        x, y = points[point][0] - middle[0], points[point][1] - middle[1]
        outwards = (x * along[0] + y * along[1]) * side
        return outwards / unit, (y * along[0] - x * along[1]) / unit

    def arm(index: int) -> ArmPlace:
        side = 1 if index == 0 else -1
        elbow, wrist = _ELBOWS[index], _WRISTS[index]
        return ArmPlace(
            elbow=placed(elbow, side),
            wrist=placed(wrist, side),
            fingers=placed(_FINGERS[index], side),
            elbow_seen=float(body.visibility[elbow]),
            wrist_seen=float(body.visibility[wrist]),
        )

    return ArmsReading(
        time=observation.time,
        left=arm(0),
        right=arm(1),
        nose=-placed(_NOSE, 1)[1],
        origin=middle,
        unit=unit,
        box=observation.box(body.points[[_NOSE, *_SHOULDERS, *_ELBOWS, *_WRISTS]]),
        presence=body.presence,
    )


def arms_raised(reading: ArmsReading) -> float:
    """Whether both arms are up: elbows above the shoulders, wrists above the head, 0–1."""
    return min(
        min(
            ramp(-arm.wrist[1], at=0.95, sure=1.1),
            ramp(-arm.elbow[1], at=0.02, sure=0.2),
            ramp(arm.elbow[1] - arm.wrist[1], at=0.3, sure=0.45),
            ramp(arm.elbow_seen, at=0.5, sure=0.8),
            ramp(arm.wrist_seen, at=0.4, sure=0.7),
        )
        for arm in reading.both
    )


def hands_on_head(reading: ArmsReading) -> float:
    """Whether both hands are on or behind the head, the elbows out and up, 0–1."""
    return min(
        min(
            ramp(abs(arm.wrist[0]), at=0.72, sure=0.6),
            ramp(-arm.wrist[1], at=0.36, sure=0.44),
            ramp(-arm.wrist[1], at=1.1, sure=1.0),
            ramp(arm.elbow[0], at=0.85, sure=1.0),
            ramp(arm.elbow[1], at=0.3, sure=0.15),
            ramp(arm.elbow_seen, at=0.5, sure=0.8),
        )
        for arm in reading.both
    )


def arms_crossed(reading: ArmsReading) -> float:
    """Whether the forearms cross before the chest, each hand at the other side, 0–1.

    Hands on the opposite shoulders hide that the forearms cross, and the model takes them for arms
    that go straight up; elbows drawn in so far tell it.
    """
    return max(_forearms_cross(reading), _hands_on_shoulders(reading))


def shrug(reading: ArmsReading) -> float:
    """Whether both forearms go outwards from bent elbows, hands between shoulder and hip, 0–1."""
    return min(
        min(
            ramp(arm.wrist[0] - arm.elbow[0], at=0.17, sure=0.3),
            ramp(arm.elbow[0], at=1.25, sure=1.05),
            ramp(arm.elbow[1], at=0.35, sure=0.5),
            ramp(arm.elbow[1] - arm.wrist[1], at=0.0, sure=0.12),
            ramp(arm.wrist[1], at=0.0, sure=0.12),
            ramp(arm.elbow_seen, at=0.5, sure=0.8),
            ramp(arm.wrist_seen, at=0.6, sure=0.8),
        )
        for arm in reading.both
    )


def palms_meet(reading: ArmsReading, palm: tuple[float, float]) -> float:
    """Whether a hand with its ``palm`` there, in pixels, may be one of two pressed together, 0–1.

    It is before the chest or the face, and both elbows are out: a second arm that hangs down has
    its elbow 0.5 to 0.6 out.
    """
    x, y = reading.place(palm)
    return min(
        ramp(abs(x), at=0.52, sure=0.42),
        ramp(y, at=-0.5, sure=-0.4),
        ramp(y, at=0.65, sure=0.5),
        *(ramp(arm.elbow[0], at=0.58, sure=0.63) for arm in reading.both),
        *(ramp(arm.elbow[1], at=0.4, sure=0.5) for arm in reading.both),
    )


def elbows_out(reading: ArmsReading) -> float:
    """Whether both elbows are farther out than any arm that hangs or rests on a desk, 0–1."""
    return min(ramp(arm.elbow[0], at=0.66, sure=0.72) for arm in reading.both)


def hands_crossed(reading: ArmsReading, hands: Sequence[tuple[_Spot, _Spot]]) -> float:
    """Whether two ``hands``, wrist and middle knuckle in pixels, lie crossed before the chest, 0–1.

    One is on either side of the middle and points outwards: its forearm comes from the other side.
    Which hand it is does not matter; seen from the back, the model often can't tell.
    """
    if len(hands) != 2:
        return 0.0
    scores, sides = [], []
    for wrist, knuckle in hands:
        (a, b), (c, d) = reading.place(wrist), reading.place(knuckle)
        x, y = (a + c) / 2, (b + d) / 2
        side = 1 if x > 0 else -1
        outwards = (c - a) * side / (dist((a, b), (c, d)) or 1.0)
        sides.append(side)
        scores += [
            ramp(abs(x), at=0.1, sure=0.18),
            ramp(abs(x), at=0.9, sure=0.78),
            ramp(y, at=-0.15, sure=-0.05),
            ramp(y, at=0.95, sure=0.8),
            ramp(outwards, at=0.2, sure=0.35),
        ]
    return min(scores) if sides[0] != sides[1] else 0.0


def _forearms_cross(reading: ArmsReading) -> float:
    crossed = -(reading.left.wrist[0] + reading.right.wrist[0])
    level = abs(reading.left.wrist[1] - reading.right.wrist[1])
    return min(
        ramp(crossed, at=0.14, sure=0.24),
        ramp(level, at=0.6, sure=0.45),
        *(
            min(
                ramp(arm.wrist[1], at=-0.06, sure=0.0),
                ramp(arm.wrist[1], at=0.85, sure=0.72),
                ramp(arm.elbow[1], at=0.25, sure=0.33),
                ramp(arm.elbow[0] - arm.wrist[0], at=0.15, sure=0.3),
                ramp(arm.elbow_seen, at=0.45, sure=0.6),
                ramp(arm.wrist_seen, at=0.41, sure=0.5),
            )
            for arm in reading.both
        ),
    )


def _hands_on_shoulders(reading: ArmsReading) -> float:
    # Nearer to each other the hands hold something between them.
    apart = ramp(reading.left.wrist[0] + reading.right.wrist[0], at=0.32, sure=0.4)
    return min(
        max(apart, _about_crossed_far_away(reading)),
        *(_hand_on_shoulder(arm) for arm in reading.both),
    )


def _about_crossed_far_away(reading: ArmsReading) -> float:
    """Whether hands between narrow elbows are about to cross, in shoulders of few pixels, 0–1.

    Across a room the model puts them nearer to each other, or sees the fingers cross alone.
    """
    apart = reading.left.wrist[0] + reading.right.wrist[0]
    crossed = -(reading.left.fingers[0] + reading.right.fingers[0])
    elbows = reading.left.elbow[0] + reading.right.elbow[0]
    narrow = min(ramp(apart, at=0.1, sure=0.18), ramp(elbows, at=1.0, sure=0.94))
    return min(ramp(reading.unit, at=70, sure=60), max(narrow, ramp(crossed, at=0.1, sure=0.18)))


def _hand_on_shoulder(arm: ArmPlace) -> float:
    return min(
        ramp(arm.elbow[0], at=0.63, sure=0.58),
        ramp(arm.elbow[1] - arm.wrist[1], at=0.16, sure=0.24),
        ramp(abs(arm.wrist[0]), at=0.52, sure=0.46),
        ramp(arm.wrist[1], at=0.08, sure=0.14),
        ramp(arm.wrist[1], at=0.55, sure=0.48),
        ramp(arm.wrist[1] - arm.fingers[1], at=0.05, sure=0.1),
        ramp(arm.wrist_seen, at=0.82, sure=0.9),
    )
