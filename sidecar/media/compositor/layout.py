"""Where tiles go on the canvas, and how a picture of any size goes into a tile. Pure.

All coordinates are even, because chroma is subsampled by two in both directions (4:2:0).
"""

from dataclasses import dataclass
from enum import StrEnum
from math import ceil

from reactions.geometry import Box

MAX_TILES = 49
"""Seven by seven: the most that a viewer can tell apart."""
ASPECT = 16 / 9
"""Width by height of a tile: that of most cameras."""
MAX_CROP = 0.4
"""The share of a picture that COVER may cut off; beyond it, bars remain. A phone held upright
would otherwise lose two thirds, most likely with the hands in them."""
EXACT = (1.0, 0.5)
"""Scales that cost little and stay sharp: the picture as it is, and the mean of 2x2 pixels."""
NEARLY = 0.04
"""COVER rather cuts off this much more than miss one of those scales."""
STRIP = 0.22
"""The share of the canvas' width that the tiles beside a spotlight get."""


@dataclass(frozen=True, slots=True)
class Rect:
    """A rectangle of whole pixels; every number is even."""

    x: int
    y: int
    width: int
    height: int

    @property
    def right(self) -> int:
        return self.x + self.width

    @property
    def bottom(self) -> int:
        return self.y + self.height


class Fit(StrEnum):
    """What happens to a picture whose shape is not the tile's."""

    LETTERBOX = "letterbox"
    """All of it is shown, between bars."""
    COVER = "cover"
    """It fills the tile and loses its edges, at most ``MAX_CROP`` of it."""


@dataclass(frozen=True, slots=True)
class Placement:
    """A source picture scaled to ``width`` x ``height`` whose top left corner is at ``x``, ``y``.

    In pixels of the canvas. The picture may reach beyond its ``tile``: that part is not shown.
    """

    tile: Rect
    x: int
    y: int
    width: int
    height: int

    @property
    def shown(self) -> Rect:
        """The part of the canvas that the picture covers."""
        left, top = max(self.x, self.tile.x), max(self.y, self.tile.y)
        right = min(self.x + self.width, self.tile.right)
        bottom = min(self.y + self.height, self.tile.bottom)
        return Rect(left, top, right - left, bottom - top)

    def map(self, box: Box) -> Box:
        """A box in fractions of the source picture as a box in pixels of the canvas."""
        return Box(
            self.x + box.x * self.width,
            self.y + box.y * self.height,
            box.width * self.width,
            box.height * self.height,
        )


def even(value: float) -> int:
    """The largest even number that is not above ``value``."""
    return int(value // 2) * 2


def place(width: int, height: int, tile: Rect, fit: Fit = Fit.COVER) -> Placement:
    """Put a picture of ``width`` x ``height`` pixels (both ≥ 1) into the middle of ``tile``."""
    inside = min(tile.width / width, tile.height / height)
    over = max(tile.width / width, tile.height / height)
    scale = inside if fit is Fit.LETTERBOX else min(over, inside / (1 - MAX_CROP))
    if fit is Fit.COVER:
        scale = next((exact for exact in EXACT if (1 - NEARLY) * exact < scale < exact), scale)
    wide, high = _scaled(width * scale, tile.width), _scaled(height * scale, tile.height)
    return Placement(
        tile,
        tile.x + even((tile.width - wide) / 2),
        tile.y + even((tile.height - high) / 2),
        wide,
        high,
    )


def _scaled(length: float, room: int) -> int:
    """``length`` as an even number; one within a pixel or so of ``room`` fills it exactly."""
    if abs(length - room) < 2:
        return room
    return max(2, even(length))


def arrange(
    count: int, width: int, height: int, *, spotlight: int | None = None
) -> tuple[Rect, ...]:
    """The tiles of ``count`` participants (1–49) on a canvas of ``width`` x ``height`` pixels.

    ``spotlight`` is the index of one that gets a large tile, with the others in a strip at its
    right. Alone, a participant gets the whole canvas. Raises ValueError for any other count, for a
    canvas with an odd side, and for one below 320x180 that is to be divided.
    """
    if not 1 <= count <= MAX_TILES:
        raise ValueError(f"{count} tiles: 1 to {MAX_TILES} can be arranged")
    if width % 2 or height % 2 or width < 2 or height < 2:
        raise ValueError(f"canvas of {width}x{height}: sides must be even")
    if count == 1:
        return (Rect(0, 0, width, height),)
    if width < 320 or height < 180:
        raise ValueError(f"canvas of {width}x{height}: even 320x180 would be small for {count}")
    gap = even(min(width / 160, height / 90))
    if spotlight is None:
        return _grid(count, Rect(0, 0, width, height), gap)
    split = even(width * (1 - STRIP))
    (large,) = _grid(1, Rect(0, 0, split, height), gap)
    strip = list(_grid(count - 1, Rect(split - gap, 0, width - split + gap, height), gap))
    strip.insert(spotlight, large)
    return tuple(strip)


def _grid(count: int, area: Rect, gap: int) -> tuple[Rect, ...]:
    """Equal tiles of 16:9, as large as possible, in rows from the top; the last row is centred."""
    columns = max(range(1, count + 1), key=lambda n: _tile(n, ceil(count / n), area, gap)[0])
    rows = ceil(count / columns)
    wide, high = _tile(columns, rows, area, gap)
    top = area.y + even((area.height - rows * (high + gap) + gap) / 2)
    tiles = []
    for row in range(rows):
        there = min(columns, count - row * columns)
        left = area.x + even((area.width - there * (wide + gap) + gap) / 2)
        tiles += [
            Rect(left + column * (wide + gap), top + row * (high + gap), wide, high)
            for column in range(there)
        ]
    return tuple(tiles)


def _tile(columns: int, rows: int, area: Rect, gap: int) -> tuple[int, int]:
    """Width and height of the tiles of a ``columns`` x ``rows`` grid with gaps all around."""
    wide = (area.width - (columns + 1) * gap) / columns
    high = (area.height - (rows + 1) * gap) / rows
    return max(2, even(min(wide, high * ASPECT))), max(2, even(min(high, wide / ASPECT)))
