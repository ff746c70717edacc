"""Chance in mannequins: hands, cameras and light that differ a little from picture to picture."""

from dataclasses import dataclass, fields, replace
from typing import Final, TypeAlias

import numpy as np

from reactions.mannequin.hand import FingerPose, HandShape, Thumb
from reactions.mannequin.pose import Arm
from reactions.mannequin.scene import Background, Scene

Span: TypeAlias = tuple[float, float]
"""The lowest and the highest value."""
_BEND = 5.0
"""Standard deviation of each joint of a hand, degrees."""
_TURN = 0.1
"""Standard deviation of each number of a hand's turn, a unit quaternion."""
_PLACE = 1.5
"""Standard deviation of a wrist's place in each direction, cm."""


def vary_arm(arm: Arm, rng: np.random.Generator, amount: float = 1.0) -> Arm:
    """``arm`` with its wrist and fingers moved at random; ``amount`` scales the deviations."""
    x, y, z = (float(value) for value in np.add(arm.wrist, rng.normal(0, _PLACE * amount, 3)))
    turn = np.add(arm.turn, rng.normal(0, _TURN * amount, 4))
    w, i, j, k = (float(value) for value in turn / np.linalg.norm(turn))
    shape = _vary_shape(arm.shape, rng, _BEND * amount)
    return replace(arm, wrist=(x, y, z), turn=(w, i, j, k), shape=shape)


def _vary_shape(shape: HandShape, rng: np.random.Generator, bend: float) -> HandShape:
    fingers = [
        FingerPose(
            *(float(getattr(each, f.name) + rng.normal(0, bend)) for f in fields(FingerPose))
        )
        for each in shape.fingers
    ]
    bones = (shape.thumb.root, shape.thumb.middle, shape.thumb.tip)
    thumb = [
        (float(swing + rng.normal(0, bend)), float(lift + rng.normal(0, bend)))
        for swing, lift in bones
    ]
    return HandShape(Thumb(*thumb), *fingers)


@dataclass(frozen=True, slots=True)
class SceneRanges:
    """The lowest and highest value of each number of a ``Scene``, and what may be behind.

    By default a camera at a desk, a little to the side, above or below, in better or worse light.
    """

    yaw: Span = (-28, 28)
    pitch: Span = (-8, 12)
    distance: Span = (58, 125)
    light: Span = (0.65, 1.3)
    backgrounds: tuple[Background, ...] = tuple(Background)
    noise: Span = (1, 6)


DESK: Final = SceneRanges()


def draw_scene(rng: np.random.Generator, ranges: SceneRanges = DESK) -> Scene:
    """A camera and its light, each number drawn evenly from its range."""
    return Scene(
        yaw=float(rng.uniform(*ranges.yaw)),
        pitch=float(rng.uniform(*ranges.pitch)),
        distance=float(rng.uniform(*ranges.distance)),
        light=float(rng.uniform(*ranges.light)),
        background=ranges.backgrounds[rng.integers(len(ranges.backgrounds))],
        noise=float(rng.uniform(*ranges.noise)),
    )
