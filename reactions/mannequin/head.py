"""The head: skull, jaw, nose, ears and neck as clay, the painted face, glasses and earrings."""

import numpy as np

from reactions.mannequin.canvas import Material, RasterCanvas, colour_plane, skin_material
from reactions.mannequin.face import FaceCanvas, jaw_drop, paint_face
from reactions.mannequin.frames import SpectacleFrames, lens_outline
from reactions.mannequin.part_space import Part, toned
from reactions.mannequin.person import Person
from reactions.mannequin.pose import FacePose
from reactions.mannequin.skeleton import Skeleton
from reactions.mannequin.solids import Ball, Clay

_METAL = Material((0.5, 0.45, 0.4), (1.2, 1.15, 1.1), rim=0.4, gloss=0.6)


def draw_neck(
    canvas: RasterCanvas, person: Person, skeleton: Skeleton, body: Part, head: Part
) -> None:
    """The neck, drawn before the head so that the chin's shadow falls on it."""
    radius = 4.5 + 0.6 * (person.shoulders - 0.9) / 0.2
    a, b = body.ball((0, 4.0, 2.0), radius + 1.1), head.ball((0, 6.0, 1.5), radius)
    clay = Clay.around([_reach(a), _reach(b)], canvas.width, canvas.height)
    if clay is None:
        return
    clay.capsule(a, b)
    canvas.lay(clay, colour_plane(toned(person.skin, 0.93)), skin_material(person.skin))


def draw_head(canvas: RasterCanvas, person: Person, face: FacePose, head: Part) -> None:
    """Skull, face and ears."""
    x, y = float(head.origin[0]), float(head.origin[1])
    reach = 14.0 * head.scale
    clay = Clay.around([(x - reach, y - reach, x + reach, y + reach)], canvas.width, canvas.height)
    if clay is None:
        return
    _shape(clay, person, face, head)
    clay = clay.cropped()
    u, v, _ = head.coordinates(clay)
    albedo = np.empty((3, *clay.height.shape), np.float32)
    albedo[...] = colour_plane(person.skin)
    paint_face(FaceCanvas(head, clay, albedo, u, v), person, face)
    canvas.lay(clay, albedo, skin_material(person.skin), shadow=0.42, fold=0.5)


def _shape(clay: Clay, person: Person, face: FacePose, head: Part) -> None:
    drop = jaw_drop(face)
    jaw = person.jaw
    wide = 0.25 * person.beard
    cheek = max(face.smile, 0.0)

    def blob(
        center: tuple[float, float, float], radii: tuple[float, float, float], merge: float
    ) -> None:
        head.ellipsoid(clay, center, radii, merge)

    for side in (-1.0, 1.0):
        blob((side * 7.25, 1.2, 0.8), (0.95, 2.15, 1.5), 0.3)
    blob((0, -2.8, 0.9), (7.35, 9.2, 9.0), 0.8)
    blob((0, 3.0 + drop * 0.35, -1.5), (6.55 * jaw, 8.2 + drop * 0.4, 6.5), 1.6)
    blob((0, 8.4 + drop * 0.75, -3.6), (3.4 * jaw + wide, 2.7 + wide, 3.4), 1.5)
    for side in (-1.0, 1.0):
        blob((side * 3.1, 3.2 - 0.5 * cheek, -3.0), (3.4, 3.3, 3.5 + 0.3 * cheek), 1.5)
    _nose(clay, head)


def _nose(clay: Clay, head: Part) -> None:
    clay.capsule(head.ball((0, -0.4, -7.4), 0.62), head.ball((0, 3.15, -8.75), 0.98), merge=0.7)
    for side in (-1.0, 1.0):
        wing = head.ball((side * 1.0, 3.75, -7.7), 0.72)
        clay.capsule(wing, wing, merge=0.5)


def draw_glasses(canvas: RasterCanvas, person: Person, head: Part) -> None:
    """Frames in front of the eyes; clear lenses only catch a little light."""
    if person.glasses is None:
        return
    frames = person.frames
    height, scale = float(head.origin[2]) + 9.0, head.scale
    width = max(frames.wire * scale, 1.2)
    for side in (-1.0, 1.0):
        ring = lens_outline(frames, side) - (0, 0, 8.6)
        seen = head.project(ring)[:, :2]
        _lens(canvas, frames, head, side)
        canvas.stroke(seen, width, person.glasses, 0.95, height, reach=6.0)
        hinge = side * (3.15 + frames.wide)
        temple = head.project([(hinge, -0.3, -8.4), (side * 7.6, -0.1, -1.0)])[:, :2]
        canvas.stroke(temple, width, toned(person.glasses, 0.8), 0.9, height - 4, reach=9.0)
    bridge = head.project([(-0.7, -0.35, -8.7), (0, -0.6, -8.9), (0.7, -0.35, -8.7)])[:, :2]
    canvas.stroke(bridge, width, person.glasses, 0.95, height, reach=6.0)


def _lens(canvas: RasterCanvas, frames: SpectacleFrames, head: Part, side: float) -> None:
    """What a lens adds to the eye behind it: a streak of light, or the dark of sunglasses."""
    if frames.dark:
        place, radii = (side * 3.2, 0.1, -8.6), (frames.wide, frames.tall, 0.3)
        x, y, _, _ = head.project(place)[0].tolist()
        reach = 1.2 * max(frames.wide, frames.tall) * head.scale
        box = (x - reach, y - reach, x + reach, y + reach)
        clay = Clay.around([box], canvas.width, canvas.height)
        if clay is not None:
            head.ellipsoid(clay, place, radii, merge=0.1)
            canvas.lay(clay, colour_plane((30, 32, 38)), _METAL, alpha=frames.dark)
    _glare(canvas, head, side)


def _glare(canvas: RasterCanvas, head: Part, side: float) -> None:
    streak = head.project([(side * 3.2 - 1.5, 0.9, -8.6), (side * 3.2 - 0.4, -1.2, -8.6)])[:, :2]
    width = 0.7 * head.scale
    canvas.stroke(streak, width, (255, 255, 255), 0.16, float(head.origin[2]) + 8, reach=6.0)


def draw_earrings(canvas: RasterCanvas, person: Person, head: Part) -> None:
    """A small bead under each ear."""
    if person.earrings is None:
        return
    for side in (-1.0, 1.0):
        bead = head.ball((side * 7.75, 4.1, 0.4), 0.62)
        clay = Clay.around([_reach(bead)], canvas.width, canvas.height)
        if clay is not None:
            clay.capsule(bead, bead)
            canvas.lay(clay, colour_plane(person.earrings), _METAL)


def _reach(ball: Ball) -> tuple[float, float, float, float]:
    return ball.x - ball.radius, ball.y - ball.radius, ball.x + ball.radius, ball.y + ball.radius
