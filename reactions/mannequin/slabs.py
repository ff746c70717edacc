"""Flat things as slabs: phones, books, paper, parcels, pictures and table tops."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final, TypeAlias

import numpy as np

from reactions.mannequin.canvas import Colour, Material, RasterCanvas
from reactions.mannequin.part_space import mix, toned
from reactions.mannequin.pose import Matrix
from reactions.mannequin.scene import SceneCamera
from reactions.mannequin.solids import COVER, NX, NY, Clay, Plane
from reactions.mannequin.things import TableTop, Thing, ThingFrame

MATT: Final = Material((0.40, 0.39, 0.42), (1.10, 1.07, 1.04), rim=0.08, gloss=0.04, crease=0.2)
GLOSSY: Final = Material((0.42, 0.40, 0.44), (1.10, 1.07, 1.04), rim=0.15, gloss=0.35, crease=0.2)
_LIT: Final = Material((0.85, 0.85, 0.88), (1.05, 1.05, 1.05), gloss=0.12, crease=0.1)
"""A screen that is on."""

Paint: TypeAlias = Callable[[Plane, Plane, Plane], None]
"""Paints the albedo (3, h, w) of a face; its pixels are (u, v) cm right of and above its middle."""


@dataclass(frozen=True, slots=True, eq=False)
class Panel:
    """A flat rectangle: its middle, and half its sides as vectors, in body coordinates."""

    middle: Matrix
    right: Matrix
    up: Matrix
    corner: float = 0.0
    """Radius of its corners, cm."""

    @property
    def sides(self) -> tuple[float, float]:
        """Half its width and height, cm."""
        return float(np.linalg.norm(self.right)), float(np.linalg.norm(self.up))


def draw_panel(
    canvas: RasterCanvas,
    camera: SceneCamera,
    panel: Panel,
    paint: Paint,
    material: Material = MATT,
    shadow: float = 0.0,
) -> None:
    """The panel where its front is seen: ``right`` x ``up`` points to the viewer."""
    wide, tall = panel.sides
    front = np.cross(panel.right, panel.up) / max(wide * tall, 1e-9)
    if float(front @ (camera.eye() - panel.middle)) <= 0:
        return
    signs = np.array([(-1, -1), (1, -1), (1, 1), (-1, 1)], float)
    seen = camera.project(panel.middle + signs @ np.stack([panel.right, panel.up]))
    nearest = camera.distance - float(seen[:, 2].max())
    if nearest < 8:
        return
    low, high = seen[:, :2].min(axis=0), seen[:, :2].max(axis=0)
    clay = Clay.around([(*low.tolist(), *high.tolist())], canvas.width, canvas.height)
    if clay is None:
        return
    u, v = _coordinates(clay, seen[:, :2], signs * (wide, tall))
    _shape(clay, panel, camera, u, v, front)
    albedo = np.empty((3, *clay.height.shape), np.float32)
    paint(albedo, u, v)
    canvas.lay(clay, albedo, material, shadow=shadow)


def _coordinates(clay: Clay, seen: Matrix, places: Matrix) -> tuple[Plane, Plane]:
    """Where each pixel of ``clay`` lies on the panel: a homography through its four corners."""
    rows, values = [], []
    for (x, y), (u, v) in zip(seen.tolist(), places.tolist(), strict=True):
        rows += [[x, y, 1, 0, 0, 0, -u * x, -u * y], [0, 0, 0, x, y, 1, -v * x, -v * y]]
        values += [u, v]
    h = np.linalg.lstsq(np.array(rows), np.array(values), rcond=None)[0].astype(np.float32)
    below = h[6] * clay.x + h[7] * clay.y + np.float32(1)
    below = np.where(np.abs(below) < 1e-6, np.float32(1e-6), below)
    u = (h[0] * clay.x + h[1] * clay.y + h[2]) / below
    v = (h[3] * clay.x + h[4] * clay.y + h[5]) / below
    return u, v


def _shape(
    clay: Clay, panel: Panel, camera: SceneCamera, u: Plane, v: Plane, front: Matrix
) -> None:
    wide, tall = panel.sides
    round_off = min(panel.corner, wide, tall)
    dx, dy = np.abs(u) - (wide - round_off), np.abs(v) - (tall - round_off)
    outside = np.hypot(np.maximum(dx, 0), np.maximum(dy, 0)) - round_off
    inner = -(outside + np.minimum(np.maximum(dx, dy), 0))
    down, across = np.gradient(inner)
    steep = np.maximum(np.hypot(down, across), np.float32(1e-4))
    cover = np.clip(inner / steep + 0.5, 0, 1).astype(np.float32)
    view = camera.view
    middle = -float(camera.project(panel.middle)[0, 2])
    slope_u = float(view[2] @ panel.right) / wide
    slope_v = float(view[2] @ panel.up) / tall
    clay.height[...] = -(middle + slope_u * u + slope_v * v)
    normal = view @ front
    clay.layers[NX] = cover * np.float32(normal[0])
    clay.layers[NY] = cover * np.float32(normal[1])
    clay.layers[COVER] = cover


def plain(colour: Sequence[float]) -> Paint:
    """One colour all over."""

    def paint(albedo: Plane, u: Plane, v: Plane) -> None:
        albedo[...] = np.asarray(colour, np.float32).reshape(3, 1, 1)

    return paint


def band(value: Plane, low: float, high: float) -> Plane:
    """1 where ``value`` is between two ends, else 0."""
    inside: Plane = ((value > low) & (value < high)).astype(np.float32)
    return inside


def draw_slab(
    canvas: RasterCanvas,
    camera: SceneCamera,
    frame: ThingFrame,
    sides: tuple[float, float, float],
    paints: tuple[Paint, Paint, Paint],
    material: Material = MATT,
    corner: float = 0.0,
) -> None:
    """A box of ``sides`` (width, height, depth; cm), its front, back and edges painted."""
    wide, tall, deep = (side * frame.size / 2 for side in sides)
    right, up, front = frame.right * wide, frame.up * tall, frame.front * deep
    edge = paints[2]
    inner = max(1 - corner * frame.size / max(min(wide, tall), 1e-6), 0.2)
    for normal, x, y in (
        (right, -front, up * inner),
        (-right, front, up * inner),
        (up, right * inner, -front),
        (-up, right * inner, front),
    ):
        draw_panel(canvas, camera, Panel(frame.middle + normal, x, y), edge, material)
    back = Panel(frame.middle - front, -right, up, corner * frame.size)
    draw_panel(canvas, camera, back, _sized(paints[1], frame.size), material, shadow=0.2)
    face = Panel(frame.middle + front, right, up, corner * frame.size)
    draw_panel(canvas, camera, face, _sized(paints[0], frame.size), material, shadow=0.2)


def _sized(paint: Paint, size: float) -> Paint:
    def scaled(albedo: Plane, u: Plane, v: Plane) -> None:
        paint(albedo, u / np.float32(size), v / np.float32(size))

    return scaled


_CASES: Final[tuple[Colour, ...]] = (
    (28, 28, 32), (210, 212, 216), (36, 52, 92), (150, 40, 52), (90, 130, 110), (222, 190, 170),
    (120, 96, 150), (70, 74, 80),
)  # fmt: skip
_SCREENS: Final[tuple[Colour, ...]] = (
    (36, 92, 180), (230, 232, 238), (30, 34, 44), (190, 110, 160), (80, 160, 130), (240, 170, 90),
)  # fmt: skip


def draw_phone(canvas: RasterCanvas, thing: Thing, frame: ThingFrame, camera: SceneCamera) -> None:
    """A phone, its screen in front, on or off, and its cameras on the back."""
    rng = np.random.default_rng([thing.look, 1])
    wide, tall = float(rng.uniform(6.7, 8.2)), float(rng.uniform(14.0, 16.8))
    case = _CASES[rng.integers(len(_CASES))] if thing.look else _CASES[0]
    screen, other = (_SCREENS[i] for i in rng.integers(len(_SCREENS), size=2))
    on = bool(rng.random() < 0.7) and thing.look > 0
    tiles = rng.uniform(-1, 1, (int(rng.integers(3, 9)), 4))
    lenses = int(rng.integers(1, 4))

    def front(albedo: Plane, u: Plane, v: Plane) -> None:
        plain(toned(case, 0.6))(albedo, u, v)
        inside = band(u, -wide / 2 + 0.3, wide / 2 - 0.3) * band(v, -tall / 2 + 0.5, tall / 2 - 0.5)
        if not on:
            mix(albedo, (14, 15, 20), inside)
            return
        for c in range(3):
            shade = screen[c] + (other[c] - screen[c]) * np.clip(v / tall + 0.5, 0, 1) * 0.5
            albedo[c] += (shade - albedo[c]) * inside
        for x, y, w, h in tiles:
            tile = band(u - x * wide / 3, -0.5 - abs(w), 0.5 + abs(w))
            tile *= band(v - y * tall / 2.6, -0.35 - 0.5 * abs(h), 0.35 + 0.5 * abs(h))
            mix(albedo, toned(other, 0.5 + float(abs(w + h)) / 2), tile * inside)

    def back(albedo: Plane, u: Plane, v: Plane) -> None:
        plain(case)(albedo, u, v)
        # The back is seen mirrored: its right is the front's left.
        x, y = wide / 2 - 1.6, tall / 2 - 1.9
        mix(albedo, toned(case, 0.7), band(u - x, -1.3, 1.3) * band(v - y, -1.5, 1.5))
        for k in range(lenses):
            r = np.hypot(u - x + (0.55 if k == 2 else 0), v - y - 0.7 + 1.1 * (k % 2))
            mix(albedo, (12, 12, 16), (r < 0.5).astype(np.float32))
            mix(albedo, (120, 130, 150), (r < 0.16).astype(np.float32))

    paints = (front, back, plain(toned(case, 0.85)))
    material = _LIT if on else GLOSSY
    draw_slab(canvas, camera, frame, (wide, tall, 0.85), paints, material, corner=1.0)


_COVERS: Final[tuple[Colour, ...]] = (
    (178, 56, 48), (38, 78, 128), (44, 104, 74), (222, 178, 72), (92, 62, 108), (230, 226, 214),
    (48, 46, 52), (206, 120, 76), (120, 160, 176),
)  # fmt: skip
_PAGES: Final[Colour] = (236, 228, 208)


def draw_book(canvas: RasterCanvas, thing: Thing, frame: ThingFrame, camera: SceneCamera) -> None:
    """A book, closed or open, its cover in front."""
    rng = np.random.default_rng([thing.look, 2])
    wide, tall = float(rng.uniform(11, 17)), float(rng.uniform(16, 24))
    thick = float(rng.uniform(1.0, 4.0))
    cover, title = (_COVERS[i] for i in rng.choice(len(_COVERS), 2, replace=False))
    if thing.look and rng.random() < 0.3:
        _draw_open_book(canvas, frame, camera, (wide, tall), cover, thing.look)
        return
    lines = rng.uniform(0.15, 0.45, (int(rng.integers(1, 4)), 2))
    picture = rng.uniform(-0.3, 0.3, 3)

    def front(albedo: Plane, u: Plane, v: Plane) -> None:
        plain(cover)(albedo, u, v)
        for k, (share, _) in enumerate(lines):
            y = tall * (0.36 - 0.12 * k)
            mix(albedo, title, band(u, -wide * share, wide * share) * band(v - y, -0.55, 0.55))
        r = np.hypot(u - picture[0] * wide, v + tall * 0.15)
        mix(albedo, toned(title, 0.8), (r < wide * (0.12 + abs(picture[2]))).astype(np.float32))
        mix(albedo, toned(cover, 0.7), band(u, -wide / 2, -wide / 2 + 0.8))

    def back(albedo: Plane, u: Plane, v: Plane) -> None:
        plain(cover)(albedo, u, v)
        block = band(u, -wide * 0.33, wide * 0.33) * band(v, -tall * 0.1, tall * 0.35)
        mix(albedo, toned(title, 0.9), block * 0.5)

    def pages(albedo: Plane, u: Plane, v: Plane) -> None:
        plain(_PAGES)(albedo, u, v)
        mix(albedo, toned(_PAGES, 0.78), (np.sin(u * 40) > 0.3).astype(np.float32) * 0.6)

    draw_slab(canvas, camera, frame, (wide, tall, thick), (front, back, pages), MATT)
    spine = Panel(
        frame.middle - frame.right * (wide * frame.size / 2 + 0.05),
        frame.front * thick * frame.size / 2 * 1.1,
        frame.up * tall * frame.size / 2,
    )
    draw_panel(canvas, camera, spine, plain(toned(cover, 0.85)))


def _draw_open_book(
    canvas: RasterCanvas,
    frame: ThingFrame,
    camera: SceneCamera,
    sides: tuple[float, float],
    cover: Colour,
    look: int,
) -> None:
    """Two halves that meet in the spine; pages in front, the cover behind."""
    wide, tall = sides
    rows = np.random.default_rng([look, 3]).uniform(0.5, 1, 40)

    def text(albedo: Plane, u: Plane, v: Plane) -> None:
        plain(_PAGES)(albedo, u, v)
        line = np.clip(((v + tall / 2) / tall * 24).astype(np.int64), 0, 39)
        reach = wide * 0.36 * rows[line]
        ink = (np.mod(v + tall / 2, tall / 24) < tall / 52) & (np.abs(u) < reach)
        mix(albedo, (90, 86, 84), ink.astype(np.float32) * 0.7)

    for side in (-1.0, 1.0):
        angle = side * 0.28
        right = frame.right * np.cos(angle) + frame.front * np.sin(angle) * 1.0
        front = np.cross(right, frame.up)
        middle = frame.middle + side * right * wide * frame.size / 2
        axes = np.column_stack([right, frame.up, front])
        half = ThingFrame(middle, axes, frame.size)
        paints = (text, plain(cover), plain(_PAGES))
        draw_slab(canvas, camera, half, (wide, tall, 0.9), paints, MATT)


def draw_flat_clutter(
    canvas: RasterCanvas, thing: Thing, frame: ThingFrame, camera: SceneCamera
) -> None:
    """Paper, a parcel or a picture in its frame: flat, but no book and no phone."""
    rng = np.random.default_rng([thing.look, 4])
    colour = _COVERS[rng.integers(len(_COVERS))]
    kind = thing.kind.value
    if kind == "paper":
        sides, edge = (21.0, 29.7, 0.1), (240.0, 240.0, 238.0)
    elif kind == "picture":
        sides = (float(rng.uniform(14, 40)), float(rng.uniform(14, 40)), 1.5)
        edge = (70.0, 54.0, 44.0)
    else:
        wide, tall, deep = rng.uniform((10, 10, 8), (26, 26, 20)).tolist()
        sides = (wide, tall, deep)
        edge = (176.0, 140.0, 100.0)
    spots = rng.uniform(-0.4, 0.4, (4, 3))

    def front(albedo: Plane, u: Plane, v: Plane) -> None:
        plain(edge)(albedo, u, v)
        if kind == "picture":
            wide, tall = sides[0] / 2 - 1.6, sides[1] / 2 - 1.6
            mix(albedo, colour, band(u, -wide, wide) * band(v, -tall, tall))
            for x, y, r in spots:
                near = np.hypot(u - x * sides[0], v - y * sides[1]) < abs(r) * sides[0] * 0.5
                inside = band(u, -wide, wide) * band(v, -tall, tall)
                mix(albedo, toned(colour, 0.5 + abs(x) * 2), near.astype(np.float32) * inside)
        elif kind == "parcel":
            mix(albedo, toned(edge, 0.85), band(u, -1.8, 1.8))

    draw_slab(canvas, camera, frame, sides, (front, front, plain(toned(edge, 0.9))))


def draw_table(canvas: RasterCanvas, table: TableTop, camera: SceneCamera) -> None:
    """The table's surface and its far edge."""
    away = camera.view[2] * (1, 0, 1)
    away /= np.linalg.norm(away)
    middle = away * (table.near + table.far) / 2 + (0, table.height, 0)
    right, depth = camera.view[0] * 90.0, away * (table.far - table.near) / 2

    def wood(albedo: Plane, u: Plane, v: Plane) -> None:
        plain(table.colour)(albedo, u, v)
        albedo *= np.float32(1) + np.float32(0.04) * np.sin(v * 2.1 + np.sin(u * 0.2))

    draw_panel(canvas, camera, Panel(middle, right, depth), wood, GLOSSY)
