"""Draw the composite: tiles scaled into one I420 frame, with rings, name tags and stickers."""

from collections.abc import Hashable, Sequence
from typing import Protocol

import av

from gifs.animation import Animation, YuvaFrame
from gifs.yuva import Rgb
from reactions.geometry import Box
from sidecar.aio import log_failure
from sidecar.captured import Captured
from sidecar.media.compositor.i420 import Corners, Planes, blend, dim
from sidecar.media.compositor.layout import MAX_TILES, Fit, Placement, Rect, arrange, even, place
from sidecar.media.compositor.name_tags import avatar, name_label
from sidecar.media.compositor.progress_ring import ring, step_of
from sidecar.media.compositor.scaler import Scaler
from sidecar.media.compositor.sticker_placement import Follower, beside
from sidecar.media.compositor.tiles import FrameEffect, HoldMark, StickerMark, TileView

BACKDROP: Rgb = (13, 18, 27)
TILE: Rgb = (27, 35, 48)
CORNER = 1 / 60
"""Radius of a tile's corners, of the canvas' height."""
STICKER = 0.4
"""Height of a sticker, of its tile's height."""
SMALLEST_STICKER = 48
RING_SIZES = (0.2, 0.6)
"""Least and largest diameter of a hold ring, of its tile's height."""
SMALLEST_LABELLED = 56
"""Height in pixels below which a tile gets no name: it would hide the face."""


NAME_SIZE, NAME_MARGIN = 0.065, 0.035
"""Height of a name's letters and its distance from the corner, of its tile's height: 16 and 8
pixels in a tile of nine of a 720p composite, where they were chosen by eye."""
SMALLEST_NAME, LARGEST_NAME = 11, 22
"""Pixels; chosen by eye."""
RING_ROOM = 1.2
"""Diameter of a hold ring, of its anchor's longer side; chosen by eye, to clear the fingertips."""


class StickerSource(Protocol):
    """Where animations come from: a sticker cache, or something in front of one."""

    def get(self, name: str, width: int, height: int) -> Animation | None:
        """The animation ``name`` within ``width`` x ``height`` pixels; StickerError if there is
        none, None if it isn't ready yet."""
        ...


class Stickers(StickerSource, Protocol):
    """Animations that can be made ready before they are shown."""

    def prepare(self, name: str, width: int, height: int) -> None:
        """``get`` is going to be called with the same arguments; raises what that raises."""
        ...


def sticker_size(area: Rect) -> int:
    """The side of the square that a sticker in the tile ``area`` gets, in pixels."""
    wanted = max(SMALLEST_STICKER, even(area.height * STICKER))
    return min(wanted, area.width, area.height)


class Compositor:
    """Draws pictures of ``width`` x ``height`` pixels, one after another.

    Both sides are even; several participants need 320x180 at least (ValueError otherwise). It
    belongs to one thread. Between pictures it keeps scalers, the layout, and where each sticker is
    on its way; nothing of the pictures themselves.
    """

    def __init__(
        self, width: int, height: int, stickers: Stickers, *, fit: Fit = Fit.COVER
    ) -> None:
        arrange(1, width, height)
        self.width = width
        self.height = height
        self._stickers = stickers
        self._fit = fit
        self._follower = Follower()
        self._scalers: dict[str, Scaler] = {}
        self._layout: tuple[tuple[int, int | None], tuple[Rect, ...]] | None = None
        self._backdrop = Planes.filled(width, height, BACKDROP)
        self._corners = Corners((), width, height, 0, BACKDROP)
        self._broken: set[Hashable] = set()
        self._playing: tuple[FrameEffect, float] | None = None
        """The newest effect over all tiles, and when its first picture was drawn."""

    def draw(
        self, tiles: Sequence[TileView], time: float, effect: FrameEffect | None = None
    ) -> av.VideoFrame:
        """A new picture of ``tiles`` (the first 49) at ``time`` seconds on the composite's clock.

        ``effect`` plays over all of them, once, however long it is passed in.

        What can't be drawn of one participant is left out and logged once; the rest is drawn.
        """
        frame = av.VideoFrame(self.width, self.height, "yuv420p")
        planes = Planes.of(frame)
        shown = tiles[:MAX_TILES]
        areas = self._arrange(shown)
        planes.copy_from(self._backdrop)
        for tile, area in zip(shown, areas, strict=True):
            with Captured() as attempt:
                self._draw_tile(planes, tile, area, time)
            if attempt.error is not None and self._is_first_failure(tile.participant):
                log_failure("tile not drawn", attempt.error, participant=tile.participant)
        self._corners.round(planes)
        if effect is not None:
            self._draw_over_all(planes, effect, time)
        self._forget(shown)
        return frame

    def _arrange(self, tiles: Sequence[TileView]) -> tuple[Rect, ...]:
        """The tiles' places, and the backdrop to go with them, worked out when they change."""
        pinned = next((index for index, tile in enumerate(tiles) if tile.pinned), None)
        key = (len(tiles), pinned)
        if self._layout is not None and self._layout[0] == key:
            return self._layout[1]
        areas = arrange(*key[:1], self.width, self.height, spotlight=pinned) if tiles else ()
        self._backdrop.fill(BACKDROP)
        for area in areas:
            self._backdrop.cut(area).fill(TILE)
        radius = even(self.height * CORNER) if len(areas) > 1 else 0
        self._corners = Corners(areas, self.width, self.height, radius, BACKDROP)
        self._layout = (key, areas)
        return areas

    def _draw_tile(self, planes: Planes, tile: TileView, area: Rect, time: float) -> None:
        inside = planes.cut(area)
        if tile.frame is None:
            self._draw_placeholder(inside, tile)
            self._draw_name(inside, tile)
            return
        placement = place(tile.frame.width, tile.frame.height, area, self._fit)
        self._scalers.setdefault(tile.participant, Scaler()).paint(planes, tile.frame, placement)
        if tile.stale:
            dim(inside)
        for mark in tile.stickers:
            if mark.effect is not None:
                self._draw_effect(inside, mark.effect, time - mark.since)
        name = self._draw_name(inside, tile)
        for index, hold in enumerate(tile.holds):
            self._draw_hold(inside, (tile.participant, index), hold, placement, time)
        taken = [Box(area.x + name.x, area.y + name.y, name.width, name.height)] if name else []
        self._draw_stickers(inside, tile, placement, taken, time)

    def _draw_placeholder(self, inside: Planes, tile: TileView) -> None:
        height, width = inside.luma.shape
        diameter = max(16, even(min(height * 0.45, width * 0.45)))
        x, y = even((width - diameter) / 2), even((height - diameter) / 2)
        blend(inside, avatar(tile.name, diameter), x, y)

    def _draw_name(self, inside: Planes, tile: TileView) -> Rect | None:
        """Where in the tile the name was written, if it was."""
        height, width = inside.luma.shape
        if height < SMALLEST_LABELLED:
            return None
        size = round(min(max(height * NAME_SIZE, SMALLEST_NAME), LARGEST_NAME))
        margin = even(max(height * NAME_MARGIN, 4))
        label = name_label(tile.name, size, width - 2 * margin)
        if label is None:
            return None
        there = Rect(margin, even(height - margin - label.height), label.width, label.height)
        blend(inside, label, there.x, there.y)
        return there

    def _draw_over_all(self, planes: Planes, effect: FrameEffect, time: float) -> None:
        """Draw what ``effect`` shows at ``time``; it begins with the picture for which it is ready,
        and is over after one run of its animation."""
        if time < effect.since:
            self._prepare(effect.name, self.width, self.height)
            return
        animation = self._animation(effect.name, self.width, self.height)
        if animation is None:
            return
        if self._playing is None or self._playing[0] != effect:
            self._playing = effect, time
        elapsed = time - self._playing[1]
        if elapsed < animation.duration:
            _blend_centred(planes, animation.at(elapsed))

    def _draw_effect(self, inside: Planes, name: str, elapsed: float) -> None:
        height, width = inside.luma.shape
        picture = self._sticker(name, width, height, elapsed)
        if picture is not None:
            _blend_centred(inside, picture)

    def _draw_hold(
        self, inside: Planes, key: Hashable, hold: HoldMark, placement: Placement, time: float
    ) -> None:
        area = placement.tile
        least, most = (even(area.height * share) for share in RING_SIZES)
        anchor = placement.map(hold.anchor)
        wanted = max(anchor.width, anchor.height) * RING_ROOM
        # Sizes in steps: each is drawn 33 times at most and kept.
        diameter = max(16, even(round(min(max(wanted, least), most) / 16) * 16))
        middle = anchor.center
        goal = ((middle[0] - area.x) / area.width, (middle[1] - area.y) / area.height)
        x, y = self._follower.move(("hold", key), goal, time)
        if hold.sticker is not None:
            self._prepare(hold.sticker, sticker_size(area), sticker_size(area))
        blend(
            inside,
            ring(diameter, step_of(hold.progress)),
            even(x * area.width - diameter / 2),
            even(y * area.height - diameter / 2),
        )

    def _draw_stickers(
        self,
        inside: Planes,
        tile: TileView,
        placement: Placement,
        taken: list[Box],
        time: float,
    ) -> None:
        area = placement.tile
        face = None if tile.face is None else placement.map(tile.face)
        size = sticker_size(area)
        taken = [*taken, *map(placement.map, tile.other_faces)]
        for mark in tile.stickers:
            picture = self._sticker(mark.sticker, size, size, time - mark.since)
            if picture is None:
                continue
            key = (tile.participant, mark.person, mark.sticker, mark.since)
            x, y = self._follow(key, mark, picture, placement, face, taken, time)
            taken.append(Box(x + area.x, y + area.y, picture.width, picture.height))
            blend(inside, picture, x, y)

    def _follow(
        self,
        key: Hashable,
        mark: StickerMark,
        picture: YuvaFrame,
        placement: Placement,
        face: Box | None,
        taken: Sequence[Box],
        time: float,
    ) -> tuple[int, int]:
        """The corner of a sticker's ``picture`` in its tile at ``time``, gliding to its anchor."""
        area = placement.tile
        spot = beside(
            placement.map(mark.anchor),
            (picture.width, picture.height),
            area,
            face=face,
            taken=taken,
            previous=self._follower.side(key),
        )
        goal = ((spot.x - area.x) / area.width, (spot.y - area.y) / area.height)
        x, y = self._follower.move(key, goal, time, spot.side)
        return (
            min(even(x * area.width), area.width - picture.width),
            min(even(y * area.height), area.height - picture.height),
        )

    def _prepare(self, name: str, width: int, height: int) -> None:
        with Captured() as attempt:
            self._stickers.prepare(name, width, height)
        self._note_failure(name, attempt.error)

    def _sticker(self, name: str, width: int, height: int, elapsed: float) -> YuvaFrame | None:
        animation = self._animation(name, width, height)
        return None if animation is None else animation.at(elapsed)

    def _animation(self, name: str, width: int, height: int) -> Animation | None:
        """None while it loads and where it can't be had, which is logged once."""
        with Captured() as attempt:
            return self._stickers.get(name, width, height)
        self._note_failure(name, attempt.error)
        return None

    def _note_failure(self, sticker: str, error: Exception | None) -> None:
        if error is not None and self._is_first_failure(sticker):
            log_failure("sticker not drawn", error, name=sticker)

    def _forget(self, tiles: Sequence[TileView]) -> None:
        """Let go of what belongs to participants who are not shown any more."""
        present = {tile.participant for tile in tiles if tile.frame is not None}
        for participant in self._scalers.keys() - present:
            del self._scalers[participant]
        self._follower.sweep()

    def _is_first_failure(self, key: Hashable) -> bool:
        """Whether ``key`` has not failed before; at most 100 keys are remembered and logged."""
        if key in self._broken or len(self._broken) >= 100:
            return False
        self._broken.add(key)
        return True


def _blend_centred(planes: Planes, picture: YuvaFrame) -> None:
    height, width = planes.luma.shape
    blend(planes, picture, even((width - picture.width) / 2), even((height - picture.height) / 2))
