"""Render one picture of a posed person, with the true places of its hands' joints."""

from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from reactions.landmark_types import Points, RgbImage, Side
from reactions.mannequin.background import background, random_room
from reactions.mannequin.canvas import RasterCanvas
from reactions.mannequin.clothes import draw_collar, draw_torso
from reactions.mannequin.hair import HairCut
from reactions.mannequin.head import draw_earrings, draw_glasses, draw_head, draw_neck
from reactions.mannequin.limbs import draw_hand, draw_sleeve, upper_arm
from reactions.mannequin.object_trace import ObjectTrace, SeenObject
from reactions.mannequin.part_space import Part
from reactions.mannequin.person import Person
from reactions.mannequin.pose import Pose
from reactions.mannequin.props import draw_thing, held_frame
from reactions.mannequin.scene import Scene, SceneCamera
from reactions.mannequin.skeleton import HEAD_SIZE, Skeleton, pose_skeleton
from reactions.mannequin.slabs import draw_table
from reactions.mannequin.solids import Plane
from reactions.mannequin.things import OBJECTS, Thing, ThingFrame, ThingKind


def render(
    person: Person,
    pose: Pose,
    scene: Scene,
    width: int = 640,
    height: int = 360,
    *,
    seed: int = 0,
) -> RgbImage:
    """``person`` in ``pose`` as the camera of ``scene`` sees them: (height, width, 3), uint8.

    ``seed`` moves the sensor's noise; everything else is a function of the other arguments.
    """
    canvas = _drawn(person, pose, scene, width, height, None)
    return canvas.finish(_noise(scene.noise, width, height, seed))


def render_objects(
    person: Person,
    pose: Pose,
    scene: Scene,
    width: int = 640,
    height: int = 360,
    *,
    seed: int = 0,
) -> tuple[RgbImage, tuple[SeenObject, ...]]:
    """The picture of ``render``, and where it shows the kinds of objects (``things.OBJECTS``)."""
    trace = ObjectTrace(width, height)
    canvas = _drawn(person, pose, scene, width, height, trace)
    return canvas.finish(_noise(scene.noise, width, height, seed)), trace.seen()


def landmarks(
    person: Person, pose: Pose, scene: Scene, width: int = 640, height: int = 360
) -> dict[Side, Points]:
    """The 21 joints of each hand in pixels of the picture that ``render`` makes.

    z has the scale of x, is 0 at the wrist and negative towards the camera, as the hand models have
    it. Joints outside the picture are given all the same.
    """
    camera = SceneCamera.of(scene, width, height)
    skeleton = pose_skeleton(pose, person.shoulders)
    found = {}
    for side, arm in ((Side.RIGHT, skeleton.right), (Side.LEFT, skeleton.left)):
        seen = camera.project(arm.hand)
        z = -(seen[:, 2] - seen[0, 2]) * seen[0, 3]
        found[side] = np.column_stack([seen[:, :2], z]).astype(np.float32)
    return found


def _drawn(
    person: Person,
    pose: Pose,
    scene: Scene,
    width: int,
    height: int,
    trace: ObjectTrace | None,
) -> RasterCanvas:
    camera = SceneCamera.of(scene, width, height)
    if scene.room is None:
        behind = background(scene.background, scene.light, width, height)
    else:
        behind = random_room(scene.room, scene.light, width, height)
    canvas = RasterCanvas(behind, scene, trace)
    _Drawing(canvas, camera, trace, person, pose).draw(scene)
    return canvas


@dataclass(frozen=True, slots=True, eq=False)
class _Drawing:
    """One picture in the making; ``trace`` follows its objects."""

    canvas: RasterCanvas
    camera: SceneCamera
    trace: ObjectTrace | None
    person: Person
    pose: Pose

    def draw(self, scene: Scene) -> None:
        """What is behind the person, the person, what is before them; glass last: it is clear."""
        skeleton = pose_skeleton(self.pose, self.person.shoulders)
        placed = [(one.thing, ThingFrame.of(one)) for one in scene.things]
        opaque = [one for one in placed if one[0].kind is not ThingKind.GLASS]
        for thing, frame in opaque:
            if frame.middle[2] > 0:
                self._draw_thing(thing, frame)
        if scene.table is not None:
            draw_table(self.canvas, scene.table, self.camera)
        self._draw_body(skeleton)
        held = [
            (thing, held_frame(thing, arm))
            for arm, thing in (
                (skeleton.right, self.pose.holds),
                (skeleton.left, self.pose.holds_left),
            )
            if thing is not None
        ]
        for thing, frame in held:
            if thing.kind is not ThingKind.GLASS:
                self._draw_thing(thing, frame)
        self._draw_arms(skeleton)
        for thing, frame in opaque:
            if frame.middle[2] <= 0:
                self._draw_thing(thing, frame)
        for thing, frame in (*placed, *held):
            if thing.kind is ThingKind.GLASS:
                self._draw_thing(thing, frame)

    def _draw_body(self, skeleton: Skeleton) -> None:
        canvas, person, camera = self.canvas, self.person, self.camera
        head = Part.at(skeleton.head, skeleton.head_axes, camera, HEAD_SIZE)
        body = Part.at(skeleton.lean, np.eye(3), camera)
        hair = HairCut(canvas, person, head)
        hair.draw_behind()
        sleeves = [upper_arm(person, arm, camera) for arm in (skeleton.right, skeleton.left)]
        draw_torso(canvas, person, body, sleeves)
        draw_neck(canvas, person, skeleton, body, head)
        draw_collar(canvas, person, body)
        draw_head(canvas, person, self.pose.face, head)
        hair.draw_before()
        draw_earrings(canvas, person, head)
        with self._traced(ThingKind.GLASSES):
            draw_glasses(canvas, person, head)

    def _draw_arms(self, skeleton: Skeleton) -> None:
        arms = [skeleton.right, skeleton.left]
        arms.sort(key=lambda arm: float(self.camera.project(arm.hand[9])[0, 2]))
        for arm in arms:
            draw_sleeve(self.canvas, self.person, arm, self.camera)
            draw_hand(self.canvas, self.person, arm, self.camera)

    def _draw_thing(self, thing: Thing, frame: ThingFrame) -> None:
        with self._traced(thing.kind):
            draw_thing(self.canvas, thing, frame, self.camera)

    def _traced(self, kind: ThingKind) -> AbstractContextManager[None]:
        if self.trace is None or kind not in OBJECTS:
            return nullcontext()
        return self.trace.of(kind.value)


@lru_cache(maxsize=8)
def _noise_tile(sigma: float, width: int, height: int) -> Plane:
    generator = np.random.default_rng(20)
    tile = generator.normal(0.5, sigma, (height + 32, width + 32)).astype(np.float32)
    tile.setflags(write=False)
    return tile


def _noise(sigma: float, width: int, height: int, seed: int) -> Plane | None:
    if sigma <= 0:
        return None
    x, y = (seed * 7919 + 11) % 32, (seed * 104729 + 5) // 32 % 32
    return _noise_tile(sigma, width, height)[y : y + height, x : x + width]
