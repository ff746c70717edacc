"""Backgrounds: soft rooms, painted once and kept."""

from functools import lru_cache

import numpy as np

from reactions.mannequin.scene import Background
from reactions.mannequin.solids import Plane


@lru_cache(maxsize=8)
def background(kind: Background, light: float, width: int, height: int) -> Plane:
    """``kind`` as planar float RGB (3, height, width), read-only."""
    room = _Room(width, height)
    _PAINTERS[kind](room)
    plane = room.finish(light)
    plane.setflags(write=False)
    return plane


@lru_cache(maxsize=2)
def random_room(seed: int, light: float, width: int, height: int) -> Plane:
    """A room at random, as ``background``: walls, windows, furniture, lamps and plants."""
    room = _Room(width, height)
    _paint_at_random(room, np.random.default_rng([seed, 9]))
    plane = room.finish(light, blur=float(np.random.default_rng([seed, 10]).uniform(0.1, 1.2)))
    plane.setflags(write=False)
    return plane


class _Room:
    """A picture in units of its height, y down, blurred like a camera focused on the face."""

    def __init__(self, width: int, height: int) -> None:
        # Half resolution: it is blurred anyway.
        self.w, self.h = width, height
        shape = (max(height // 2, 1), max(width // 2, 1))
        self.x = ((np.arange(shape[1]) + 0.5) / shape[0]).astype(np.float32)
        self.y = ((np.arange(shape[0]) + 0.5) / shape[0]).astype(np.float32)[:, None]
        self.rgb = np.zeros((3, *shape), np.float32)

    @property
    def right(self) -> float:
        return self.w / self.h

    def gradient(self, top: tuple[float, ...], bottom: tuple[float, ...]) -> None:
        for c in range(3):
            self.rgb[c] = top[c] + (bottom[c] - top[c]) * self.y

    def mix(self, colour: tuple[float, ...], alpha: Plane) -> None:
        for c in range(3):
            self.rgb[c] += (np.float32(colour[c]) - self.rgb[c]) * alpha

    def box(
        self, x0: float, y0: float, x1: float, y1: float, colour: tuple[float, ...], a: float = 1.0
    ) -> None:
        inner = np.minimum(
            np.minimum(self.x - x0, x1 - self.x), np.minimum(self.y - y0, y1 - self.y)
        )
        self.mix(colour, np.clip(inner * len(self.y) + 0.5, 0, 1) * np.float32(a))

    def disc(
        self, x: float, y: float, rx: float, ry: float, colour: tuple[float, ...], a: float = 1.0,
        tilt: float = 0.0,
    ) -> None:  # fmt: skip
        c, s = np.cos(tilt), np.sin(tilt)
        dx, dy = self.x - x, self.y - y
        r = np.sqrt(((dx * c + dy * s) / rx) ** 2 + ((dy * c - dx * s) / ry) ** 2)
        self.mix(colour, np.clip((1 - r) * min(rx, ry) * len(self.y) + 0.5, 0, 1) * np.float32(a))

    def glow(
        self, x: float, y: float, r: float, colour: tuple[float, ...], strength: float
    ) -> None:
        g = np.exp(-((self.x - x) ** 2 + (self.y - y) ** 2) / np.float32(r * r))
        for c in range(3):
            self.rgb[c] += np.float32(colour[c] * strength) * g

    def finish(self, light: float, blur: float = 1.0) -> Plane:
        plane = self.rgb
        radius = max(int(blur * (len(self.y) // 70)), 1)
        for _ in range(3 if blur > 0.5 else 1):
            plane = _box_blur(plane, radius)
        plane = np.clip(plane * np.float32(0.35 + 0.65 * light), 0, 255)
        big = plane.repeat(2, axis=1).repeat(2, axis=2)
        pad = ((0, 0), (0, max(self.h - big.shape[1], 0)), (0, max(self.w - big.shape[2], 0)))
        big = np.pad(big, pad, mode="edge")[:, : self.h, : self.w]
        return np.ascontiguousarray(_box_blur(big, 1))


def _box_blur(plane: Plane, radius: int) -> Plane:
    for axis in (1, 2):
        pad = [(0, 0)] * 3
        pad[axis] = (radius + 1, radius)
        sums = np.cumsum(np.pad(plane, pad, mode="edge"), axis=axis, dtype=np.float64)
        n = plane.shape[axis]
        high = np.take(sums, range(2 * radius + 1, 2 * radius + 1 + n), axis=axis)
        low = np.take(sums, range(n), axis=axis)
        plane = ((high - low) / (2 * radius + 1)).astype(np.float32)
    return plane


def _wall(room: _Room) -> None:
    room.gradient((206, 214, 220), (176, 186, 196))
    room.glow(0.25 * room.right, 0.25, 0.7, (40, 38, 30), 0.8)


def _study(room: _Room) -> None:
    room.gradient((226, 214, 198), (196, 178, 160))
    right = room.right
    # A window with morning light on the left.
    room.box(0.07, -0.1, 0.47, 0.52, (246, 246, 240))
    room.box(0.09, -0.1, 0.26, 0.50, (206, 228, 240))
    room.box(0.28, -0.1, 0.45, 0.50, (214, 232, 240))
    room.box(0.05, 0.51, 0.49, 0.54, (236, 228, 216))
    room.glow(0.27, 0.2, 0.5, (36, 34, 24), 0.9)
    # A shelf with books and a plant on the right.
    shelf = (168, 120, 82)
    for y in (0.30, 0.62):
        room.box(right - 0.52, y, right + 0.1, y + 0.022, shelf)
        room.box(right - 0.52, y + 0.022, right + 0.1, y + 0.045, (150, 128, 110), 0.5)
    _books(room, right - 0.48, 0.30, (
        (208, 92, 76), (238, 186, 92), (70, 118, 138), (232, 226, 212), (96, 142, 116),
        (62, 78, 112), (224, 140, 108),
    ))  # fmt: skip
    _books(room, right - 0.26, 0.62, ((80, 130, 150), (236, 206, 150), (190, 84, 84), (66, 84, 96)))
    _plant(room, right - 0.40, 0.62, 0.8)
    _plant(room, 0.60, 1.02, 2.0)


def _books(room: _Room, x: float, base: float, colours: tuple[tuple[int, int, int], ...]) -> None:
    for i, colour in enumerate(colours):
        tall = 0.13 + 0.045 * ((i * 7) % 5) / 4
        wide = 0.026 + 0.012 * ((i * 5) % 3) / 2
        room.box(x, base - tall, x + wide, base, colour)
        room.box(x, base - tall * 0.8, x + wide, base - tall * 0.72, (250, 244, 232), 0.6)
        x += wide + 0.004


def _plant(room: _Room, x: float, base: float, size: float) -> None:
    for i, tilt in enumerate((-1.25, -0.85, -0.45, -0.1, 0.3, 0.7, 1.1)):
        reach = size * (0.10 + 0.025 * ((i * 3) % 4))
        lx, ly = x + np.sin(tilt) * reach, base - 0.06 * size - np.cos(tilt) * reach
        shade = 0.85 + 0.1 * ((i * 5) % 4)
        green = (78 * shade, 138 * shade, 92 * shade)
        room.disc(lx, ly, 0.022 * size, 0.075 * size, green, 0.95, tilt)
    room.box(x - 0.04 * size, base - 0.075 * size, x + 0.04 * size, base, (214, 126, 92))


def _lounge(room: _Room) -> None:
    room.gradient((92, 120, 132), (64, 86, 100))
    right = room.right
    room.glow(right - 0.30, 0.22, 0.36, (255, 196, 120), 0.45)
    room.box(right - 0.305, 0.30, right - 0.295, 1.0, (60, 52, 50))
    room.disc(right - 0.30, 0.24, 0.085, 0.075, (255, 232, 190))
    for i, (x, y) in enumerate(((0.10, 0.14), (0.34, 0.10), (0.12, 0.42))):
        w, h = (0.18, 0.22) if i != 1 else (0.14, 0.28)
        room.box(x, y, x + w, y + h, (236, 230, 218))
        tint = ((224, 140, 108), (240, 196, 110), (150, 184, 170))[i]
        room.box(x + 0.02, y + 0.02, x + w - 0.02, y + h - 0.02, tint)
        room.disc(x + w / 2, y + h * 0.62, w * 0.26, w * 0.26, (250, 240, 220), 0.85)
    room.disc(right / 2, 1.08, 0.86, 0.34, (186, 96, 84))
    _plant(room, right - 0.10, 1.0, 2.2)


def _dark(room: _Room) -> None:
    room.gradient((40, 44, 58), (24, 26, 36))
    room.glow(room.right * 0.8, 0.3, 0.4, (90, 70, 140), 0.45)
    room.glow(room.right * 0.12, 0.7, 0.45, (40, 110, 130), 0.45)


_PAINTERS = {
    Background.WALL: _wall,
    Background.STUDY: _study,
    Background.LOUNGE: _lounge,
    Background.DARK: _dark,
}


def _paint_at_random(room: _Room, rng: np.random.Generator) -> None:
    def colour(low: float = 20, high: float = 245) -> tuple[float, ...]:
        grey, tint = rng.uniform(low, high), rng.normal(0, 28, 3)
        return tuple(np.clip(grey + tint, 5, 250).tolist())

    room.gradient(colour(30, 235), colour(30, 235))
    right = room.right
    for _ in range(int(rng.integers(0, 4))):
        x, y, r = rng.uniform(0, right), rng.uniform(0, 1), rng.uniform(0.15, 0.7)
        room.glow(x, y, r, tuple(rng.uniform(0, 160, 3).tolist()), rng.uniform(0.1, 0.6))
    for _ in range(int(rng.integers(0, 12))):
        x, y = rng.uniform(-0.1, right), rng.uniform(-0.1, 1)
        w, h = np.exp(rng.uniform(np.log(0.02), np.log(0.7), 2))
        room.box(x, y, x + w, y + h, colour(), rng.uniform(0.5, 1))
        if rng.random() < 0.3:
            room.box(x + 0.1 * w, y + 0.1 * h, x + 0.9 * w, y + 0.9 * h, colour())
    for _ in range(int(rng.integers(0, 7))):
        x, y = rng.uniform(0, right), rng.uniform(0, 1)
        rx, ry = np.exp(rng.uniform(np.log(0.02), np.log(0.3), 2))
        room.disc(x, y, rx, ry, colour(), rng.uniform(0.4, 1), rng.uniform(-1.5, 1.5))
    if rng.random() < 0.4:
        _plant(room, rng.uniform(0, right), rng.uniform(0.5, 1.05), rng.uniform(0.6, 2.5))
    if rng.random() < 0.3:
        room.rgb += rng.normal(0, rng.uniform(2, 14), room.rgb.shape).astype(np.float32)
