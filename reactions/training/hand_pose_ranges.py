"""How each hand shape, and each of its look-alikes, may be made: ranges of angles, in degrees.

A recipe is drawn thousands of times, uniformly inside its ranges; what it leaves open is open. A
look-alike recipe carries the class ``none``.
"""

from dataclasses import dataclass, replace
from itertools import product

from reactions.gestures.hand_classes import NONE

Range = tuple[float, float]
Bends = tuple[Range, Range, Range]
"""Knuckle, middle and end joint of one finger."""

STRAIGHT: Bends = ((-15, 22), (0, 22), (0, 16))
EASY: Bends = ((-20, 35), (0, 40), (0, 30))
"""A finger held straight without effort, as a little finger alone is."""
FOLDED: Bends = ((55, 100), (75, 115), (25, 75))
CURLED: Bends = ((15, 75), (70, 115), (20, 70))
HALF: Bends = ((15, 60), (30, 75), (10, 50))
SOFT: Bends = ((5, 40), (15, 50), (5, 35))
HOOKED: Bends = ((-20, 15), (50, 105), (25, 75))
RING: Bends = ((28, 68), (35, 85), (15, 50))
LOOSELY_FOLDED: Bends = ((45, 90), (70, 112), (25, 75))
CURVED: Bends = ((8, 45), (12, 48), (6, 34))
"""A finger of a C: round a cup."""
BUNCHED: Bends = ((42, 78), (2, 42), (0, 28))
"""A finger of a beak: straight, its tip at the thumb's."""
BOWED: Bends = ((30, 68), (20, 70), (10, 45))
"""A finger that comes down to a thumb before the palm."""
ANY: Bends = ((-15, 95), (0, 110), (0, 70))


@dataclass(frozen=True, slots=True)
class ThumbOut:
    """A thumb laid freely: swing away from the fingers and lift off the palm's plane."""

    swing: Range = (35, 80)
    lift: Range = (-5, 35)
    bend: Range = (-15, 15)
    """How much each further bone turns back towards the fingers."""


@dataclass(frozen=True, slots=True)
class ThumbTo:
    """A thumb whose tip comes near a joint (MediaPipe's number) of the hand."""

    joints: tuple[int, ...]
    gap: Range = (0.8, 2.0)
    """Centimetres between thumb tip and joint, on the palm's side of it."""


Thumb = ThumbOut | ThumbTo

SPREAD_OUT = ThumbOut()
BESIDE = ThumbOut(swing=(8, 32), lift=(0, 35), bend=(0, 15))
OVER_FINGERS = ThumbTo((6, 7, 10, 11), (0.6, 2.2))
OVER_MIDDLE_RING = ThumbTo((10, 11, 14, 15), (0.6, 2.2))
OVER_RING_LITTLE = ThumbTo((14, 15, 18, 19), (0.6, 2.2))
ACROSS_PALM = ThumbTo((9, 13, 17), (0.6, 3.0))
ANY_THUMB = ThumbOut(swing=(0, 85), lift=(-15, 70), bend=(-15, 45))


@dataclass(frozen=True, slots=True)
class View:
    """How the hand is turned to the camera; see ``kinematics.turn``."""

    roll: Range = (0, 0)
    yaw: Range = (-55, 55)
    pitch: Range = (-35, 35)
    tilt: Range = (-45, 45)


FRONT = View()
BACK = View(yaw=(115, 245))
BOTH_SIDES = View(yaw=(-180, 180))
ANYHOW = View(yaw=(-180, 180), pitch=(-90, 90), tilt=(-180, 180))
HANGING = View(yaw=(-180, 180), pitch=(-50, 50), tilt=(120, 240))
LYING = View(yaw=(-180, 180), pitch=(-50, 50), tilt=(75, 285))
LEANING = View(yaw=(-180, 180), tilt=(-75, 75))
KNUCKLES_FIRST = View(yaw=(-180, 180), pitch=(30, 110), tilt=(-70, 70))
"""Fingers' roots to the camera, as a fist is held out."""
OVER_KEYS = View(yaw=(130, 230), pitch=(30, 85), tilt=(-50, 50))
EDGE_ON = View(yaw=(72, 108), tilt=(-180, 180))
AT_CAMERA = View(yaw=(-180, 180), pitch=(60, 105), tilt=(-180, 180))
THUMB_UP = View(roll=(-95, -15), yaw=(-180, 180), pitch=(-35, 35), tilt=(-50, 50))
THUMB_DOWN = replace(THUMB_UP, tilt=(130, 230))
THUMB_ASIDE = replace(THUMB_UP, roll=(-95, 0), tilt=(-180, 180))
THUMB_AT_CAMERA = replace(THUMB_UP, pitch=(55, 125), tilt=(-180, 180))


@dataclass(frozen=True, slots=True)
class Recipe:
    """One way to make a shape. Fingers from the index to the little one."""

    label: str
    name: str
    fingers: tuple[Bends, Bends, Bends, Bends]
    thumbs: tuple[Thumb, ...]
    view: View = FRONT
    gap: Range = (-4, 12)
    """Degrees between neighbouring fingers beyond the fan at rest; negative: pressed together."""
    parting: Range = (0, 0)
    """Degrees more between the middle and the ring finger."""
    weight: float = 1.0


_S, _F, _C, _H = STRAIGHT, FOLDED, CURLED, HALF
_FLAT = (_S, _S, _S, _S)
_CLOSED = (_F, _F, _F, _F)
_TWO = (_S, _S, _F, _F)
_HORNS = (_S, _F, _F, _S)
_ONE = (_S, _F, _F, _F)
_LITTLE = (_F, _F, _F, _S)
_RING = (RING, _S, _S, _S)
_TOUCH = (ThumbTo((8,), (0.3, 1.5)),)
_CROSS = (ThumbTo((7,), (0.2, 1.2)),)
_MEET = (ThumbTo((8, 12), (0.3, 1.6)),)
_FOLDED_THUMBS = (OVER_FINGERS, OVER_MIDDLE_RING, OVER_RING_LITTLE)
_V = (8.0, 32.0)
_PRESSED = (-9.0, 2.0)
_CROSSED = (-36.0, -20.0)
_CROSSED_PARTING = (28.0, 50.0)
"""What brings the crossed fingers back over the middle of the palm."""
_TWISTED = replace(FRONT, yaw=(-75, 75))
_LOOSE = (LOOSELY_FOLDED, LOOSELY_FOLDED, LOOSELY_FOLDED, LOOSELY_FOLDED)
_AROUND = (CURVED, CURVED, CURVED, CURVED)

SHAPES: tuple[Recipe, ...] = (
    Recipe("open_palm", "spread", _FLAT, (SPREAD_OUT,), gap=(2, 16)),
    Recipe("open_palm", "fingers together", _FLAT, (SPREAD_OUT, BESIDE), gap=(-9, 4)),
    Recipe("fist", "front", _CLOSED, (*_FOLDED_THUMBS[:2], BESIDE), _TWISTED, weight=1.0),
    Recipe("fist", "loose", _LOOSE, (*_FOLDED_THUMBS[:2], BESIDE), LEANING, weight=0.5),
    Recipe("fist", "any side", _CLOSED, (OVER_FINGERS, BESIDE), LEANING, weight=0.8),
    Recipe("fist", "knuckles first", _CLOSED, (OVER_FINGERS, BESIDE), KNUCKLES_FIRST, weight=0.7),
    Recipe("thumbs_up", "any side", _CLOSED, (ThumbOut((35, 85), (-10, 30)),), THUMB_UP, weight=2),
    Recipe(
        "thumbs_down", "any side", _CLOSED, (ThumbOut((35, 85), (-10, 30)),), THUMB_DOWN, weight=2
    ),
    Recipe("victory", "front", _TWO, _FOLDED_THUMBS[1:], gap=_V, weight=2),
    Recipe("rock", "front", _HORNS, _FOLDED_THUMBS[:2], _TWISTED, weight=1.5),
    Recipe("rock", "back", _HORNS, _FOLDED_THUMBS[:2], BACK, weight=0.5),
    Recipe("ily", "front", _HORNS, (ThumbOut((50, 90), (-10, 30)),), _TWISTED, weight=1.5),
    Recipe("ily", "back", _HORNS, (ThumbOut((50, 90), (-10, 30)),), BACK, weight=0.5),
    Recipe("pointing_up", "front", _ONE, (*_FOLDED_THUMBS[:2], BESIDE), _TWISTED, weight=1.4),
    Recipe("pointing_up", "any side", _ONE, (*_FOLDED_THUMBS[:2], BESIDE), BOTH_SIDES, weight=0.6),
    Recipe(
        "call_me",
        "any side",
        (_F, _F, _F, EASY),
        (ThumbOut((35, 95), (-15, 35)),),
        View(yaw=(-180, 180), tilt=(-140, 140)),
        gap=(0, 26),
        weight=2,
    ),
    Recipe("ok_hand", "front", _RING, _TOUCH, _TWISTED, weight=1.5),
    Recipe("ok_hand", "soft", (RING, SOFT, SOFT, SOFT), _TOUCH, _TWISTED, weight=0.3),
    Recipe("ok_hand", "back", _RING, _TOUCH, BACK, weight=0.3),
    Recipe(
        "crossed_fingers",
        "any side",
        _TWO,
        (*_FOLDED_THUMBS, SPREAD_OUT),
        BOTH_SIDES,
        gap=_CROSSED,
        parting=_CROSSED_PARTING,
    ),
    Recipe("finger_heart", "any side", (BOWED, _F, _F, _F), _CROSS, BOTH_SIDES),
    Recipe(
        "middle_finger", "any side", (_F, _S, _F, _F), (*_FOLDED_THUMBS, SPREAD_OUT), BOTH_SIDES
    ),
)

_UNSETTLED = (SOFT, HALF, HOOKED, CURLED)

LOOK_ALIKES: tuple[Recipe, ...] = (
    Recipe(NONE, "back of the hand", _FLAT, (SPREAD_OUT, BESIDE), BACK, gap=(-9, 14), weight=2),
    Recipe(NONE, "flat hand lying", _FLAT, (SPREAD_OUT, BESIDE), LYING, gap=(-9, 14)),
    Recipe(
        NONE, "flat hand edge-on", _FLAT, (SPREAD_OUT, BESIDE), EDGE_ON, gap=(-9, 10), weight=1.5
    ),
    Recipe(NONE, "flat hand at camera", _FLAT, (SPREAD_OUT, BESIDE), AT_CAMERA),
    Recipe(NONE, "four", _FLAT, (ACROSS_PALM,), BOTH_SIDES, gap=(-6, 14), weight=2),
    Recipe(NONE, "three", (_S, _S, _S, _F), _FOLDED_THUMBS[2:], BOTH_SIDES, weight=2),
    Recipe(NONE, "three with thumb", _TWO, (SPREAD_OUT,), BOTH_SIDES, gap=(-6, 36), weight=1.5),
    Recipe(
        NONE, "three without index", (_F, _S, _S, _S), (*_FOLDED_THUMBS[:2], BESIDE), BOTH_SIDES
    ),
    Recipe(NONE, "thumb, index, middle, ring", (_S, _S, _S, _F), (SPREAD_OUT,), BOTH_SIDES),
    Recipe(NONE, "victory from the back", _TWO, _FOLDED_THUMBS[1:], BACK, gap=_V, weight=1.5),
    Recipe(NONE, "two pressed", _TWO, _FOLDED_THUMBS[1:], BOTH_SIDES, gap=_PRESSED, weight=2),
    Recipe(NONE, "victory lying", _TWO, _FOLDED_THUMBS[1:], LYING, gap=_V, weight=0.5),
    Recipe(NONE, "hooked victory", (HOOKED, HOOKED, _F, _F), _FOLDED_THUMBS[1:], gap=_V),
    Recipe(NONE, "thumb aside", _CLOSED, (ThumbOut((35, 85)),), THUMB_ASIDE, weight=2),
    Recipe(NONE, "thumb at camera", _CLOSED, (ThumbOut((35, 85)),), THUMB_AT_CAMERA),
    Recipe(NONE, "L", _ONE, (ThumbOut((55, 95), (-15, 25)),), ANYHOW, weight=1.5),
    Recipe(NONE, "L upright", _ONE, (ThumbOut((55, 95), (-15, 25)),), BOTH_SIDES, weight=1.5),
    Recipe(NONE, "pointing aside", _ONE, (*_FOLDED_THUMBS[:2], BESIDE), LYING),
    Recipe(NONE, "pointing at camera", _ONE, (*_FOLDED_THUMBS[:2], BESIDE), AT_CAMERA),
    Recipe(NONE, "hooked index", (HOOKED, _F, _F, _F), _FOLDED_THUMBS[:2], BOTH_SIDES, weight=0.7),
    Recipe(NONE, "little finger", _LITTLE, _FOLDED_THUMBS, BOTH_SIDES),
    Recipe(NONE, "parted fingers", _FLAT, (SPREAD_OUT, BESIDE), gap=(-9, 0), parting=(14, 34)),
    Recipe(NONE, "fox", (_S, BOWED, BOWED, _S), (ThumbTo((12, 16), (0.3, 1.8)),), BOTH_SIDES),
    Recipe(NONE, "ring of the middle finger", (_S, RING, _S, _S), (ThumbTo((12,), (0.3, 1.5)),)),
    Recipe(NONE, "ring of the ring finger", (_S, _S, RING, _S), (ThumbTo((16,), (0.3, 1.5)),)),
    Recipe(NONE, "O", (BOWED, BOWED, BOWED, BOWED), _MEET, ANYHOW, weight=1.5),
    Recipe(NONE, "O upright", (RING, RING, RING, RING), _MEET, BOTH_SIDES, weight=1.5),
    Recipe(NONE, "C", _AROUND, (ThumbTo((8, 12), (4.0, 8.5)),), BOTH_SIDES, weight=1.5),
    Recipe(NONE, "beak", (BUNCHED, BUNCHED, BUNCHED, BUNCHED), _MEET, ANYHOW),
    Recipe(NONE, "claw", (HOOKED, HOOKED, HOOKED, HOOKED), (SPREAD_OUT,), BOTH_SIDES, weight=1.5),
    Recipe(NONE, "gripping", (_H, _H, _H, _H), (ThumbTo((8, 12), (2.5, 6.0)),), ANYHOW),
    Recipe(NONE, "relaxed", (SOFT, SOFT, SOFT, SOFT), (ANY_THUMB,), LYING, weight=1.5),
    Recipe(NONE, "relaxed, back", (SOFT, SOFT, SOFT, SOFT), (ANY_THUMB,), BACK),
    Recipe(NONE, "half closed", (_H, _H, _H, _H), (ANY_THUMB,), ANYHOW, weight=2),
    Recipe(NONE, "hanging", (_C, _C, _C, _C), (BESIDE, ANY_THUMB), HANGING, weight=2),
    Recipe(NONE, "hanging fist", _CLOSED, (BESIDE, OVER_FINGERS), HANGING),
    Recipe(NONE, "typing", (_H, _H, _H, _H), (ANY_THUMB,), OVER_KEYS),
    Recipe(NONE, "pinch, others closed", (RING, _C, _C, _C), _TOUCH, ANYHOW),
    Recipe(NONE, "pinch, others half", (RING, _H, _H, _H), _TOUCH, ANYHOW),
    Recipe(NONE, "ring lying", _RING, _TOUCH, LYING, weight=0.5),
    Recipe(NONE, "ring open", _RING, (ThumbTo((8,), (2.6, 5.0)),), BOTH_SIDES),
    *(
        Recipe(NONE, "fidget", (a, b, c, d), (ANY_THUMB, OVER_FINGERS), ANYHOW, weight=0.03)
        for a, b, c, d in product((*_UNSETTLED, _S), _UNSETTLED, _UNSETTLED, (*_UNSETTLED, _F))
    ),
)
