"""Landmarks of hands that never were: recipes drawn at random, seen by a camera, jittered."""

from dataclasses import dataclass
from math import log

import numpy as np
import numpy.typing as npt

from reactions.gestures.features import Landmarks
from reactions.gestures.hand_classes import CLASSES, NONE
from reactions.training.hand_pose_ranges import (
    LOOK_ALIKES,
    SHAPES,
    Range,
    Recipe,
    ThumbOut,
    ThumbTo,
)
from reactions.training.kinematics import (
    Array,
    bend_fingers,
    point_thumb,
    project,
    reach_thumb,
    turn,
    vary_build,
)

# Where a shape stops being itself, from up: thumb or fingers leaning this far are neither this
# shape nor a look-alike, and are left out of training on both sides of the border.
_UPRIGHT = 50.0
_ASIDE = 62.0
_FIST_UPRIGHT = 65.0
_FORESHORTENED = 0.55
"""A fist held towards the camera shows less of its palm than this and leans nowhere."""
# A thumb that leans back is still up if its fist lies level, knuckles to the side; over an upright
# fist it points aside.
_THUMB_UP, _THUMB_UP_LEVEL = 28.0, 55.0
_THUMB_ASIDE, _THUMB_ASIDE_LEVEL = 40.0, 70.0
_LEVEL = (50.0, 125.0)
_NOISE = (0.004, 0.02)
_DEPTH_SCALE = (0.5, 1.1)


@dataclass(frozen=True, slots=True)
class Batch:
    """Right hands with their classes (indices into ``CLASSES``)."""

    points: Landmarks
    classes: npt.NDArray[np.int64]


def draw_hands(count: int, none_share: float, rng: np.random.Generator) -> Batch:
    """About ``count`` hands, evenly over the shapes, ``none_share`` (0–1) of them look-alikes."""
    points, classes = [], []
    labels = sorted({recipe.label for recipe in SHAPES})
    shares = {label: (1 - none_share) / len(labels) for label in labels} | {NONE: none_share}
    recipes = (*SHAPES, *LOOK_ALIKES)
    totals = {label: sum(r.weight for r in recipes if r.label == label) for label in shares}
    for recipe in recipes:
        wanted = count * shares[recipe.label] * recipe.weight / totals[recipe.label]
        hands = draw_recipe(recipe, int(np.ceil(wanted)), rng)
        points.append(hands)
        classes.append(np.full(len(hands), CLASSES.index(recipe.label), np.int64))
    return Batch(np.concatenate(points), np.concatenate(classes))


def draw_recipe(recipe: Recipe, count: int, rng: np.random.Generator) -> Landmarks:
    """``count`` hands of one recipe, as the landmark model might see them."""
    kept: list[Landmarks] = []
    have = 0
    for _ in range(50):
        seen = _draw(recipe, 2 * count + 8, rng)
        kept.append(seen[belongs(recipe, seen)])
        have += len(kept[-1])
        if have >= count:
            break
    return jitter(np.concatenate(kept)[:count], rng)


def _draw(recipe: Recipe, n: int, rng: np.random.Generator) -> Landmarks:
    turned = turn(pose_recipe(recipe, n, rng).joints, *view_angles(recipe, n, rng))
    distance = np.exp(rng.uniform(np.log(25), np.log(250), n))
    return project(turned, distance).astype(np.float32)


@dataclass(frozen=True, slots=True)
class PosedHands:
    """Right hands of one recipe, flat to the camera; angles in radians, see ``kinematics``."""

    joints: Array
    """(n, 21, 3)"""
    bends: Array
    """(n, 4, 3)"""
    spread: Array
    """(n, 4)"""


def pose_recipe(recipe: Recipe, n: int, rng: np.random.Generator) -> PosedHands:
    """``n`` hands of different people that make ``recipe``."""
    build = vary_build(n, rng)
    bends = np.stack([[_angles(r, n, rng) for r in finger] for finger in recipe.fingers])
    # A hand bends its fingers together: half of each draw is shared by all of a kind.
    shared = rng.uniform(0, 1, (n, 1, 1))
    bends = np.moveaxis(bends, 2, 0)
    low = np.radians([[r[0] for r in finger] for finger in recipe.fingers])
    high = np.radians([[r[1] for r in finger] for finger in recipe.fingers])
    bends = 0.6 * bends + 0.4 * (low + shared * (high - low))
    gap = _angles(recipe.gap, n, rng)[:, None]
    parting = _angles(recipe.parting, n, rng)[:, None]
    spread = gap * np.array([1.5, 0.5, -0.5, -1.5]) + parting * np.array([0.5, 0.5, -0.5, -0.5])
    joints = bend_fingers(build, bends, spread)
    pick = rng.integers(0, len(recipe.thumbs), n)
    placed = joints.copy()
    for i, thumb in enumerate(recipe.thumbs):
        trial = joints.copy()
        if isinstance(thumb, ThumbOut):
            point_thumb(build, trial, *_free_thumb(thumb, n, rng))
        else:
            point_thumb(build, trial, *_free_thumb(ThumbOut((15, 45), (25, 60), (5, 30)), n, rng))
            reach_thumb(build, trial, _thumb_target(thumb, joints, n, rng))
        placed[pick == i] = trial[pick == i]
    return PosedHands(placed, bends, spread)


def view_angles(
    recipe: Recipe, n: int, rng: np.random.Generator
) -> tuple[Array, Array, Array, Array]:
    """Roll, yaw, pitch and tilt (n,) of a recipe's view, for ``kinematics.turn``."""
    view = recipe.view
    roll, yaw, pitch, tilt = (
        _angles(r, n, rng) for r in (view.roll, view.yaw, view.pitch, view.tilt)
    )
    return roll, yaw, pitch, tilt


def _free_thumb(thumb: ThumbOut, n: int, rng: np.random.Generator) -> tuple[Array, Array]:
    steps = np.arange(3)
    swing = _angles(thumb.swing, n, rng)[:, None] - steps * _angles(thumb.bend, n, rng)[:, None]
    lift = _angles(thumb.lift, n, rng)[:, None] + steps * 0.0
    return swing, lift


def _thumb_target(thumb: ThumbTo, joints: Array, n: int, rng: np.random.Generator) -> Array:
    joint = np.array(thumb.joints)[rng.integers(0, len(thumb.joints), n)]
    target = joints[np.arange(n), joint].copy()
    way = np.array([0.25, 0.1, -1.0]) + rng.normal(0, 0.35, (n, 3))
    way /= np.linalg.norm(way, axis=1, keepdims=True)
    return np.asarray(target + way * rng.uniform(*thumb.gap, (n, 1)))


def belongs(recipe: Recipe, points: Landmarks) -> npt.NDArray[np.bool_]:
    """Which of ``points`` still look like ``recipe`` in the picture, after all turning."""
    label, name = recipe.label, recipe.name
    if label in ("thumbs_up", "thumbs_down"):
        return _thumb_stands(points, label == "thumbs_down", _THUMB_UP, _THUMB_UP_LEVEL)
    if name == "thumb aside":
        upright = _thumb_stands(points, False, _THUMB_ASIDE, _THUMB_ASIDE_LEVEL)
        hanging = _thumb_stands(points, True, _THUMB_ASIDE, _THUMB_ASIDE_LEVEL)
        return ~(upright | hanging)
    if name == "thumb at camera":
        return np.asarray(_lean(points, 2, 4)[1] < 0.45)
    if label == "pointing_up":
        lean, length = _lean(points, 5, 8)
        return np.asarray((lean < _UPRIGHT) & (length > 0.6))
    if name == "pointing at camera":
        return np.asarray(_lean(points, 5, 8)[1] < 0.5)
    lean, length = _lean(points, 0, 9)
    if label == "call_me":
        return np.ones(len(points), np.bool_)
    if label == "fist":
        return np.asarray((lean < _FIST_UPRIGHT) | (length < _FORESHORTENED))
    if label != NONE:
        return np.asarray((lean < _UPRIGHT) & (length > 0.6))
    if name.endswith(("lying", "aside")):
        return np.asarray(lean > _ASIDE)
    return np.ones(len(points), np.bool_)


def _thumb_stands(
    points: Landmarks, down: bool, limit: float, level_limit: float
) -> npt.NDArray[np.bool_]:
    thumb, shown = _lean(points, 2, 4)
    axis, _ = _lean(points, 0, 9)
    if down:
        thumb, axis = 180 - thumb, 180 - axis
    level = (axis > _LEVEL[0]) & (axis < _LEVEL[1])
    return np.asarray((thumb < np.where(level, level_limit, limit)) & (shown > 0.5))


def _lean(points: Landmarks, a: int, b: int) -> tuple[Array, Array]:
    """How far joint ``a`` → ``b`` leans from up (degrees), and how much of it the picture shows."""
    way = points[:, b] - points[:, a]
    flat = np.linalg.norm(way[:, :2], axis=1)
    whole = np.maximum(np.linalg.norm(way, axis=1), 1e-6)
    lean = np.degrees(np.arccos(np.clip(-way[:, 1] / np.maximum(flat, 1e-6), -1, 1)))
    return lean, flat / whole


def jitter(points: Landmarks, rng: np.random.Generator) -> Landmarks:
    """``points`` with the errors that the landmark model makes.

    Each finger as a whole slips, its joints slip less, the tips most; depth is guessed, and shrunk.
    """
    n = len(points)
    size = np.linalg.norm(points[:, [5, 17, 9]] - points[:, :1], axis=2).max(axis=1)
    level = np.exp(rng.uniform(log(_NOISE[0]), log(_NOISE[1]), n)) * size
    finger = np.repeat(rng.normal(0, 1, (n, 5, 3)), 4, axis=1)
    along = np.tile(np.array([0.3, 0.6, 0.9, 1.2]), 5)[None, :, None]
    slip = rng.normal(0, 1, (n, 21, 3))
    slip[:, 1:] += finger * along
    slip[:, :, 2] *= 2.0
    out = points.astype(np.float64)
    out[:, :, 2] *= rng.uniform(*_DEPTH_SCALE, (n, 1))
    return np.asarray(out + slip * level[:, None, None], np.float32)


def _angles(limits: Range, n: int, rng: np.random.Generator) -> Array:
    return np.asarray(np.radians(rng.uniform(*limits, n)))
