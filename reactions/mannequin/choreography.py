"""Poses over time: what a mannequin does when."""

from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from itertools import accumulate
from math import ceil, pi, sin

from reactions.labels import LABELS, Group
from reactions.mannequin.pose import Pose, blend_poses
from reactions.mannequin.poses import LOOKALIKES, POSES, moving

TRANSITION = 0.6
"""Seconds from one pose to the next."""

Step = tuple[str, float]
"""A label or look-alike, and how many seconds it is fully held."""


@dataclass(frozen=True, slots=True)
class Hold:
    """An interval in which one pose is fully held; seconds."""

    name: str
    start: float
    end: float


@dataclass(frozen=True, slots=True)
class Choreography:
    """A loop of poses with eased ways between them.

    Every step is held for its time, then turns into the next within ``transition``; the last turns
    into the first, so that a clip can loop. ``left_handed`` mirrors every pose. ``seed`` varies the
    small movements that no person holds back: breathing, swaying, blinking. ``own`` are poses
    beside those of the catalogue, by their names.
    """

    steps: Sequence[Step]
    transition: float = TRANSITION
    left_handed: bool = False
    seed: int = 0
    own: Sequence[tuple[str, Pose]] = ()
    _poses: tuple[Pose, ...] = field(init=False, repr=False, compare=False)
    _starts: tuple[float, ...] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        if not self.steps:
            raise ValueError("a choreography needs at least one step")
        if self.transition < 0 or any(seconds <= 0 for _, seconds in self.steps):
            raise ValueError("steps need a positive time, transitions one of at least 0")
        own = dict(self.own)
        poses = [own.get(name) or pose_named(name) for name, _ in self.steps]
        if self.left_handed:
            poses = [pose.mirrored() for pose in poses]
        lengths = [seconds + self.transition for _, seconds in self.steps]
        object.__setattr__(self, "steps", tuple(self.steps))
        object.__setattr__(self, "_poses", tuple(poses))
        object.__setattr__(self, "_starts", (0.0, *accumulate(lengths)))

    @property
    def duration(self) -> float:
        """Seconds of one round."""
        return self._starts[-1]

    @property
    def holds(self) -> tuple[Hold, ...]:
        """When each step is fully held, in order."""
        return tuple(
            Hold(name, start, start + seconds)
            for (name, seconds), start in zip(self.steps, self._starts, strict=False)
        )

    def begins(self, name: str) -> tuple[float, ...]:
        """When, in one round, ``name`` begins to be fully held; empty if it never is."""
        return tuple(hold.start for hold in self.holds if hold.name == name)

    def pose_at(self, t: float) -> Pose:
        """The pose at ``t`` seconds; periodic but for the small movements."""
        at = t % self.duration
        i = self._index(at)
        name, seconds = self.steps[i]
        into = at - self._starts[i]
        pose = self._moved(i, name, into)
        if into > seconds:
            following = (i + 1) % len(self.steps)
            ahead = self._moved(following, self.steps[following][0], 0.0)
            pose = blend_poses(pose, ahead, ease((into - seconds) / self.transition))
        return idle(pose, t, self.seed)

    def _moved(self, i: int, name: str, seconds: float) -> Pose:
        if not self.left_handed:
            return moving(name, self._poses[i], seconds)
        return moving(name, self._poses[i].mirrored(), seconds).mirrored()

    def _index(self, at: float) -> int:
        return min(bisect_right(self._starts, at) - 1, len(self.steps) - 1)


def pose_named(name: str) -> Pose:
    """The pose of a label or look-alike. Raises KeyError naming an unknown one."""
    if name in POSES:
        return POSES[name]
    if name in LOOKALIKES:
        return LOOKALIKES[name]
    raise KeyError(f"no pose is called {name!r}")


def ease(w: float) -> float:
    """Smootherstep: 0–1 with speed and acceleration 0 at both ends (Perlin 2002)."""
    w = min(max(w, 0.0), 1.0)
    return w * w * w * (w * (6 * w - 15) + 10)


def idle(pose: Pose, t: float, seed: int = 0) -> Pose:
    """``pose`` with the small movements of a living person at ``t`` seconds."""
    a = 0.7 * seed
    breath = sin(2 * pi * 0.27 * t + a)
    sway = sin(2 * pi * 0.11 * t + 1.7 * a)
    drift = sin(2 * pi * 0.19 * t + 2.3 * a + 1)
    yaw, pitch, roll = pose.head
    x, y, z = pose.lean
    blink = 1.0 if pose.face.wink else _blink(t, seed)
    return replace(
        pose,
        face=replace(pose.face, lids=pose.face.lids * blink),
        head=(yaw + 1.8 * sway, pitch + 0.8 * drift + 0.3 * breath, roll + 0.9 * drift),
        lean=(x + 0.7 * sway, y + 0.28 * breath, z + 0.4 * drift),
    )


def _blink(t: float, seed: int) -> float:
    """1 open – 0 closed; a blink of 0.18 s every 3.1 to 5.3 s."""
    period = 4.2 + 1.1 * sin(seed * 1.3 + 0.4)
    into = (t + 1.1 + 0.6 * seed) % period
    return abs(into / 0.09 - 1) if into < 0.18 else 1.0


def demonstration(k: int = 0, cast: int = 1) -> Choreography:
    """The demo's loop of the ``k``-th of ``cast`` mannequins, which show every reaction together.

    Each acts the best-known ones, starting elsewhere, and its share of the others, so that a loop
    stays short to draw. Loops of one cast are equally long. Neighbouring mannequins use different
    hands and never hold the same label at once.
    """
    others = _others()
    share = ceil(len(others) / cast)
    own = [(others[(k * share + n) % len(others)], _DEMO_HOLD) for n in range(share)]
    acts = [*_DEMO, *own]
    turn = k * 5 % len(acts)
    steps: list[Step] = []
    for step in acts[turn:] + acts[:turn]:
        steps += [step, ("neutral", 0.4)]
    return Choreography(steps, transition=0.5, left_handed=k % 2 == 1, seed=k)


def acting(name: str, poses: Sequence[Pose], k: int = 0) -> Choreography:
    """A loop in which the ``k``-th mannequin holds each of ``poses``, all of which show ``name``,
    and rests between them."""
    own = [(f"{name} {number}", pose) for number, pose in enumerate(poses)]
    steps: list[Step] = []
    for title, _ in own:
        steps += [(title, _ACTED), ("neutral", _REST)]
    return Choreography(steps, seed=k, own=own)


_ACTED, _REST = 4.0, 2.0
"""Seconds that a pose of a file is held, and that come before the next."""


def _others() -> list[str]:
    """The labels that ``_DEMO`` leaves out, but presence and insults."""
    shown = {"neutral", *(name for name, _ in _DEMO)}
    return [
        name
        for name, spec in LABELS.items()
        if name not in shown and spec.group is not Group.PRESENCE and not spec.moderated
    ]


_DEMO_HOLD = 1.9
_DEMO: tuple[Step, ...] = (
    ("thumbs_up", 1.9),
    ("wave", 2.4),
    ("smile", 4.2),
    ("laugh", 2.8),
    ("victory", 1.9),
    ("thinking", 2.4),
    ("ok_hand", 1.9),
    ("surprised", 3.2),
    ("rock", 1.9),
    ("raised_hand", 1.9),
    ("call_me", 1.9),
    ("fist", 1.9),
    ("ily", 1.9),
    ("thumbs_down", 1.9),
    ("pointing_up", 1.9),
    ("open_palm", 1.9),
)
"""The best-known reactions, like next to unlike; what the table holds longer lasts longer."""
