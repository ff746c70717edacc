"""Scenes at random with objects: held, at the mouth, at an ear, on a table, worn, half covered.

Everything differs from picture to picture: people, poses, rooms, light, cameras, and clutter that
is no object.
"""

from collections.abc import Sequence
from dataclasses import replace
from typing import Final

import numpy as np

from reactions.landmark_types import Side
from reactions.mannequin.drawn import DrawnMannequin
from reactions.mannequin.frames import random_frames
from reactions.mannequin.person import CAST, MONK, Person, Top
from reactions.mannequin.pose import Arm, FacePose, Pose, Vector, facing
from reactions.mannequin.poses import GRIP, LOOKALIKES, OPEN, POSES
from reactions.mannequin.scene import Background, Scene, SceneCamera
from reactions.mannequin.things import (
    CLUTTER,
    LOOKS,
    OBJECTS,
    PlacedThing,
    TableTop,
    Thing,
    ThingKind,
)
from reactions.mannequin.variation import SceneRanges, draw_scene, vary_arm

_RANGES: Final = SceneRanges(
    yaw=(-32, 32), pitch=(-10, 22), distance=(55, 150), light=(0.45, 1.35), noise=(0.5, 8)
)
_AT_MOUTH: Final = frozenset({ThingKind.MUG, ThingKind.GLASS})
_RESTING: Final = {
    ThingKind.MUG: 5.0, ThingKind.GLASS: 6.5, ThingKind.BOWL: 3.0, ThingKind.BALL: 5.0,
    ThingKind.LAMP: 15.0, ThingKind.GLASSES: 2.4, ThingKind.PARCEL: 8.0,
}  # fmt: skip
"""How far the middle of what stands is above what it stands on, cm; the rest lies flat."""
_LYING: Final = 0.6


def draw_object_scene(
    rng: np.random.Generator, wanted: Sequence[ThingKind] = OBJECTS
) -> DrawnMannequin:
    """A mannequin with objects of the kinds ``wanted`` about, and clutter; now and then none."""
    person = _person(rng, wears=ThingKind.GLASSES in wanted)
    pose = _pose(rng, wanted)
    scene = replace(
        draw_scene(rng, _RANGES),
        light_from=_light(rng),
        room=int(rng.integers(LOOKS)) if rng.random() < 0.85 else None,
        background=list(Background)[rng.integers(len(Background))],
    )
    things = [*_on_table(rng, scene, wanted), *_behind(rng, scene, wanted)]
    things += _floating(rng, scene, wanted)
    table = _table(rng, scene) if any(one.place[2] <= 0 for one in things) else None
    scene = replace(scene, things=tuple(things), table=table)
    posing = {
        side for side, arm in ((Side.RIGHT, pose.right), (Side.LEFT, pose.left)) if arm != Arm()
    }
    return DrawnMannequin(person, pose, scene, frozenset(posing))


def _person(rng: np.random.Generator, *, wears: bool) -> Person:
    cast = list(CAST.values())
    base = cast[rng.integers(len(cast))]
    frames, colour = random_frames(int(rng.integers(LOOKS)))
    glasses = colour if wears and rng.random() < 0.4 else None
    skin = MONK[rng.integers(len(MONK))]
    grey, tint = rng.uniform(20, 235), rng.normal(0, 40, 3)
    red, green, blue = np.clip(grey + tint, 8, 248).tolist()
    tops = list(Top)
    return replace(
        base,
        skin=skin,
        top=tops[rng.integers(len(tops))],
        cloth=(red, green, blue),
        glasses=glasses,
        frames=frames,
        short_sleeves=bool(rng.random() < 0.4),
    )


def _light(rng: np.random.Generator) -> Vector:
    return float(rng.uniform(-0.8, 0.8)), float(rng.uniform(0.2, 0.8)), float(rng.uniform(0.3, 0.9))


def _thing(rng: np.random.Generator, kinds: Sequence[ThingKind]) -> Thing:
    return Thing(kinds[int(rng.integers(len(kinds)))], int(rng.integers(1, LOOKS)))


def _pose(rng: np.random.Generator, wanted: Sequence[ThingKind]) -> Pose:
    """Something in a hand, at the mouth or at an ear; or any other pose."""
    head: Vector = tuple(float(x) for x in rng.normal(0, (12, 7, 5)))  # type: ignore[assignment]
    face = FacePose(
        mouth_open=float(max(rng.normal(0, 0.3), 0)), smile=float(rng.uniform(-0.4, 1.1))
    )
    held = _thing(rng, wanted)
    chance = rng.random()
    if chance < 0.3:
        every = [*POSES.values(), *LOOKALIKES.values()]
        pose = every[rng.integers(len(every))]
        pose = replace(pose, holds=None, holds_left=None)
        if rng.random() < 0.5:
            pose = replace(pose, head=head, face=face)
    elif chance < 0.5 and held.kind in _AT_MOUTH:
        drinks = POSES["drinking"]
        arm = replace(drinks.right, shape=GRIP)
        pose = replace(drinks, holds=held, right=vary_arm(arm, rng, 1.2), face=face)
    elif chance < 0.5 and held.kind is ThingKind.PHONE:
        pose = replace(POSES["phone_at_ear"], holds=held, face=face)
        pose = replace(pose, right=vary_arm(pose.right, rng))
    else:
        pose = Pose(face=face, right=_showing(rng), head=head, holds=held)
        if rng.random() < 0.15:
            other = _thing(rng, (*wanted, *CLUTTER))
            pose = replace(pose, left=_showing(rng), holds_left=other)
    return pose.mirrored() if rng.random() < 0.5 else pose


def _showing(rng: np.random.Generator) -> Arm:
    """A hand somewhere before the body that holds something, turned in many ways."""
    wrist = (float(rng.uniform(-2, 26)), float(rng.uniform(-20, 12)), float(rng.uniform(7, 24)))
    fingers = (
        float(rng.uniform(-0.3, 0.8)),
        float(rng.uniform(-0.1, 1)),
        float(rng.uniform(-0.2, 0.9)),
    )
    palm = (float(rng.uniform(-0.1, 1)), float(rng.uniform(-0.3, 0.3)), float(rng.uniform(-1, 1)))
    if abs(float(np.dot(fingers, palm))) > 0.9 * float(
        np.linalg.norm(fingers) * np.linalg.norm(palm)
    ):
        fingers, palm = (0.3, 0.6, 0.4), (0.9, 0.0, -0.3)
    shape = GRIP if rng.random() < 0.8 else OPEN
    return vary_arm(Arm(wrist, facing(fingers, palm), shape, float(rng.uniform(-10, 30))), rng)


def _kinds(rng: np.random.Generator, wanted: Sequence[ThingKind]) -> Sequence[ThingKind]:
    return wanted if rng.random() < 0.65 else CLUTTER


def _table_height(scene: Scene) -> float:
    """y of a table's surface, so that its middle is a little above the picture's lower edge."""
    camera = SceneCamera.of(scene, 16, 9)
    return float(camera.unproject(8, 8.1, 0.66 * scene.distance)[1])


def _table(rng: np.random.Generator, scene: Scene) -> TableTop:
    grey, tint = rng.uniform(40, 230), rng.normal(0, 22, 3)
    red, green, blue = np.clip(grey + tint + (14, 0, -14), 8, 248).tolist()
    near = -scene.distance + 14
    return TableTop(_table_height(scene), near, float(rng.uniform(-22, -12)), (red, green, blue))


def _on_table(
    rng: np.random.Generator, scene: Scene, wanted: Sequence[ThingKind]
) -> list[PlacedThing]:
    if rng.random() < 0.35:
        return []
    camera, height = SceneCamera.of(scene, 16, 9), _table_height(scene)
    found = []
    for _ in range(int(rng.integers(1, 5))):
        thing = _thing(rng, _kinds(rng, wanted))
        away = scene.distance * float(rng.uniform(0.5, 0.85))
        x, _, z = camera.unproject(float(rng.uniform(0.5, 15.5)), 8, away).tolist()
        if z > -10:
            continue
        rest = _RESTING.get(thing.kind)
        upright = rest is not None or (thing.kind is not ThingKind.PEN and rng.random() < 0.3)
        lift = rest if rest is not None else 9.0 if upright else _LYING
        tilt = float(rng.normal(0, 3) if upright else 90 + rng.normal(0, 4))
        spread = 180 if rest is not None or not upright else 50
        yaw = float(rng.uniform(-spread, spread))
        roll = 0.0 if upright else float(rng.uniform(-180, 180))
        found.append(PlacedThing(thing, (x, height - lift, z), yaw, tilt, roll))
    return found


def _behind(
    rng: np.random.Generator, scene: Scene, wanted: Sequence[ThingKind]
) -> list[PlacedThing]:
    """On shelves that are not drawn: small, and often half hidden by the person."""
    camera = SceneCamera.of(scene, 16, 9)
    found = []
    for _ in range(int(rng.integers(0, 4))):
        away = scene.distance + float(rng.uniform(15, 60))
        place = camera.unproject(float(rng.uniform(0.5, 15.5)), float(rng.uniform(0.8, 8.2)), away)
        thing = _thing(rng, _kinds(rng, wanted))
        x, y, z = place.tolist()
        yaw, roll = float(rng.uniform(-60, 60)), float(rng.normal(0, 5))
        size = float(rng.uniform(1.0, 1.5))
        found.append(
            PlacedThing(thing, (x, y, max(z, 8.0)), yaw, float(rng.normal(0, 6)), roll, size)
        )
    return found


def _floating(
    rng: np.random.Generator, scene: Scene, wanted: Sequence[ThingKind]
) -> list[PlacedThing]:
    """Near the camera and turned anyhow, as what a hand outside the picture holds in."""
    if rng.random() < 0.75:
        return []
    camera = SceneCamera.of(scene, 16, 9)
    away = scene.distance * float(rng.uniform(0.35, 0.8))
    x, y, z = camera.unproject(float(rng.uniform(2, 14)), float(rng.uniform(2, 8)), away).tolist()
    turns = rng.normal(0, (50, 25, 35)).tolist()
    return [PlacedThing(_thing(rng, _kinds(rng, wanted)), (x, y, min(z, -1.0)), *turns)]
