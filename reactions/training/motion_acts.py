"""What mannequins do that is a motion of the vocabulary, and much that only looks like one.

An act is a pose by the seconds since it began. Numbers are drawn once an act: how far, how often,
where. Ranges of the motions are from slow and small to fast and wide; what stands beside each label
among ``OTHER_ACTS`` is the nearest thing that people do in meetings.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from math import cos, exp, pi, sin
from types import MappingProxyType
from typing import Final, TypeAlias

import numpy as np

from reactions.mannequin.choreography import Choreography, ease, idle
from reactions.mannequin.hand import HandShape
from reactions.mannequin.pose import RELAXED, Arm, FacePose, Pose, Vector, facing
from reactions.mannequin.poses import FIST, LOOKALIKES, OPEN, POSES
from reactions.mannequin.variation import vary_arm

Act: TypeAlias = Callable[[float], Pose]
"""Seconds since it began to the pose."""
Draw: TypeAlias = Callable[[np.random.Generator], Act]

_MOVING: Final = frozenset({"wave", "clap", "nod", "shake", "away", "back", "face", "hand"})
_HELD: Final = tuple(name for name in (*POSES, *LOOKALIKES) if name not in _MOVING)
_QUIET: Final = ("neutral", "smile", "arms_at_rest", "thinking", "thumbs_up", "hands_clasped")


def draw_wave(rng: np.random.Generator) -> Act:
    """An open hand that swings about the elbow, the wrist or both."""
    swing = _swinging(rng, 0.9, 2.7)
    reach, lean = rng.uniform(1.5, 10.0), rng.uniform(0.15, 0.55)
    arm = _placed(POSES["wave"].right, rng)
    said = _talking(rng) if rng.random() < 0.3 else _still(rng)

    def act(time: float) -> Pose:
        return replace(said(time), right=_swung(arm, swing(time), reach, lean))

    return act


def draw_clap(rng: np.random.Generator) -> Act:
    """Two hands that meet and part; one may be held."""
    rate, wide = rng.uniform(1.2, 3.6), rng.uniform(5.0, 15.0)
    shift, still = rng.normal(0, 3, 2), rng.random() < 0.3
    right, left = (vary_arm(POSES["clap"].right, rng, 0.6) for _ in range(2))
    meet, phase = rng.uniform(1.5, 3.0), rng.uniform(0, 2 * pi)
    rest = _still(rng)

    def act(time: float) -> Pose:
        open_by = 0.5 - 0.5 * cos(2 * pi * rate * time + phase)
        at = meet + wide * open_by
        other = meet if still else at
        base = rest(time)
        return replace(
            base,
            right=_beside(right, at + shift[0] / 2, shift[1]),
            left=_beside(left, other - shift[0] / 2, shift[1]),
        )

    return act


def draw_nod(rng: np.random.Generator) -> Act:
    """A head that goes down and up, and again."""
    swing, far = _swinging(rng, 0.8, 2.4), rng.uniform(4.0, 14.0)
    rest, low = _resting(rng), rng.uniform(-3, 6)
    return lambda time: _turned(rest(time), pitch=low + far * swing(time))


def draw_shake(rng: np.random.Generator) -> Act:
    """A head that turns to one side and the other, and again."""
    swing, far = _swinging(rng, 0.7, 2.4), rng.uniform(6.0, 24.0)
    rest, tip = _resting(rng), rng.normal(0, 0.08)
    return lambda time: _turned(rest(time), yaw=far * swing(time), pitch=tip * far * swing(time))


MOTION_ACTS: Final[Mapping[str, Draw]] = MappingProxyType(
    {"wave": draw_wave, "clap": draw_clap, "nod": draw_nod, "shake": draw_shake}
)
"""How each label of motions is drawn."""


def _held(rng: np.random.Generator) -> Act:
    """Any pose, held."""
    name = _HELD[rng.integers(len(_HELD))]
    pose = POSES.get(name) or LOOKALIKES[name]
    right, left = (vary_arm(arm, rng) for arm in (pose.right, pose.left))
    return _alive(replace(pose, right=right, left=left), rng)


def _changing(rng: np.random.Generator) -> Act:
    """One pose after the other, slow or quick: hands are raised, lowered, reach and meet."""
    names = [_HELD[at] for at in rng.integers(len(_HELD), size=3)]
    steps = [(name, float(rng.uniform(0.2, 1.2))) for name in names]
    steps.insert(int(rng.integers(3)), ("neutral", float(rng.uniform(0.2, 0.8))))
    shown = Choreography(steps, float(rng.uniform(0.25, 0.8)), seed=int(rng.integers(100)))
    return shown.pose_at


def _raising(rng: np.random.Generator) -> Act:
    """An open hand that comes up, is held or swings once, and goes down."""
    arm, rest = _placed(POSES["wave"].right, rng), _still(rng)
    up, held = rng.uniform(0.3, 0.8), rng.uniform(0.3, 2.0)
    once = rng.uniform(2, 9) if rng.random() < 0.5 else 0.0

    def act(time: float) -> Pose:
        base = rest(time)
        share = ease(time / up) - ease((time - up - held) / up)
        swing = sin(2 * pi * min(max((time - up) / held, 0.0), 1.0)) if once else 0.0
        raised = _swung(arm, swing, once, 0.05 * once)
        low = base.right.wrist
        wrist = _between(low, raised.wrist, share)
        return replace(base, right=replace(raised, wrist=wrist))

    return act


def _speaking_hands(rng: np.random.Generator) -> Act:
    """Hands that go with speech: up and down as much as across, half open, in no steady beat."""
    said, both = _talking(rng), rng.random() < 0.6
    arms = [_placed(replace(POSES["wave"].right, shape=_loose(rng)), rng) for _ in range(2)]
    arms = [replace(vary_arm(arm, rng, 3.0), wrist=_down(arm.wrist, rng)) for arm in arms]
    waves = [[_wandering(rng) for _ in range(3)] for _ in arms]
    far = rng.uniform(2.0, 8.0)

    def act(time: float) -> Pose:
        base = said(time)
        moved = [
            replace(arm, wrist=_added(arm.wrist, [far * wave(time) for wave in course]))
            for arm, course in zip(arms, waves, strict=True)
        ]
        return replace(base, right=moved[0], left=moved[1] if both else base.left)

    return act


def _wagging(rng: np.random.Generator) -> Act:
    """A hand that is not open, or moves up and down, in a steady beat: beckoning, wagging."""
    swing, rest = _swinging(rng, 0.9, 2.6), _still(rng)
    arm, far = _placed(POSES["wave"].right, rng), rng.uniform(2.0, 8.0)
    down = rng.random() < 0.5
    arm = arm if down else replace(arm, shape=_closed(rng))

    def act(time: float) -> Pose:
        if not down:
            return replace(rest(time), right=_swung(arm, swing(time), far, 0.3))
        place = _added(arm.wrist, (0.15 * far * swing(time), far * swing(time), 0.0))
        return replace(rest(time), right=replace(arm, wrist=place))

    return act


def _swaying(rng: np.random.Generator) -> Act:
    """A body that sways with all that it holds, and small restless hands."""
    rest, swing = _resting(rng), _swinging(rng, 0.3, 1.4)
    far, restless = rng.uniform(1, 6), _wandering(rng)

    def act(time: float) -> Pose:
        base = rest(time)
        x, y, z = base.lean
        arm = replace(base.right, wrist=_added(base.right.wrist, (restless(time), 0.0, 0.0)))
        return replace(base, right=arm, lean=(x + far * swing(time), y, z))

    return act


def _looking(rng: np.random.Generator) -> Act:
    """A head that turns aside or down once, stays there, and comes back."""
    rest, go, stay = _resting(rng), rng.uniform(0.2, 0.7), rng.uniform(0.3, 2.5)
    aside = rng.random() < 0.6
    far = rng.uniform(12, 45) * (rng.choice([-1, 1]) if aside else 0.6)
    begin, dip = rng.uniform(0, 1.0), rng.normal(0, 5)

    def act(time: float) -> Pose:
        share = ease((time - begin) / go) - ease((time - begin - go - stay) / go)
        pitch = dip * share if aside else far * share
        return _turned(rest(time), yaw=far * share if aside else 0.0, pitch=pitch)

    return act


def _nodding_off(rng: np.random.Generator) -> Act:
    """A head that sinks, and jerks up."""
    rest, slow, far = _still(rng), rng.uniform(1.2, 3.0), rng.uniform(10, 28)

    def act(time: float) -> Pose:
        into = time % (slow + 0.4)
        share = ease(into / slow) - ease((into - slow) / 0.4)
        base = _turned(rest(time), pitch=far * share)
        return replace(base, face=replace(base.face, lids=max(0.0, 1 - 1.6 * share)))

    return act


def _wandering_head(rng: np.random.Generator) -> Act:
    """A head that moves about both axes in no steady beat, silent or talking."""
    base = _talking(rng) if rng.random() < 0.6 else _resting(rng)
    yaw, pitch = _wandering(rng), _wandering(rng)
    far, low = rng.uniform(3, 20), rng.uniform(2, 9)
    return lambda time: _turned(base(time), yaw=far * yaw(time), pitch=low * pitch(time))


def _nodding_talk(rng: np.random.Generator) -> Act:
    """A head that beats time to what its mouth says."""
    said, swing, far = _talking(rng), _swinging(rng, 0.6, 2.2), rng.uniform(2, 8)
    return lambda time: _turned(said(time), pitch=far * swing(time))


def _scratching(rng: np.random.Generator) -> Act:
    """Fingers that rub chin, hair or neck."""
    names = ("hand_in_hair", "thinking", "head_on_hand", "hand_behind_neck", "facepalm")
    name = names[rng.integers(len(names))]
    base = _alive(POSES.get(name) or LOOKALIKES[name], rng)
    swing, far = _swinging(rng, 1.5, 4.0), rng.uniform(0.4, 1.8)

    def act(time: float) -> Pose:
        pose = base(time)
        place = _added(pose.right.wrist, (far * swing(time), 0.5 * far * swing(time), 0.0))
        return replace(pose, right=replace(pose.right, wrist=place))

    return act


OTHER_ACTS: Final[tuple[Draw, ...]] = (
    *(_held, _changing, _raising, _speaking_hands, _wagging, _swaying),
    *(_looking, _nodding_off, _wandering_head, _nodding_talk, _scratching),
)
"""What shows none of the labels."""


def _swung(arm: Arm, phase: float, reach: float, lean: float) -> Arm:
    """``arm`` with its hand at ``phase``, -1 inwards to 1 outwards."""
    place = _added(arm.wrist, (reach * phase, -0.15 * reach * phase * phase, 0.0))
    return replace(arm, wrist=place, turn=facing((-lean * phase, 1, 0.1), (0.2, 0, 1)))


def _swinging(rng: np.random.Generator, slow: float, fast: float) -> Callable[[float], float]:
    """A swing of -1–1 whose beat and size change a little."""
    rate, phase = rng.uniform(slow, fast), rng.uniform(0, 2 * pi)
    drift, tires = rng.uniform(-0.1, 0.1), rng.uniform(0.0, 0.12)
    beat = rng.uniform(0, 2 * pi)

    def swing(time: float) -> float:
        size = exp(-tires * time) * (1 + 0.15 * sin(2 * pi * 0.7 * time + beat))
        return size * sin(2 * pi * rate * time * (1 + drift * time / 3) + phase)

    return swing


def _wandering(rng: np.random.Generator) -> Callable[[float], float]:
    """About -1–1 in no steady beat."""
    parts = [
        (float(rng.uniform(0.1, fast)), float(rng.uniform(0, 2 * pi)), float(rng.uniform(0.2, 0.6)))
        for fast in (1.6, 1.6, 0.5)
    ]
    return lambda time: sum(far * sin(2 * pi * rate * time + at) for rate, at, far in parts)


def _still(rng: np.random.Generator) -> Act:
    """A calm or smiling person whose arms hang down."""
    return _alive(Pose(face=FacePose(smile=float(rng.uniform(-0.2, 0.6)))), rng)


def _resting(rng: np.random.Generator) -> Act:
    """A person who keeps the head still, and mostly the hands down."""
    name = "neutral" if rng.random() < 0.6 else _QUIET[rng.integers(len(_QUIET))]
    return _alive(POSES.get(name) or LOOKALIKES[name], rng)


def _talking(rng: np.random.Generator) -> Act:
    """A person who speaks."""
    rate, phase, wide = rng.uniform(1.6, 3.2), rng.uniform(0, 2 * pi), rng.uniform(0.2, 0.6)
    rest = _still(rng)

    def act(time: float) -> Pose:
        syllable = abs(sin(pi * rate * time + phase)) * (0.6 + 0.4 * cos(4.4 * time))
        base = rest(time)
        return replace(base, face=replace(base.face, mouth_open=wide * syllable))

    return act


def _alive(pose: Pose, rng: np.random.Generator) -> Act:
    seed = int(rng.integers(1000))
    turned = _turned(pose, yaw=float(rng.normal(0, 6)), pitch=float(rng.normal(0, 4)))
    return lambda time: idle(turned, time, seed)


def _placed(arm: Arm, rng: np.random.Generator) -> Arm:
    """``arm`` where another person, or the same one now, would hold it."""
    x, y, z = (float(each) for each in np.add(arm.wrist, rng.uniform((-7, -12, -4), (9, 9, 9))))
    return replace(vary_arm(arm, rng, 0.8), wrist=(x, y, z))


def _beside(arm: Arm, out: float, up: float) -> Arm:
    _, y, z = arm.wrist
    return replace(arm, wrist=(out, y + up, z))


def _down(wrist: Vector, rng: np.random.Generator) -> Vector:
    return _added(wrist, (-4.0, -float(rng.uniform(0, 12)), 4.0))


def _loose(rng: np.random.Generator) -> HandShape:
    return (OPEN, RELAXED, RELAXED)[rng.integers(3)]


def _closed(rng: np.random.Generator) -> HandShape:
    return (FIST, RELAXED, POSES["pointing_up"].right.shape)[rng.integers(3)]


def _turned(pose: Pose, yaw: float = 0.0, pitch: float = 0.0) -> Pose:
    a, b, c = pose.head
    return replace(pose, head=(a + yaw, b + pitch, c))


def _added(place: Vector, way: Sequence[float]) -> Vector:
    return place[0] + way[0], place[1] + way[1], place[2] + way[2]


def _between(a: Vector, b: Vector, share: float) -> Vector:
    return _added(a, [(q - p) * share for p, q in zip(a, b, strict=True)])
