"""The painted face: eyes, brows, nostrils, lips and beard, in head centimetres."""

from dataclasses import dataclass

import numpy as np

from reactions.mannequin.part_space import Part, between, inside, mix, toned
from reactions.mannequin.person import Colour, Hair, Person
from reactions.mannequin.pose import FacePose
from reactions.mannequin.solids import Clay, Plane

_EYE = (3.15, -0.25)
_EYE_HALF = 1.72
_BROW_HEIGHT = -2.15
_MOUTH = 6.45
_FRONT = -7.5
"""Depth of the face's front from the head's centre, cm."""


@dataclass(frozen=True, slots=True, eq=False)
class FaceCanvas:
    """The head's albedo and, for each of its pixels, the place on the head."""

    part: Part
    clay: Clay
    albedo: Plane
    u: Plane
    v: Plane

    @property
    def pixel(self) -> float:
        """Size of a pixel in cm."""
        return 1 / self.part.scale

    def patch(
        self, left: float, top: float, right: float, bottom: float
    ) -> tuple[Plane, Plane, Plane] | None:
        """(albedo, u, v) of the pixels in a rectangle of the face, as views."""
        corners = [(x, y, _FRONT) for x in (left, right) for y in (top, bottom)]
        box = self.part.window(self.clay, corners)
        if box is None:
            return None
        return self.albedo[:, box[0], box[1]], self.u[box], self.v[box]


def jaw_drop(face: FacePose) -> float:
    """How far the chin sinks with the mouth, cm."""
    return 1.7 * face.mouth_open


def paint_face(canvas: FaceCanvas, person: Person, face: FacePose) -> None:
    """Paint everything but the eyes' lenses on the head."""
    _cheeks(canvas, person, face)
    if person.beard:
        _beard(canvas, person, face)
    for side in (-1.0, 1.0):
        _eye(canvas, person, face, side)
        _brow(canvas, person, face, side)
        _nostril(canvas, person, side)
    _mouth(canvas, person, face)


def _cheeks(canvas: FaceCanvas, person: Person, face: FacePose) -> None:
    # The same blood shows less on darker skin.
    flush = between(person.skin, (205, 60, 60), 0.15 + 0.45 * sum(person.skin) / 765)
    for side in (-1.0, 1.0):
        patch = canvas.patch(side * 4.3 - 3.2, 0.2, side * 4.3 + 3.2, 6.8)
        if patch is None:
            continue
        albedo, u, v = patch
        glow = np.exp(-(((u - side * 4.3) / 1.9) ** 2) - ((v - 3.3) / 1.5) ** 2)
        mix(albedo, flush, glow * np.float32(0.20 + 0.14 * max(face.smile, 0)))
        socket = np.exp(-(((u - side * 3.0) / 2.3) ** 2) - ((v + 0.9) / 1.4) ** 2)
        mix(albedo, toned(person.skin, 0.72), socket * np.float32(0.28))


def _eye(canvas: FaceCanvas, person: Person, face: FacePose, side: float) -> None:
    cu, cv = side * _EYE[0], _EYE[1]
    patch = canvas.patch(cu - 2.4, cv - 2.4, cu + 2.4, cv + 1.6)
    if patch is None:
        return
    albedo, u, v = patch
    px = canvas.pixel
    x = (u - np.float32(cu)) * np.float32(1 / _EYE_HALF)
    base = np.float32(cv + 0.28) - x * np.float32(side * 0.14)
    bow = np.maximum(1 - x * x, 0)
    squint = 0.22 * max(face.smile, 0.0)
    lids = face.lids * (1 - min(max(-side * face.wink, 0.0), 1.0))
    opening = -0.40 + (1.28 - 0.6 * squint) * lids
    upper = base - bow * np.float32(opening)
    lower = base + bow * np.float32(0.44 - squint)
    across = (1.0 - np.abs(x)) * np.float32(_EYE_HALF)
    socket = np.exp(-((x / 1.25) ** 2) - ((v - (cv - 0.5)) / 1.2) ** 2)
    mix(albedo, toned(person.skin, 0.66), socket * np.float32(0.26))
    ball = inside(np.minimum(np.minimum(v - upper, lower - v), across), px)
    if opening > -0.2:
        _eyeball(albedo, u, v, ball, upper, person, face, cu, cv, px)
    dark = between(person.hair_colour, (24, 16, 16), 0.75)
    weight = 0.12 + 0.08 * person.lashes
    lash = inside(
        np.minimum(weight * (0.55 + 0.45 * bow) - np.abs(v - upper + 0.6 * weight), across + 0.15),
        px,
    )
    mix(albedo, dark, lash * np.float32(0.92))
    under = inside(np.minimum(0.05 - np.abs(v - lower), across), px)
    mix(albedo, toned(person.skin, 0.5), under * np.float32(0.55))
    crease = inside(np.minimum(0.06 - np.abs(v - (upper - bow * 0.42 - 0.1)), across), px)
    mix(albedo, toned(person.skin, 0.6), crease * np.float32(0.5 * min(lids, 1.0)))


def _eyeball(
    albedo: Plane, u: Plane, v: Plane, ball: Plane, upper: Plane,
    person: Person, face: FacePose, cu: float, cv: float, px: float,
) -> None:  # fmt: skip
    mix(albedo, (250, 248, 246), ball)
    iu = u - np.float32(cu + 0.62 * face.gaze[0])
    iv = v - np.float32(cv - 0.08 + 0.42 * face.gaze[1])
    r = np.sqrt(iu * iu + iv * iv)
    mix(albedo, toned(person.eyes, 0.45), inside(0.86 - r, px) * ball)
    mix(albedo, toned(person.eyes, 1.15), inside(0.72 - r, px) * ball)
    mix(albedo, (14, 10, 12), inside(0.40 - r, px) * ball)
    mix(albedo, (120, 110, 120), np.clip(1 - (v - upper) / 0.42, 0, 1) * ball * np.float32(0.45))
    glint = np.sqrt((iu + 0.27) ** 2 + (iv + 0.32) ** 2)
    mix(albedo, (330, 330, 330), inside(0.20 - glint, px) * ball)


def _brow(canvas: FaceCanvas, person: Person, face: FacePose, side: float) -> None:
    raised, furrowed = max(face.brows, 0.0), max(-face.brows, 0.0)
    patch = canvas.patch(side * 0.6, -5.2, side * 5.9, -0.8)
    if patch is None:
        return
    albedo, u, v = patch
    x = (u * np.float32(side) - np.float32(1.35 - 0.35 * furrowed)) * np.float32(1 / 3.75)
    arch = np.sin(np.clip(x, 0, 1) * np.float32(2.3) + np.float32(0.35)) * np.float32(0.62)
    height = np.float32(_BROW_HEIGHT + 0.45 - 1.45 * raised + 0.25 * furrowed) - arch
    height += np.clip(1 - x, 0, 1) * np.float32(0.75 * furrowed)
    thick = 0.36 * (1 - 0.55 * np.clip(x, 0, 1)) * (0.85 if person.lashes > 0.6 else 1.15)
    ends = np.minimum(x, 1 - x) * np.float32(3.75)
    alpha = inside(np.minimum(thick - np.abs(v - height), ends + 0.1), canvas.pixel * 1.5)
    hair = person.hair_colour
    # Where brows don't stand out from the skin the face mesh takes the lashes for them.
    brow = between(toned(hair, 0.72), (48, 32, 26), 0.35)
    deep = toned(person.skin, 0.42)
    colour = min(brow[0], deep[0]), min(brow[1], deep[1]), min(brow[2], deep[2])
    mix(albedo, colour, alpha * np.float32(0.9))
    if furrowed > 0.05:
        line = inside(np.minimum(0.09 - np.abs(u - side * 0.55), 0.9 - np.abs(v + 2.2)), 0.2)
        mix(albedo, toned(person.skin, 0.55), line * np.float32(0.5 * furrowed))


def _nostril(canvas: FaceCanvas, person: Person, side: float) -> None:
    patch = canvas.patch(side * 0.78 - 1.2, 3.2, side * 0.78 + 1.2, 5.6)
    if patch is None:
        return
    albedo, u, v = patch
    r = ((u - side * 0.80) / 0.52) ** 2 + ((v - 4.48) / 0.24) ** 2
    mix(albedo, toned(person.skin, 0.34), np.clip(1.5 - r, 0, 1) * np.float32(0.75))


def _mouth(canvas: FaceCanvas, person: Person, face: FacePose) -> None:
    patch = canvas.patch(-4.8, 4.0, 4.8, 11.6)
    if patch is None:
        return
    albedo, u, v = patch
    lips = _Lips.of(u, face)
    rose = between(toned(person.skin, 0.80), (186, 66, 74), 0.46 + 0.34 * person.lips)
    _paint_lips(albedo, u, v, lips, face, rose, canvas.pixel)
    if lips.opening > 0.12:
        _paint_opening(albedo, u, v, lips, face, canvas.pixel)
    else:
        closed = np.minimum(0.085 - np.abs(v - lips.middle), lips.across + 0.15)
        mix(albedo, toned(rose, 0.42), inside(closed, canvas.pixel) * np.float32(0.85))
    _folds(albedo, u, v, person, face)
    corner = float(_MOUTH + lips.rise)
    dimple = np.exp(-(((np.abs(u) - lips.half - 0.05) / 0.34) ** 2) - ((v - corner) / 0.30) ** 2)
    strength = 0.35 + 0.40 * max(face.smile, 0.0)
    mix(albedo, toned(person.skin, 0.42), dimple * np.float32(min(strength, 0.8)))
    below = np.exp(-((u / 1.5) ** 2) - ((v - (lips.lower + 0.55)) / 0.35) ** 2)
    mix(albedo, toned(person.skin, 0.66), below * np.float32(0.30))


@dataclass(frozen=True, slots=True, eq=False)
class _Lips:
    """The mouth's curves: for every pixel, the height (head's v, cm) of each edge at its u."""

    half: float
    """Half the mouth's width, cm."""
    rise: float
    """How far the corners are below the mouth's usual height, cm."""
    opening: float
    upper: Plane
    top: Plane
    middle: Plane
    bottom: Plane
    lower: Plane
    across: Plane
    """Distance inside the corners."""

    @classmethod
    def of(cls, u: Plane, face: FacePose) -> "_Lips":
        smile, frown = max(face.smile, 0.0), max(-face.smile, 0.0)
        half = 2.35 * (1 + 0.40 * smile) * (1 - 0.42 * face.round)
        x = u * np.float32(1 / half)
        bow = np.maximum(1 - x * x, 0)
        arc = np.sqrt(bow)
        # A smile's lips keep their thickness almost to the corners.
        full = arc + (np.sqrt(np.maximum(1 - x**4, 0)) - arc) * np.float32(min(smile, 1.0))
        opening = max(3.3 * face.mouth_open, 1.0 * smile * smile)
        rise = -0.10 - 1.05 * smile + 0.6 * frown + 0.22 * face.round * opening
        base = rise + 0.85 * smile - 0.5 * frown + 0.10
        middle = _MOUTH + base + (rise - base) * np.abs(x) ** 1.8
        # Lips drawn together open to an ellipse, relaxed ones to a bow over a trough.
        top = middle - (bow + (2.0 * arc - bow) * face.round) * np.float32(0.22 * opening)
        trough = 0.38 * bow * arc + 0.62 * arc
        bottom = middle + (trough + (0.7 * arc - trough) * face.round) * np.float32(0.78 * opening)
        plump = 1 - 0.25 * smile + 0.15 * face.round
        dip = 1 - 0.30 * np.exp(-((u / 0.45) ** 2))
        upper = top - full * dip * np.float32(0.50 * plump)
        lower = bottom + full * np.float32(0.68 * plump)
        across = (1 - np.abs(x)) * np.float32(half)
        return cls(half, rise, opening, upper, top, middle, bottom, lower, across)


def _paint_lips(
    albedo: Plane, u: Plane, v: Plane, lips: _Lips, face: FacePose, rose: Colour, px: float
) -> None:
    flesh = np.minimum(np.minimum(v - lips.upper, lips.lower - v), lips.across + 0.1)
    mix(albedo, rose, inside(flesh, px))
    shine = np.exp(-((u / (lips.half * 0.45)) ** 2) - ((v - (lips.bottom + 0.32)) / 0.16) ** 2)
    mix(albedo, between(rose, (255, 225, 215), 0.55), shine * np.float32(0.65))


def _paint_opening(
    albedo: Plane, u: Plane, v: Plane, lips: _Lips, face: FacePose, px: float
) -> None:
    gap = inside(np.minimum(np.minimum(v - lips.top, lips.bottom - v), lips.across), px)
    # Nearly black, with a dim tongue: the face mesh takes red for lip and the mouth for shut.
    mix(albedo, (26, 8, 12), gap)
    low = (v - lips.bottom) / np.float32(0.24 * lips.opening)
    tongue = (u / (lips.half * 0.62)) ** 2 + low * low
    mix(albedo, (118, 44, 50), np.clip((1.2 - tongue) * 2, 0, 1) * gap * np.float32(0.6))
    teeth = min(0.62, 0.30 * lips.opening + 0.22) * (1 - 0.7 * face.round)
    # Teeth fill a smile: a dark gap below them would be taken for the lower lip's shadow.
    teeth += (max(face.smile, 0.0) - face.mouth_open > 0.3) * 0.35 * lips.opening
    white = inside(np.minimum(lips.top + teeth - v, lips.across - 0.22), px)
    mix(albedo, (248, 245, 240), gap * white)


def _folds(albedo: Plane, u: Plane, v: Plane, person: Person, face: FacePose) -> None:
    if face.smile < 0.1:
        return
    a = np.abs(u)
    fold = np.exp(-(((a - (2.3 + 0.46 * (v - 4.4) + 0.3 * face.smile)) / 0.20) ** 2))
    fold *= np.clip((v - 4.1) * 2, 0, 1) * np.clip((6.4 - v) * 1.5, 0, 1)
    mix(albedo, toned(person.skin, 0.60), fold * np.float32(0.42 * face.smile))


def _beard(canvas: FaceCanvas, person: Person, face: FacePose) -> None:
    u, v, albedo = canvas.u, canvas.v, canvas.albedo
    drop = jaw_drop(face)
    a = np.abs(u)
    rise = np.clip((a - 3.4) * np.float32(1 / 3.2), 0, 1)
    rise = rise * rise * (3 - 2 * rise)
    edge = v - (5.05 + 0.25 * a - 6.2 * rise)
    alpha = np.clip(edge * np.float32(1.6) + 0.5, 0, 1)
    half = (2.6 + 0.9 * max(face.smile, 0)) * (1 - 0.3 * face.round)
    across = (u / half) ** 2
    down = (v - 6.5 - drop * 0.55) / (0.95 + drop * 0.72)
    mouth = across + down**2
    alpha *= np.clip((mouth - 0.9) * 3, 0, 1)
    grain = 0.88 + 0.12 * np.sin(u * 9 + 3 * np.sin(v * 2.1)) * np.sin(v * 7)
    strength = 0.28 + 0.62 * person.beard if person.beard > 0.6 else 0.62 * person.beard
    hair = person.hair_colour if person.hair is not Hair.BALD else toned(person.hair_colour, 0.9)
    mix(albedo, toned(hair, 0.95), alpha * grain * np.float32(strength))
