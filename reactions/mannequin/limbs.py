"""Arms and hands as clay: sleeves, forearms, palms and fingers."""

import numpy as np

from reactions.mannequin.bones import Bone, bones_of, side_facing
from reactions.mannequin.canvas import CLOTH, RasterCanvas, colour_plane, skin_material
from reactions.mannequin.hand_details import draw_marks, palm_colour
from reactions.mannequin.person import Person
from reactions.mannequin.pose import Matrix
from reactions.mannequin.scene import SceneCamera
from reactions.mannequin.skeleton import HAND_SCALE, ArmJoints
from reactions.mannequin.solids import COVER, TONE, Ball, Clay, Plane

# The palm in the hand's frame: four rays from the heel to the knuckles form its back, mounds on
# its front leave the hollow between them (from, to, radii; cm).
_RAYS = (
    ((1.45, -0.2, 0.1), (2.65, -8.8, 0.35), 1.70, 1.12),
    ((0.50, -0.3, 0.3), (0.55, -9.1, 0.60), 1.70, 1.15),
    ((-0.60, -0.3, 0.3), (-1.55, -8.7, 0.50), 1.70, 1.10),
    ((-1.50, -0.2, 0.1), (-3.40, -7.7, 0.10), 1.70, 1.02),
)
_MOUNDS = (
    ((1.7, -1.6, -0.5), (2.5, -4.4, -0.7), 1.55, 1.35),
    ((-1.9, -1.2, -0.3), (-3.1, -4.6, -0.35), 1.45, 1.20),
    ((-3.3, -6.9, -0.25), (-1.6, -8.0, -0.05), 0.95, 1.00),
    ((-1.6, -8.0, -0.05), (2.6, -8.2, -0.10), 1.00, 1.00),
)
_CUFF = 0.86
"""Where a long sleeve ends on the way from elbow to wrist."""


def upper_arm(person: Person, arm: ArmJoints, camera: SceneCamera) -> tuple[Ball, Ball]:
    """The clothed part of the upper arm, as the ends of a capsule."""
    end = arm.elbow
    if person.short_sleeves:
        end = arm.shoulder + (arm.elbow - arm.shoulder) * 0.62
    shoulder, lower = camera.project(np.array([arm.shoulder, end]))
    return Ball.at(shoulder, 4.5), Ball.at(lower, 4.8 if person.short_sleeves else 4.0)


def draw_sleeve(canvas: RasterCanvas, person: Person, arm: ArmJoints, camera: SceneCamera) -> None:
    """The forearm under a long sleeve, down to the cuff."""
    if person.short_sleeves:
        return
    way = arm.hand[0] - arm.elbow
    above = arm.elbow + (arm.shoulder - arm.elbow) * 0.25
    places = [above, arm.elbow, arm.elbow + way * (_CUFF - 0.12), arm.elbow + way * _CUFF]
    seen = camera.project(np.array(places))
    balls = [Ball.at(p, r) for p, r in zip(seen, (4.1, 4.0, 3.5, 3.35), strict=True)]
    clay = Clay.around([_reach(ball) for ball in balls], canvas.width, canvas.height)
    if clay is None:
        return
    clay.capsule(balls[0], balls[1], merge=0.8)
    clay.capsule(balls[1], balls[3], merge=0.8)
    clay.capsule(balls[2], Ball.at(seen[3], 3.55), merge=0.1)
    canvas.lay(clay.cropped(), colour_plane(person.cloth), CLOTH, shadow=0.22, fold=0.8)


def draw_hand(canvas: RasterCanvas, person: Person, arm: ArmJoints, camera: SceneCamera) -> None:
    """Forearm below the sleeve, palm and fingers."""
    if not _in_sight(canvas, person, arm, camera):
        return
    bones = bones_of(arm)
    clay = _hand_clay(canvas, person, arm, bones, camera)
    if clay is None:
        return
    albedo = _skin(person, clay)
    canvas.lay(clay, albedo, skin_material(person.skin), shadow=0.34, fold=0.28)
    draw_marks(canvas, person.skin, arm, bones, camera)


def _in_sight(canvas: RasterCanvas, person: Person, arm: ArmJoints, camera: SceneCamera) -> bool:
    skin = np.vstack([arm.elbow, arm.hand]) if person.short_sleeves else arm.hand
    seen = camera.project(skin)
    margin = 5 * seen[:, 3].max()
    low, high = seen[:, :2].min(axis=0) - margin, seen[:, :2].max(axis=0) + margin
    return bool(low[0] < canvas.width and low[1] < canvas.height and (high > 0).all())


def _hand_clay(
    canvas: RasterCanvas,
    person: Person,
    arm: ArmJoints,
    bones: tuple[Bone, ...],
    camera: SceneCamera,
) -> Clay | None:
    hand = arm.hand
    start = 0.05 if person.short_sleeves else _CUFF - 0.06
    forearm = arm.elbow + (hand[0] - arm.elbow) * start
    points = camera.project(np.vstack([forearm, hand]))
    thick = 4.0 if person.short_sleeves else 2.75
    elbow, wrist = Ball.at(points[0], thick), Ball.at(points[1], 2.3)
    boxes = [_reach(elbow, 1.4)] + [_reach(Ball.at(p, 2.4)) for p in points[1:]]
    clay = Clay.around(boxes, canvas.width, canvas.height)
    if clay is None:
        return None
    front = camera.turned(-arm.axes[:, 2])
    palm = side_facing(-arm.axes[:, 2], hand[0], camera)
    clay.capsule(elbow, wrist, merge=0.6, tone=0.35 * palm)
    if person.short_sleeves:
        above = arm.shoulder + (arm.elbow - arm.shoulder) * 0.5
        clay.capsule(Ball.at(camera.project(above)[0], 3.9), elbow, merge=0.8, tone=0)
    for solids, merge in ((_RAYS, 1.0), (_MOUNDS, 1.1)):
        for a, b, start_radius, end_radius in solids:
            ends = camera.project(hand[0] + np.array([a, b]) * HAND_SCALE @ arm.axes.T)
            start_ball = Ball.at(ends[0], start_radius * HAND_SCALE)
            clay.capsule(start_ball, Ball.at(ends[1], end_radius * HAND_SCALE), merge, 1, front)
    _web(clay, arm, camera, front)
    for bone in bones:
        a, b = camera.project(np.array([bone.a, bone.b]))
        side = camera.turned(bone.pad)
        clay.capsule(Ball.at(a, bone.thick), Ball.at(b, bone.thin), merge=0.18, side=side)
    return clay


def _web(clay: Clay, arm: ArmJoints, camera: SceneCamera, front: Matrix) -> None:
    """The skin between thumb and index finger, and between the fingers' first bones."""
    hand = arm.hand
    fork = hand[2] * 0.5 + hand[5] * 0.5 + (hand[0] - hand[5]) * 0.10
    root, fork_seen = camera.project(np.array([hand[1], fork]))
    clay.capsule(Ball.at(fork_seen, 0.8), Ball.at(root, 1.4), merge=1.4, side=front)
    for a, b in ((5, 9), (9, 13), (13, 17)):
        ends = hand[[a, b]] * 0.80 + hand[[a + 1, b + 1]] * 0.20
        if np.linalg.norm(ends[0] - ends[1]) < 3.0 * HAND_SCALE:
            p, q = camera.project(ends)
            clay.capsule(Ball.at(p, 0.92), Ball.at(q, 0.86), merge=0.7, side=front)


def _skin(person: Person, clay: Clay) -> Plane:
    """Palms are lighter and rosier than backs, the more so on dark skin."""
    tone = clay.layers[TONE] / np.maximum(clay.layers[COVER], 0.01)
    front, back = palm_colour(person.skin), person.skin
    albedo = np.empty((3, *tone.shape), np.float32)
    for c in range(3):
        np.multiply(tone, np.float32(front[c] - back[c]), out=albedo[c])
        albedo[c] += np.float32(back[c])
    return albedo


def _reach(ball: Ball, times: float = 1.0) -> tuple[float, float, float, float]:
    r = ball.radius * times
    return ball.x - r, ball.y - r, ball.x + r, ball.y + r
