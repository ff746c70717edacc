"""Where a hand is by its face: raised beside the head, holding the chin, a finger on the lips.

Positions are in the head's frame: the origin at the chin, x across towards the person's left, y
down, turned with the head's roll; the unit is the height of the face, forehead to chin (about
18 cm). The mouth is near y = -0.25, the eyes near -0.6, the top of the face at -1.
"""

from dataclasses import dataclass
from math import cos, dist, hypot, radians

import numpy as np
import numpy.typing as npt

from reactions.gestures.calibration import ramp
from reactions.gestures.motion import upright
from reactions.gestures.thumb import beside_palm
from reactions.landmark_types import Face, Hand

_Plane = npt.NDArray[np.float64]

# Points of MediaPipe's face mesh and, below, of its hand.
_FOREHEAD, _CHIN = 10, 152
_EYE_OUTER = (33, 263)
_JAW = np.array(
    [132, 58, 172, 136, 150, 149, 176, 148, 152, 377, 400, 378, 379, 365, 397, 288, 361]
)
"""The lower edge of the face from ear to ear."""
_CHIN_EDGE = slice(3, 13)
"""The pieces of it in the middle, where the chin is: 0.3 face heights to either side."""
_LIPS = np.array(
    [61, 146, 91, 181, 84, 17, 314, 405, 321, 375, 291, 409, 270, 269, 267, 0, 37, 39, 40, 185]
)
_PALM = np.array([0, 5, 17])
_TIPS = np.array([8, 12, 16, 20])
_INDEX, _OTHER_TIPS = np.array([5, 6, 7, 8]), np.array([12, 16, 20])
_FINGERS = np.array([(5, 9, 13, 17), (6, 10, 14, 18), (8, 12, 16, 20)])
"""Knuckles, middle joints and tips of the fingers but the thumb."""
_HEAD_CENTER, _HEAD_RADIUS = (0.0, -0.6), (0.5, 0.8)
"""The head with its hair as an ellipse; the mesh ends at the forehead."""
_ANGLES = np.arange(24) * (np.pi / 12)
_DIRECTIONS = np.stack([np.cos(_ANGLES), np.sin(_ANGLES)])
_TOUCHED = (0.45, 0.55)
"""Half axes of the face's front, about y = -0.4: what fingers touch."""
_LIP_MARGIN = 0.06
"""Face heights (1 cm): how near to the lips a fingertip already covers them."""


@dataclass(frozen=True, slots=True)
class HandAtHead:
    """One hand in its head's frame, in face heights."""

    wrist: tuple[float, float]
    palm: tuple[float, float]
    """The middle of the palm."""
    tips: float
    """The y of the fingertips' middle (thumb left out)."""
    top: float
    """The y of the hand's highest point."""
    jaw: float
    """The distance from the jaw's edge to the nearest joint of the hand."""
    chin: float
    """Likewise from the chin's edge, the middle of the jaw's."""
    finger: float
    """The distance from the middle of the mouth to the index finger, knuckle to tip."""
    index: tuple[float, float]
    """The tip of the index finger."""
    lead: float
    """How far the index finger's tip is above the other three."""
    aim: float
    """The cosine of the angle between the index finger and straight up in the head's frame."""
    mouth: float
    """The nearest joint of the hand by the lips: below 1 it covers them."""
    cover: float
    """How deep the middle of the mouth lies inside the hand's outline; negative: outside."""
    size: float
    """The palm's length: about 0.5 where hand and head are equally far away."""
    head: float
    """The nearest joint of the hand by the head: below 1 it is before, on or in the hair."""
    flat: float
    """The cosine of the bend of the most bent finger: 1 where all four are straight."""
    pinch: float
    """From the tip of the thumb to the tip of the index finger, in palm lengths."""
    breadth: float
    """The knuckles' width by the palm's length: 0.7 from the front, 0.3 from the side."""
    thumb: float
    """Whether the thumb lies as an open palm's does, 0–1."""
    upright: float
    """The cosine of the angle between the hand and straight up in the picture."""


def place_hand(hand: Hand, face: Face) -> HandAtHead:
    """Where ``hand`` is by ``face``."""
    mesh, points = face.points[:, :2].astype(np.float64), hand.points.astype(np.float64)
    x, y = (mesh[_EYE_OUTER[1]] - mesh[_EYE_OUTER[0]]).tolist()
    unit = dist(mesh[_FOREHEAD].tolist(), mesh[_CHIN].tolist()) or 1.0
    axes = np.array([(x, -y), (y, x)]) / ((hypot(x, y) or 1.0) * unit)
    joints = (points[:, :2] - mesh[_CHIN]) @ axes
    jaw, lips = (mesh[_JAW] - mesh[_CHIN]) @ axes, (mesh[_LIPS] - mesh[_CHIN]) @ axes
    palm, middle, edge = joints[_PALM].mean(axis=0), lips.mean(axis=0), _distances(joints, jaw)
    return HandAtHead(
        wrist=(float(joints[0, 0]), float(joints[0, 1])),
        palm=(float(palm[0]), float(palm[1])),
        tips=float(joints[_TIPS, 1].mean()),
        top=float(joints[:, 1].min()),
        jaw=float(edge.min()),
        chin=float(edge[:, _CHIN_EDGE].min()),
        finger=float(_distances(middle[None], joints[_INDEX]).min()),
        index=(float(joints[8, 0]), float(joints[8, 1])),
        lead=float(joints[_OTHER_TIPS, 1].min() - joints[8, 1]),
        aim=_aim(joints),
        mouth=_by_lips(joints, lips),
        cover=_depth(joints, middle),
        size=dist(joints[9].tolist(), joints[0].tolist()),
        head=_nearest((joints - _HEAD_CENTER) / _HEAD_RADIUS),
        flat=straightness(points),
        pinch=_pinch(points),
        breadth=breadth(points),
        thumb=beside_palm(points),
        upright=upright(points),
    )


def before_head(hand: HandAtHead) -> bool:
    """Whether any of the hand is before the head or its hair."""
    return hand.head < 1


def raised_hand(hand: HandAtHead) -> float:
    """Whether a flat hand is raised beside or above the head, 0–1.

    Its fingers point up and reach above the eyes, its palm is above the chin and free of the face.
    A thumb folded across the palm makes it a four.
    """
    x, y = hand.palm
    beside = max(ramp(abs(x), at=0.55, sure=0.7), ramp(y, at=-1.1, sure=-1.3))
    # A hand on the head is no nearer to the camera than the head, and mostly slanted.
    off_head = max(ramp(hand.head, at=1.15, sure=1.3), ramp(hand.size, at=0.6, sure=0.7))
    return min(
        ramp(hand.flat, at=0.8, sure=0.92),
        ramp(hand.pinch, at=0.4, sure=0.6),
        hand.thumb,
        ramp(hand.size, at=0.37, sure=0.45),
        off_head,
        ramp(hand.upright, at=cos(radians(40)), sure=cos(radians(20))),
        ramp(hand.tips, at=-0.5, sure=-0.7),
        ramp(y, at=0.08, sure=-0.08),
        beside,
    )


def thinking(hand: HandAtHead) -> float:
    """Whether a hand comes from below, touches the chin and leaves the mouth free, 0–1.

    Cheek, ear and mouth are not the chin, and a hand at the neck stays below it.
    """
    x, y = hand.wrist
    return min(
        ramp(hand.chin, at=0.13, sure=0.1),
        ramp(hand.mouth, at=0.95, sure=1.2),
        ramp(hand.cover, at=-0.11, sure=-0.15),
        ramp(y, at=0.16, sure=0.22),
        ramp(hand.palm[1], at=0.0, sure=0.1),
        ramp(hand.top, at=-0.5, sure=-0.4),
        ramp(hand.top, at=0.11, sure=0.07),
        ramp(abs(x), at=0.62, sure=0.5),
        ramp(hand.size, at=0.2, sure=0.27),
        ramp(hand.size, at=0.8, sure=0.7),
    )


def apart(one: HandAtHead, other: HandAtHead) -> float:
    """Whether two hands are not busy with each other, 0–1: clasped or steepled hands are."""
    return ramp(dist(one.palm, other.palm), at=1.3, sure=1.45)


def shush(hand: HandAtHead) -> float:
    """Whether the hand's index finger alone stands upright before the lips, 0–1.

    Its tip is between the chin and the bridge of the nose. A hand as large as the face is nearer to
    the camera than the lips: it points up.
    """
    y = hand.index[1]
    return min(
        ramp(hand.finger, at=0.16, sure=0.1),
        ramp(hand.lead, at=0.12, sure=0.2),
        ramp(hand.aim, at=cos(radians(40)), sure=cos(radians(25))),
        ramp(y, at=-0.14, sure=-0.2),
        ramp(y, at=-0.75, sure=-0.65),
        ramp(hand.palm[1], at=0.0, sure=0.1),
        ramp(hand.size, at=0.2, sure=0.27),
        ramp(hand.size, at=0.85, sure=0.75),
    )


def head_on_hand(hand: HandAtHead, roll: float) -> float:
    """Whether the head rests on the hand, 0–1: a hand from below at the cheek, mouth and eyes free.

    The head leans on it: ``roll`` degrees, clockwise in the picture. Or the hand is seen from its
    edge, as where two hands lie palm to palm under a cheek.
    """
    x, y = hand.palm
    towards = roll if x > 0 else -roll
    leans = max(ramp(towards, at=7, sure=12), ramp(hand.breadth, at=0.39, sure=0.32))
    return min(
        leans,
        ramp(abs(x), at=0.24, sure=0.32),
        ramp(abs(x), at=0.78, sure=0.7),
        ramp(y, at=-0.34, sure=-0.28),
        ramp(y, at=0.26, sure=0.2),
        ramp(hand.wrist[1] - y, at=0.12, sure=0.2),
        ramp(hand.jaw, at=0.28, sure=0.22),
        ramp(hand.mouth, at=1.05, sure=1.35),
        ramp(hand.size, at=0.66, sure=0.6),
        ramp(hand.upright, at=cos(radians(47)), sure=cos(radians(37))),
    )


def facepalm(hand: HandAtHead) -> float:
    """Whether the hand lies on eyes or forehead, 0–1: as far away as the face, no farther up."""
    x, y = hand.palm
    return min(
        ramp(abs(x), at=0.48, sure=0.38),
        ramp(y, at=-0.3, sure=-0.4),
        ramp(y, at=-1.15, sure=-1.05),
        ramp(hand.top, at=-0.6, sure=-0.7),
        ramp(hand.size, at=0.68, sure=0.6),
    )


def phone_at_ear(hand: HandAtHead) -> float:
    """Whether a closed hand is at the ear, its wrist below, 0–1.

    A phone is not looked for: a hand that scratches the ear looks the same.
    """
    x, y = hand.palm
    return min(
        ramp(abs(x), at=0.48, sure=0.55),
        ramp(abs(x), at=0.95, sure=0.85),
        ramp(y, at=-0.75, sure=-0.65),
        ramp(y, at=0.0, sure=-0.1),
        ramp(hand.wrist[1] - y, at=0.05, sure=0.15),
        ramp(hand.head, at=1.25, sure=1.1),
        ramp(hand.flat, at=0.75, sure=0.6),
        ramp(hand.size, at=0.62, sure=0.55),
    )


def points_freely(hand: HandAtHead) -> float:
    """Whether the index finger neither touches the face nor is on the lips, 0–1.

    A tip before the face is a finger at it unless the hand is larger, and so nearer to the camera,
    than one that touches the head.
    """
    x, y = hand.index
    beside = ramp(hypot(x / _TOUCHED[0], (y + 0.4) / _TOUCHED[1]), at=1.0, sure=1.15)
    off_lips = max(ramp(hand.finger, at=0.24, sure=0.32), ramp(hand.size, at=0.95, sure=1.05))
    return min(off_lips, max(beside, ramp(hand.size, at=0.62, sure=0.7)))


def mouth_in_sight(hand: HandAtHead) -> float:
    """Whether ``hand`` isn't before the mouth, 0–1; it may be at the cheek."""
    return ramp(hand.cover, at=-0.03, sure=-0.08)


def mouth_free(hand: HandAtHead) -> float:
    """Whether ``hand`` leaves the lower face to be read, 0–1: no hand over mouth, cheek or chin."""
    return min(ramp(hand.mouth, at=1.5, sure=1.8), ramp(hand.jaw, at=0.1, sure=0.15))


def eyes_in_sight(hand: HandAtHead) -> float:
    """Whether ``hand`` isn't before an eye, 0–1: beside the head, or below the eyes."""
    return max(ramp(hand.head, at=1.0, sure=1.15), ramp(hand.top, at=-0.45, sure=-0.38))


def straightness(points: npt.NDArray[np.floating]) -> float:
    """The cosine of the bend of the most bent finger of a hand (21, 3); 1: all are straight."""
    knuckles, joints, tips = points[_FINGERS]
    lower, upper = joints - knuckles, tips - joints
    lengths = np.sqrt((lower * lower).sum(axis=1) * (upper * upper).sum(axis=1))
    return float(((lower * upper).sum(axis=1) / np.maximum(lengths, 1e-9)).min())


def _pinch(points: _Plane) -> float:
    thumb, index, wrist, middle = points[[4, 8, 0, 9]].tolist()
    return dist(thumb, index) / (dist(wrist, middle) or 1.0)


def _aim(joints: _Plane) -> float:
    (x, y), (u, v) = joints[[5, 8]].tolist()
    return float(y - v) / (hypot(u - x, v - y) or 1.0)


def breadth(points: npt.NDArray[np.floating]) -> float:
    """The knuckles' width of a hand (21, ≥2) by its palm's length."""
    wrist, index, middle, little = points[[0, 5, 9, 17], :2].tolist()
    return dist(index, little) / (dist(wrist, middle) or 1.0)


def _nearest(points: _Plane) -> float:
    """From the origin to the nearest of ``points`` (n, 2)."""
    return float(np.hypot(points[:, 0], points[:, 1]).min())


def _depth(points: _Plane, point: _Plane) -> float:
    """How deep ``point`` lies inside the outline of ``points`` (n, 2); negative: outside.

    The least way out over 24 directions; outside it is short of the true distance by up to 1 %.
    """
    return float(((points - point) @ _DIRECTIONS).max(axis=0).min())


def _distances(points: _Plane, line: _Plane) -> _Plane:
    """From each of ``points`` (n, 2) to each piece of the polyline ``line`` (m, 2): (n, m - 1)."""
    start, way = line[:-1], np.diff(line, axis=0)
    offset = points[:, None] - start
    along = (offset * way).sum(axis=2) / np.maximum((way * way).sum(axis=1), 1e-9)
    foot = start + np.clip(along, 0, 1)[..., None] * way
    short = points[:, None] - foot
    return np.asarray(np.hypot(short[..., 0], short[..., 1]))


def _by_lips(points: _Plane, lips: _Plane) -> float:
    """The nearest of ``points`` in an ellipse's measure: 1 is a finger's breadth off the lips."""
    low, high = lips.min(axis=0), lips.max(axis=0)
    radius = (high - low) / 2 + _LIP_MARGIN
    return _nearest((points - (low + high) / 2) / radius)
