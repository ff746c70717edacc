"""Arms and hands as clay: sleeves, palms, fingers, nails and the lines of the palm."""

from dataclasses import dataclass

import numpy as np

from reactions.mannequin.canvas import CLOTH, SKIN, Canvas, colour_plane
from reactions.mannequin.clay import COVER, TONE, Ball, Clay, Plane
from reactions.mannequin.person import Person
from reactions.mannequin.pose import Matrix
from reactions.mannequin.scene import Camera
from reactions.mannequin.skeleton import HAND_SCALE, ArmJoints
from reactions.mannequin.surface import between, inside, toned

# Radii in cm: base of a finger to its tip, index to little; and the thumb's.
_FINGER_RADII = (
    (1.02, 0.88, 0.80, 0.70),
    (1.06, 0.92, 0.82, 0.72),
    (1.00, 0.87, 0.78, 0.68),
    (0.88, 0.75, 0.68, 0.60),
)
_THUMB_RADII = (1.75, 1.18, 1.02, 0.82)
# Where the palm's four rays begin at the wrist (hand frame), and how thick they are.
_HEEL = ((1.45, -0.2, 0.0), (0.5, -0.3, 0.1), (-0.6, -0.3, 0.1), (-1.5, -0.2, 0.0))
_HEEL_RADIUS, _KNUCKLE_RADIUS = 1.75, 1.20


@dataclass(frozen=True, slots=True, eq=False)
class _Bone:
    """A finger bone with the direction that its pad faces (body coordinates)."""

    a: Matrix
    b: Matrix
    thick: float
    thin: float
    pad: Matrix
    nail: bool


def draw_sleeve(canvas: Canvas, person: Person, arm: ArmJoints, camera: Camera) -> None:
    """Upper arm and, under a long sleeve, most of the forearm."""
    shoulder, elbow, wrist = camera.project(np.array([arm.shoulder, arm.elbow, arm.hand[0]]))
    a, b = Ball.at(shoulder, 5.0), Ball.at(elbow, 4.5)
    pairs = [(a, b)]
    if person.short_sleeves:
        middle = arm.shoulder + (arm.elbow - arm.shoulder) * 0.62
        pairs = [(a, Ball.at(camera.project(middle)[0], 5.2))]
    else:
        cuff = arm.elbow + (arm.hand[0] - arm.elbow) * _cuff(person)
        rib = arm.elbow + (arm.hand[0] - arm.elbow) * (_cuff(person) - 0.12)
        end, start = camera.project(np.array([cuff, rib]))
        pairs += [(b, Ball.at(end, 3.3)), (Ball.at(start, 3.55), Ball.at(end, 3.45))]
    clay = Clay.around([_reach(p) for pair in pairs for p in pair], canvas.width, canvas.height)
    if clay is None:
        return
    for i, (p, q) in enumerate(pairs):
        clay.capsule(p, q, merge=0.8 if i < 2 else 0.1)
    canvas.lay(clay, colour_plane(person.cloth), CLOTH, shadow=0.22, fold=0.8)


def draw_hand(canvas: Canvas, person: Person, arm: ArmJoints, camera: Camera) -> None:
    """Forearm below the sleeve, palm and fingers."""
    bones = _bones(arm)
    clay = _hand_clay(canvas, person, arm, bones, camera)
    if clay is None:
        return
    albedo = _skin(person, clay)
    canvas.lay(clay, albedo, SKIN, shadow=0.34, fold=0.28)
    for bone in bones:
        if bone.nail:
            _paint_nail(canvas, person, bone, camera)
    _palm_lines(canvas, person, arm, camera)


def _cuff(person: Person) -> float:
    return 0.86


def _bones(arm: ArmJoints) -> list[_Bone]:
    hand, side = arm.hand, float(np.sign(np.linalg.det(arm.axes)))
    thumbwards, front = arm.axes[:, 0], -arm.axes[:, 2]
    bones = []
    # A thumb's pad looks towards the middle of the palm's front.
    target = hand[0] + arm.axes @ np.array([-1.2, -6.5, -3.2])
    for i in range(3):
        a, b = hand[1 + i], hand[2 + i]
        pad = _square(target - b, b - a) if i else front
        radii = [r * HAND_SCALE for r in _THUMB_RADII[i : i + 2]]
        bones.append(_Bone(a, b, radii[0], radii[1], pad, i == 2))
    for f, radius in enumerate(_FINGER_RADII):
        for i in range(3):
            a, b = hand[5 + 4 * f + i], hand[6 + 4 * f + i]
            along = (b - a) / np.linalg.norm(b - a)
            pad = np.cross(thumbwards, along) * side
            thick, thin = radius[i] * HAND_SCALE, radius[i + 1] * HAND_SCALE
            bones.append(_Bone(a, b, thick, thin, pad / np.linalg.norm(pad), i == 2))
    return bones


def _hand_clay(
    canvas: Canvas, person: Person, arm: ArmJoints, bones: list[_Bone], camera: Camera
) -> Clay | None:
    hand = arm.hand
    start = 0.05 if person.short_sleeves else _cuff(person) - 0.06
    forearm = arm.elbow + (hand[0] - arm.elbow) * start
    heel = hand[0] + np.array(_HEEL) @ arm.axes.T * HAND_SCALE
    points = camera.project(np.vstack([forearm, hand, heel]))
    thick = 4.0 if person.short_sleeves else 2.75
    elbow, wrist = Ball.at(points[0], thick), Ball.at(points[1], 2.35)
    boxes = [_reach(elbow)] + [_reach(Ball.at(p, 2.2)) for p in points[1:]]
    clay = Clay.around(boxes, canvas.width, canvas.height)
    if clay is None:
        return None
    front = -arm.axes[:, 2]
    palm = _facing(front, hand[0], camera)
    clay.capsule(elbow, wrist, merge=0.6, tone=0.35 * palm)
    knuckles, heels = points[1:][[5, 9, 13, 17]], points[22:]
    for a, b in zip(heels, knuckles, strict=True):
        balls = Ball.at(a, _HEEL_RADIUS * HAND_SCALE), Ball.at(b, _KNUCKLE_RADIUS * HAND_SCALE)
        clay.capsule(*balls, merge=1.0, tone=palm)
    # The web of skin between thumb and index finger.
    web = Ball.at(points[1 + 2] * 0.55 + points[1 + 5] * 0.45, 1.0 * HAND_SCALE)
    clay.capsule(web, Ball.at(points[1 + 1], 1.5 * HAND_SCALE), merge=1.0, tone=palm)
    for bone in bones:
        a, b = camera.project(np.array([bone.a, bone.b]))
        tone = _facing(bone.pad, bone.b, camera)
        clay.capsule(Ball.at(a, bone.thick), Ball.at(b, bone.thin), merge=0.18, tone=tone)
    return clay


def _skin(person: Person, clay: Clay) -> Plane:
    """Palms are lighter and rosier than backs, the more so on dark skin."""
    tone = clay.layers[TONE] / np.maximum(clay.layers[COVER], 0.01)
    front, back = palm_colour(person.skin), person.skin
    albedo = np.empty((3, *tone.shape), np.float32)
    for c in range(3):
        np.multiply(tone, np.float32(front[c] - back[c]), out=albedo[c])
        albedo[c] += np.float32(back[c])
    return albedo


def palm_colour(skin: tuple[float, float, float]) -> tuple[float, float, float]:
    """The palm that goes with ``skin``."""
    dark = 1 - sum(skin) / 3 / 255
    rosy = between(skin, (232, 168, 146), 0.12 + 0.40 * dark)
    return between(rosy, (240, 150, 140), 0.10)


def _paint_nail(canvas: Canvas, person: Person, bone: _Bone, camera: Camera) -> None:
    along = (bone.b - bone.a) / np.linalg.norm(bone.b - bone.a)
    center = bone.b - bone.pad * bone.thin * 0.86 + along * bone.thin * 0.10
    facing = _toward(-bone.pad, center, camera)
    if facing < 0.15:
        return
    half = bone.thin * 0.62
    ends = camera.project(np.array([center - along * half * 0.7, center + along * half * 0.9]))
    colour = between(palm_colour(person.skin), (255, 222, 214), 0.55)
    width = 2 * half * float(ends[0, 3]) * (0.35 + 0.65 * facing)
    height = float(ends[:, 2].mean())
    canvas.stroke(ends[:, :2], width, toned(colour, 1.0), 0.62 * min(facing * 2, 1.0), height, 1.1)


def _palm_lines(canvas: Canvas, person: Person, arm: ArmJoints, camera: Camera) -> None:
    front = -arm.axes[:, 2]
    facing = _toward(front, arm.hand[9], camera)
    if facing < 0.35:
        return
    colour = toned(palm_colour(person.skin), 0.58)
    for line in _LINES:
        local = np.array(line) * HAND_SCALE
        points = camera.project(arm.hand[0] + local @ arm.axes.T)
        width = 0.20 * float(points[0, 3])
        canvas.stroke(points[:, :2], width, colour, 0.42 * facing, float(points[:, 2].mean()), 1.2)


# Heart, head and life line on the palm's surface, hand frame.
_LINES = (
    ((-3.9, -6.2, -1.2), (-1.6, -6.9, -1.3), (0.4, -7.5, -1.3), (1.3, -8.3, -1.2)),
    ((2.9, -6.6, -1.2), (0.6, -5.8, -1.4), (-1.6, -4.6, -1.5), (-2.6, -3.6, -1.5)),
    ((2.9, -6.7, -1.2), (1.3, -5.6, -1.5), (0.4, -3.9, -1.7), (0.3, -1.8, -1.7)),
)


def _facing(direction: Matrix, place: Matrix, camera: Camera) -> float:
    """0 (turned away) to 1 (faces the camera), with a soft middle."""
    w = min(max(0.5 + 1.1 * _toward(direction, place, camera), 0.0), 1.0)
    return w * w * (3 - 2 * w)


def _toward(direction: Matrix, place: Matrix, camera: Camera) -> float:
    """Cosine between ``direction`` and the ray from ``place`` to the camera."""
    eye = camera.eye() - place
    return float(direction @ eye / np.linalg.norm(eye))


def _square(direction: Matrix, along: Matrix) -> Matrix:
    along = along / np.linalg.norm(along)
    direction = direction - along * float(direction @ along)
    unit: Matrix = direction / max(float(np.linalg.norm(direction)), 1e-6)
    return unit


def _reach(ball: Ball) -> tuple[float, float, float, float]:
    return ball.x - ball.radius, ball.y - ball.radius, ball.x + ball.radius, ball.y + ball.radius
