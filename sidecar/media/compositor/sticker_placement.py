"""Place a sticker beside its hand or face, and let it follow. Pure."""

from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from enum import Enum
from math import exp

from reactions.geometry import Box
from sidecar.media.compositor.layout import Rect

EASING = 0.14
"""Time constant in seconds: anchors come 5 times a second, the picture 25 times."""
DEAD_ZONE = 0.02
"""Of the tile's height: landmarks tremble by less in a hand that rests."""


class StickerSide(Enum):
    """Where a sticker sits, seen from its anchor: its centre's offset in half sizes."""

    ABOVE = (0, -1)
    LEFT = (-1, 0)
    RIGHT = (1, 0)
    BELOW = (0, 1)


@dataclass(frozen=True, slots=True)
class Spot:
    """The top left corner of a sticker in pixels of the canvas, and the side it was put on."""

    x: float
    y: float
    side: StickerSide


FACE_COST = 4.0
"""Of hiding the face wholly. The unit is ``ANCHOR_COST``; derived from what must win: a fifth of
the face is worth more than any preference of sides and a change of sides together (0.65)."""
TAKEN_COST = 3.0
"""Of lying wholly on what is taken: less than the face, more than the anchor."""
ANCHOR_COST = 1.0
"""Of hiding wholly the hand that the sticker belongs to."""
INWARD_COST = 0.15
"""Of the side towards the middle of the tile: it decides between left and right only."""
SIDE_COST = {
    StickerSide.ABOVE: 0.0,
    StickerSide.LEFT: 0.1,
    StickerSide.RIGHT: 0.1,
    StickerSide.BELOW: 0.35,
}
"""Of each side when nothing is hidden: above, then outwards, then inwards (0.25), then below."""
KEEP_BONUS = 0.3
"""So much better must another side be for a sticker to change sides."""


def beside(
    anchor: Box,
    size: tuple[float, float],
    tile: Rect,
    *,
    face: Box | None = None,
    taken: Sequence[Box] = (),
    previous: StickerSide | None = None,
) -> Spot:
    """The best place in ``tile`` for a sticker of ``size`` pixels that belongs to ``anchor``.

    Every box is in pixels of the canvas. The sticker stays inside the tile if it fits at all. It
    goes above the anchor or outwards, unless it would hide ``face`` or what is ``taken`` there.
    """
    best: tuple[float, Spot] | None = None
    for side in StickerSide:
        spot = _beside(anchor, size, tile, side)
        there = Box(spot.x, spot.y, *size)
        cost = SIDE_COST[side] - (KEEP_BONUS if side is previous else 0.0)
        cost += ANCHOR_COST * _share(there, anchor)
        cost += INWARD_COST if _inward(anchor, tile, side) else 0.0
        cost += TAKEN_COST * max((_share(there, box) for box in taken), default=0.0)
        cost += FACE_COST * (_share(there, face) if face is not None else 0.0)
        if best is None or cost < best[0]:
            best = cost, spot
    assert best is not None
    return best[1]


def _beside(anchor: Box, size: tuple[float, float], tile: Rect, side: StickerSide) -> Spot:
    wide, high = size
    middle_x, middle_y = anchor.center
    across, down = side.value
    x = middle_x + across * (anchor.width + wide) / 2 - wide / 2
    y = middle_y + down * (anchor.height + high) / 2 - high / 2
    return Spot(
        max(tile.x, min(x, tile.right - wide)), max(tile.y, min(y, tile.bottom - high)), side
    )


def _inward(anchor: Box, tile: Rect, side: StickerSide) -> bool:
    """Whether ``side`` is the one towards the middle of the tile, where the face mostly is."""
    middle = tile.x + tile.width / 2
    return side is (StickerSide.RIGHT if anchor.center[0] < middle else StickerSide.LEFT)


def _share(box: Box, other: Box) -> float:
    """The share of the smaller of two boxes that lies in both, 0–1."""
    wide = min(box.x + box.width, other.x + other.width) - max(box.x, other.x)
    high = min(box.y + box.height, other.y + other.height) - max(box.y, other.y)
    if wide <= 0 or high <= 0:
        return 0.0
    return wide * high / min(box.width * box.height, other.width * other.height)


@dataclass(slots=True)
class _Glide:
    x: float
    y: float
    goal: tuple[float, float]
    time: float
    side: StickerSide | None


class Follower:
    """Positions that glide towards their goals, one a key; those not moved any more are dropped.

    Positions are fractions of the tile, so that a new layout moves nothing inside its tile.
    """

    def __init__(self) -> None:
        self._glides: dict[Hashable, _Glide] = {}
        self._touched: set[Hashable] = set()

    def side(self, key: Hashable) -> StickerSide | None:
        """The side that ``key`` was put on last."""
        glide = self._glides.get(key)
        return None if glide is None else glide.side

    def move(
        self, key: Hashable, goal: tuple[float, float], time: float, side: StickerSide | None = None
    ) -> tuple[float, float]:
        """Where ``key`` is at ``time`` on its way to ``goal``; a new key is there at once."""
        self._touched.add(key)
        glide = self._glides.get(key)
        if glide is None:
            self._glides[key] = _Glide(*goal, goal, time, side)
            return goal
        if max(abs(goal[0] - glide.goal[0]), abs(goal[1] - glide.goal[1])) > DEAD_ZONE:
            glide.goal = goal
        share = 1 - exp(-max(time - glide.time, 0.0) / EASING)
        glide.x += (glide.goal[0] - glide.x) * share
        glide.y += (glide.goal[1] - glide.y) * share
        glide.time, glide.side = time, side
        return glide.x, glide.y

    def sweep(self) -> None:
        """Forget every key that wasn't moved since the last sweep."""
        for key in self._glides.keys() - self._touched:
            del self._glides[key]
        self._touched.clear()
