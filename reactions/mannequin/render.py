"""Render one picture of a posed person, with the true places of its hands' joints."""

from functools import lru_cache

import numpy as np

from reactions.landmark_types import Points, RgbImage, Side
from reactions.mannequin.background import background
from reactions.mannequin.canvas import RasterCanvas
from reactions.mannequin.clothes import draw_collar, draw_torso
from reactions.mannequin.hair import HairCut
from reactions.mannequin.head import draw_earrings, draw_glasses, draw_head, draw_neck
from reactions.mannequin.limbs import draw_hand, draw_sleeve, upper_arm
from reactions.mannequin.part_space import Part
from reactions.mannequin.person import Person
from reactions.mannequin.pose import Pose
from reactions.mannequin.props import draw_mug
from reactions.mannequin.scene import Scene, SceneCamera
from reactions.mannequin.skeleton import HEAD_SIZE, Skeleton, pose_skeleton
from reactions.mannequin.solids import Plane


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
    camera = SceneCamera.of(scene, width, height)
    skeleton = pose_skeleton(pose, person.shoulders)
    canvas = RasterCanvas(background(scene.background, scene.light, width, height), scene)
    _draw(canvas, person, pose, skeleton, camera)
    return canvas.finish(_noise(scene.noise, width, height, seed))


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


def _draw(
    canvas: RasterCanvas,
    person: Person,
    pose: Pose,
    skeleton: Skeleton,
    camera: SceneCamera,
) -> None:
    head = Part.at(skeleton.head, skeleton.head_axes, camera, HEAD_SIZE)
    body = Part.at(skeleton.lean, np.eye(3), camera)
    hair = HairCut(canvas, person, head)
    hair.draw_behind()
    sleeves = [upper_arm(person, arm, camera) for arm in (skeleton.right, skeleton.left)]
    draw_torso(canvas, person, body, sleeves)
    draw_neck(canvas, person, skeleton, body, head)
    draw_collar(canvas, person, body)
    draw_head(canvas, person, pose.face, head)
    hair.draw_before()
    draw_earrings(canvas, person, head)
    draw_glasses(canvas, person, head)
    arms = [skeleton.right, skeleton.left]
    arms.sort(key=lambda arm: float(camera.project(arm.hand[9])[0, 2]))
    held = [(skeleton.right, pose.mug), (skeleton.left, pose.mug_left)]
    for arm, mug in held:
        if mug:
            draw_mug(canvas, arm, camera)
    for arm in arms:
        draw_sleeve(canvas, person, arm, camera)
        draw_hand(canvas, person, arm, camera)


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
