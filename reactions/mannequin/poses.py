"""The catalogue: a pose for every label, and look-alikes that must not be taken for one."""

from collections.abc import Mapping
from dataclasses import replace
from math import cos, pi, sin
from types import MappingProxyType

from reactions.labels import LABELS
from reactions.mannequin.hand import FingerPose, HandShape, Thumb
from reactions.mannequin.pose import (
    RELAXED,
    Arm,
    FacePose,
    Pose,
    Quaternion,
    Vector,
    facing,
)
from reactions.mannequin.things import MUG

WAVE_HZ = 1.4
"""Full swings of a waving hand a second."""
NOD_HZ, SHAKE_HZ = 1.6, 1.3
"""Full nods and shakes of a head a second."""
_NOD, _SHAKE = 9.0, 14.0
"""How far the head turns to either side, degrees."""
CLAP_HZ = 1.7
"""Claps a second."""

_STRAIGHT = (
    FingerPose(2, 4, 2, 4),
    FingerPose(0, 3, 2, 1),
    FingerPose(2, 4, 2, -3),
    FingerPose(4, 6, 3, -8),
)
_CLOSED = (
    FingerPose(80, 100, 62),
    FingerPose(83, 102, 62),
    FingerPose(84, 102, 62),
    FingerPose(82, 100, 62),
)
_OUT = Thumb((50, 16), (46, 10), (38, 6))
_FOLDED = Thumb((30, 40), (-52, 38), (-80, 12))
_CROSSED = Thumb((24, 42), (-56, 34), (-84, 4))
_TUCKED = Thumb((14, 40), (-20, 34), (-46, 26))
_HITCH = Thumb((40, 20), (77, 4), (94, -6))


def _shape(thumb: Thumb, straight: str, spread: float = 0.0) -> HandShape:
    """Fingers named in ``straight`` (of "ilrp") are straight, the others closed."""
    fingers = [
        replace(s, spread=s.spread + spread * k) if name in straight else c
        for name, s, c, k in zip("ilrp", _STRAIGHT, _CLOSED, (1.0, -0.4, -0.6, -1.0), strict=True)
    ]
    return HandShape(thumb, *fingers)


OPEN = _shape(_OUT, "ilrp")
FLAT = HandShape(
    Thumb((34, 16), (26, 12), (20, 8)),
    FingerPose(2, 3, 2, -2), FingerPose(1, 3, 2, 0), FingerPose(2, 4, 2, 2), FingerPose(4, 6, 3, 4),
)  # fmt: skip
FIST = _shape(_FOLDED, "")
_VICTORY = _shape(_FOLDED, "il", 7)
_CURVED = HandShape(
    Thumb((34, 34), (16, 32), (4, 30)),
    FingerPose(34, 42, 24), FingerPose(38, 46, 26), FingerPose(42, 48, 28), FingerPose(44, 48, 28),
)  # fmt: skip
_OK = HandShape(
    Thumb((19, 28), (20, 42), (-10, 22)),
    FingerPose(48, 54, 41, 2),
    FingerPose(18, 14, 8, 3),
    FingerPose(11, 10, 6, -2),
    FingerPose(7, 8, 4, -8),
)
_CROSSED_FINGERS = replace(
    _shape(_FOLDED, ""), index=FingerPose(9, 7, 4, -15), long=FingerPose(-2, 5, 3, 11)
)
_FINGER_HEART = HandShape(
    Thumb((14, 30), (-4, 16), (-14, -2)),
    FingerPose(52, 60, 18, 4),
    _CLOSED[1],
    _CLOSED[2],
    _CLOSED[3],
)
_DOWN = HandShape(Thumb((29, 22), (93, 20), (81, -6)), *_CLOSED)

_PALM = facing((0, 1, 0.1), (0.35, 0, 1))
_BACK = facing((0.05, 1, 0.05), (0, 0, -1))
_LOW: Vector = (20.5, -1.5, 8)
"""A wrist beside the shoulder: the hand is at the height of the chin."""
_LOWER: Vector = (20.5, -4.5, 9)
"""Low enough for a flat hand not to be a raised one."""


def _right(shape: HandShape, wrist: Vector = _LOW, turn: Quaternion = _PALM, **arm: float) -> Pose:
    return Pose(right=Arm(wrist, turn, shape, **arm))


_POINT = _shape(_FOLDED, "i")
_RAISED = Pose(right=Arm((24.5, 3.5, 10), facing((-0.05, 1, 0.05), (0.1, 0, 1)), FLAT))
_WAVE = Pose(
    right=Arm((21.5, -1, 10), facing((0, 1, 0.1), (0.2, 0, 1)), OPEN), face=FacePose(smile=0.35)
)
_THINKING = Pose(
    right=Arm(
        (5.5, -1.0, 13.0),
        facing((0.75, 0.62, 0.1), (-0.35, 0.35, -0.9)),
        _shape(Thumb((44, 30), (30, 24), (16, 20)), "", 0),
    ),
    face=FacePose(brows=0.25, gaze=(0.5, -0.6)),
    head=(5, -2, 5),
)


_THUMBS_UP = _right(_shape(_HITCH, ""), (21, -1, 9), facing((0.3, 0.35, 0.85), (0.95, 0, -0.2)))
_THUMBS_DOWN = _right(_DOWN, (27, 9, 8), facing((0.85, 0.3, 0.15), (0.05, -0.1, 0.96)), swivel=45)
_ROCK = _right(_shape(_FOLDED, "ip", 1), turn=facing((-0.1, 1, 0.1), (0.6, 0, 1)))
GRIP = HandShape(
    Thumb((34, 50), (16, 46), (2, 36)),
    FingerPose(48, 52, 30), FingerPose(52, 56, 32), FingerPose(56, 58, 34), FingerPose(58, 60, 34),
)  # fmt: skip
_PRESSED = Arm((1.0, -6, 17), facing((0.02, 1, 0), (1, 0, 0.15)), FLAT, 55)
_HEART_HALF = HandShape(
    Thumb((72, 8), (78, 6), (80, 4)),
    FingerPose(32, 54, 36), FingerPose(33, 54, 36), FingerPose(35, 55, 38), FingerPose(38, 57, 40),
)  # fmt: skip
_HEART = Arm((10.2, -5, 18), facing((0.3, 0.95, 0.35), (0.75, -0.3, 0.5)), _HEART_HALF)
_POST = Arm((4, -12, 20), facing((0.05, 1, 0), (0.5, 0, 1)), FLAT)
_BAR = Arm((12, 8.5, 20), facing((1, 0.15, 0), (0, -0.6, 0.8)), FLAT)
_CLAPS = Arm((6, -5, 17), facing((0.1, 1, 0.2), (1, 0, 0.75)), OPEN)


def _both(pose: Pose) -> Pose:
    """``pose`` with the left arm as the right one."""
    return replace(pose, left=pose.right)


def _by_label(poses: Mapping[str, Pose]) -> Mapping[str, Pose]:
    """``poses``, read-only. Raises ValueError for a name that is no label."""
    if unknown := sorted(set(poses) - set(LABELS)):
        raise ValueError(f"no such label: {', '.join(unknown)}")
    return MappingProxyType(dict(poses))


POSES: Mapping[str, Pose] = _by_label(
    {
        "neutral": Pose(),
        "face": Pose(head=(-4, 1, 2)),
        "hand": _right(_CURVED, (21, -4, 11), facing((0.1, 1, 0.15), (0.45, 0, 0.9))),
        "smile": Pose(face=FacePose(smile=1.15, brows=0.15)),
        "surprised": Pose(
            face=FacePose(mouth_open=1.0, round=0.5, smile=-0.4, brows=1.0, lids=1.2),
            head=(0, 4, 0),
        ),
        "laugh": Pose(
            face=FacePose(mouth_open=1.3, smile=1.1, lids=0.75, brows=0.2), head=(0, -4, 3)
        ),
        "yawn": Pose(face=FacePose(mouth_open=1.6, round=0.3, lids=0.25), head=(0, -2, 0)),
        "wink": Pose(face=FacePose(wink=1.0, brows=0.2)),
        "eyes_closed": Pose(face=FacePose(lids=0.0)),
        "head_tilt": Pose(head=(0, 0, 30)),
        "nod": Pose(face=FacePose(brows=0.1)),
        "shake": Pose(face=FacePose(brows=-0.2, smile=-0.2)),
        "away": Pose(lean=(150, 0, 0)),
        "back": Pose(head=(2, 0, -1)),
        "thinking": _THINKING,
        "shush": Pose(
            right=Arm((-0.6, -4.2, 14), facing((0.06, 1, -0.12), (0.8, 0, -0.6)), _POINT)
        ),
        "raised_hand": _RAISED,
        "wave": _WAVE,
        "ok_hand": _right(_OK, turn=facing((0.22, 1, 0.1), (0.42, 0, 1))),
        "thumbs_up": _THUMBS_UP,
        "thumbs_down": _THUMBS_DOWN,
        "victory": _right(_VICTORY),
        "rock": _ROCK,
        "ily": _right(_shape(_OUT, "ip", 4)),
        "open_palm": _right(OPEN, _LOWER),
        "fist": _right(FIST, turn=facing((0, 1, 0.1), (0.8, 0, 0.6))),
        "pointing_up": _right(_shape(_FOLDED, "i")),
        "call_me": _right(_shape(_HITCH, "p", 8), turn=facing((-0.25, 1, 0.1), (0.2, 0, 1))),
        "double_thumbs_up": _both(_THUMBS_UP),
        "double_thumbs_down": _both(_THUMBS_DOWN),
        "double_victory": _both(_right(_VICTORY)),
        "double_rock": _both(_ROCK),
        "heart_hands": Pose(right=_HEART, left=_HEART),
        "namaste": Pose(right=_PRESSED, left=_PRESSED),
        "timeout": Pose(right=_POST, left=_BAR),
        "clap": Pose(right=_CLAPS, left=_CLAPS),
        "arms_raised": _both(
            Pose(right=Arm((22, 30, 3), facing((0.05, 1, 0.05), (0.1, 0, 1)), OPEN, 40))
        ),
        "hands_on_head": _both(
            Pose(right=Arm((15, 22, 2), facing((0.95, 0.3, -0.1), (0, -0.3, -1)), RELAXED))
        ),
        "arms_crossed": Pose(
            right=Arm((-6, -3, 14), facing((0.75, 0.65, -0.2), (0.3, -0.2, -1)), RELAXED, 25),
            left=Arm((-5, -6, 18), facing((0.75, 0.65, -0.2), (0.3, -0.2, -1)), RELAXED, 25),
        ),
        "shrug": _both(
            Pose(
                right=Arm((33, -7, 10), facing((-0.75, 0.5, 0.4), (0.3, 0.6, 0.8)), RELAXED),
                face=FacePose(brows=0.7, smile=-0.3),
                head=(0, 0, 8),
            )
        ),
        "facepalm": Pose(
            right=Arm((7, 9, 14), facing((0.45, 0.88, 0.05), (0.1, 0, -1)), FLAT),
            face=FacePose(lids=0.0, smile=-0.3),
            head=(0, 8, -3),
        ),
        "head_on_hand": Pose(
            right=Arm((10.5, -4.5, 8), facing((0, 1, 0.1), (0.9, 0, 0.45)), FIST),
            head=(0, 0, -18),
        ),
        "drinking": Pose(
            right=Arm((9, 5, 13), facing((0.2, -0.2, 0.9), (1, 0.05, -0.2)), GRIP, 20),
            head=(0, -8, 0),
            holds=MUG,
        ),
        "phone_at_ear": Pose(
            right=Arm((13.3, 6, 3), facing((0.1, 1, -0.1), (1, 0, -0.2)), GRIP, -25),
            head=(0, 0, -4),
        ),
        "crossed_fingers": _right(_CROSSED_FINGERS, turn=facing((0.15, 1, -0.35), (0.4, 0, 1))),
        "finger_heart": _right(_FINGER_HEART, (23, 1, 9), facing((0.25, 1, 0.1), (-0.75, 0, 0.7))),
        "middle_finger": _right(
            _shape(_FOLDED, "l"), (22, 1, 9), facing((0.05, 1, -0.45), (0.5, 0, 0.85))
        ),
    }
)
"""A pose for every label. Motions are the middle of their swing; see ``moving``."""

_LOOSE = HandShape(
    Thumb((34, 34), (12, 34), (-4, 30)),
    FingerPose(38, 52, 30), FingerPose(46, 60, 34), FingerPose(52, 64, 36), FingerPose(54, 64, 36),
)  # fmt: skip


_TYPES = Arm((9, -21, 24), facing((0.25, -0.15, 1), (0, -1, -0.1)), _LOOSE)
_CLASPS = Arm((3.6, -16, 18), facing((0.75, 0.65, 0.2), (0.45, -0.1, -0.9)), _LOOSE)

LOOKALIKES: Mapping[str, Pose] = MappingProxyType(
    {
        "arms_at_rest": Pose(head=(3, 2, -1)),
        "fidget": _right(_LOOSE, (14, -10, 18), facing((0.75, 0.6, 0.25), (-0.7, 0.3, 0.8))),
        "back_of_hand": _right(OPEN, _LOWER, _BACK),
        "victory_back": _right(_VICTORY, turn=facing((0.05, 1, 0.05), (0.15, 0, -1))),
        "three_fingers": _right(_shape(_CROSSED, "ilr", 2), _LOWER),
        "four_fingers": _right(_shape(_TUCKED, "ilrp", 1), _LOWER),
        "two_together": _right(_shape(_FOLDED, "il", -8), turn=facing((0, 1, 0.1), (0.05, 0, 1))),
        "pinky_up": _right(_shape(_FOLDED, "p")),
        "thumb_sideways": _right(
            _shape(_HITCH, ""), (19, -1, 12), facing((0.12, 0.98, 0.1), (0, 0, 1))
        ),
        "hand_over_mouth": Pose(
            right=Arm((7.5, 2.5, 15), facing((0.86, 0.5, 0.1), (0, 0.05, -1)), FLAT)
        ),
        "hand_in_hair": Pose(
            right=Arm((15.5, 20, 4), facing((0.72, 0.68, -0.2), (0.45, -0.6, -0.75)), RELAXED),
            head=(-4, 3, 4),
        ),
        "hand_behind_neck": Pose(
            right=Arm((13, 6, -7), facing((0.9, 0.1, -0.3), (0.1, 0, 1)), RELAXED, 30),
            head=(5, 2, 5),
        ),
        "typing": Pose(
            right=_TYPES,
            left=_TYPES,
            head=(0, 14, 0),
            face=FacePose(gaze=(0, 0.7), lids=0.8),
        ),
        "holding_mug": Pose(
            right=Arm((9, -9, 16), facing((0.3, 0.1, 0.9), (0.95, 0, -0.3)), GRIP), holds=MUG
        ),
        "talking": Pose(face=FacePose(mouth_open=0.3)),
        "yawn_behind_hand": Pose(
            face=FacePose(mouth_open=1.1, lids=0.3),
            right=Arm((7.5, 1.0, 15), facing((0.86, 0.5, 0.1), (0, 0.05, -1)), FLAT),
        ),
        "squinting": Pose(face=FacePose(smile=0.15, lids=0.55)),
        "looking_down": Pose(face=FacePose(lids=0.3, gaze=(0, 1)), head=(0, 20, 0)),
        "looking_around": Pose(),
        "sceptical": Pose(face=FacePose(brows=0.7, smile=-0.4, gaze=(0.6, 0)), head=(8, 0, -4)),
        "hands_clasped": Pose(right=_CLASPS, left=_CLASPS),
    }
)
"""Poses near to a label that must set nothing off. ``talking`` moves; see ``moving``."""


def moving(label: str, pose: Pose, seconds: float) -> Pose:
    """``pose`` as it looks ``seconds`` into holding ``label``: only some labels move."""
    if label == "wave":
        return _swing(pose, sin(2 * pi * WAVE_HZ * seconds))
    if label == "nod":
        return _turned(pose, pitch=_NOD * sin(2 * pi * NOD_HZ * seconds))
    if label == "shake":
        return _turned(pose, yaw=_SHAKE * sin(2 * pi * SHAKE_HZ * seconds))
    if label == "looking_around":
        return _turned(pose, yaw=22 * sin(2 * pi * 0.3 * seconds), pitch=6 * sin(2 * seconds))
    if label == "clap":
        return _clapping(pose, 0.5 - 0.5 * cos(2 * pi * CLAP_HZ * seconds))
    if label == "talking":
        syllable = abs(sin(2 * pi * 2.3 * seconds)) * (0.6 + 0.4 * cos(2 * pi * 0.7 * seconds))
        spoken = replace(pose, face=replace(pose.face, mouth_open=0.38 * syllable))
        return _turned(spoken, pitch=4 * sin(2 * pi * 1.1 * seconds), yaw=3 * sin(4.4 * seconds))
    if label == "typing":
        return replace(pose, right=_typed(pose.right, seconds), left=_typed(pose.left, -seconds))
    return pose


def _turned(pose: Pose, yaw: float = 0.0, pitch: float = 0.0) -> Pose:
    """The same pose with the head turned by so many degrees more."""
    a, b, c = pose.head
    return replace(pose, head=(a + yaw, b + pitch, c))


def _typed(arm: Arm, seconds: float) -> Arm:
    """Fingers that tap one after the other."""
    taps = [
        replace(finger, knuckle=finger.knuckle + 9 * sin(2 * pi * (2.1 * seconds + 0.27 * i)))
        for i, finger in enumerate(arm.shape.fingers)
    ]
    return replace(arm, shape=HandShape(arm.shape.thumb, *taps))


def _swing(pose: Pose, phase: float) -> Pose:
    """A hand that swings about its elbow: ``phase`` -1 inwards to 1 outwards."""
    out, up, forward = pose.right.wrist
    wrist = (out + 5.5 * phase, up - 0.8 * phase * phase, forward)
    turn = facing((-0.34 * phase, 1, 0.1), (0.2, 0, 1))
    return replace(pose, right=replace(pose.right, wrist=wrist, turn=turn))


def _clapping(pose: Pose, phase: float) -> Pose:
    """Hands that meet at ``phase`` 0 and are farthest apart at 1."""
    arms = [
        replace(arm, wrist=(2.6 + 10 * phase, arm.wrist[1], arm.wrist[2]))
        for arm in (pose.right, pose.left)
    ]
    return replace(pose, right=arms[0], left=arms[1])
