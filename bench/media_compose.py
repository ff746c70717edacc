"""Drawing the composite and its stickers, against the same picture from a libavfilter graph."""

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from fractions import Fraction
from statistics import median

import av
import av.filter
import numpy as np
from av.video.format import VideoFormat

from bench.media_footage import frames
from bench.media_rig import OURS, pinned
from bench.table import Table
from gifs.animation import Animation
from gifs.yuva import straight_to_yuva
from reactions.geometry import Box
from sidecar.media.compositor.compositor import Compositor
from sidecar.media.compositor.layout import Rect, arrange, even
from sidecar.media.compositor.tiles import StickerMark, TileView

WIDTH, HEIGHT = 1280, 720
HAND = Box(0.15, 0.5, 0.1, 0.2)
Pictures = Sequence[av.VideoFrame]
Draw = Callable[[Pictures], None]
TURN = 10
"""Pictures that one way draws before it is the other's turn."""


def disc(size: int) -> np.ndarray[tuple[int, int, int], np.dtype[np.uint8]]:
    """A soft-edged disc, straight RGBA: a stand-in for a sticker of any look."""
    axis = np.arange(size) + 0.5 - size / 2
    inside = (size / 2 - np.hypot(axis[:, None], axis[None, :])).clip(0, 8) / 8
    pixels = np.full((size, size, 4), (250, 190, 40, 0), np.uint8)
    pixels[..., 3] = inside * 255
    return pixels


class Discs:
    """Stickers that are all discs."""

    def __init__(self) -> None:
        self._made: dict[int, Animation] = {}

    def get(self, name: str, width: int, height: int) -> Animation:
        size = min(width, height)
        if size not in self._made:
            self._made[size] = Animation((straight_to_yuva(disc(size)),), (0.1,))
        return self._made[size]

    def prepare(self, name: str, width: int, height: int) -> None:
        self.get(name, width, height)


def ours(count: int, stickers: int) -> Draw:
    """Our canvas with so many participants, the first of whom wear a sticker."""
    canvas = Compositor(WIDTH, HEIGHT, Discs())
    views = [TileView(str(n), f"Participant {n + 1}", None) for n in range(count)]
    mark = (StickerMark("disc", 0.0, HAND),)
    views = [replace(view, stickers=mark) if n < stickers else view for n, view in enumerate(views)]

    def draw(pictures: Pictures) -> None:
        tiles = [
            replace(view, frame=picture) for view, picture in zip(views, pictures, strict=True)
        ]
        canvas.draw(tiles, 0.0)

    return draw


class Graph:
    """scale + xstack + overlay: the same tiles and stickers, without names and corners.

    The graph object is kept: PyAV's filter contexts hold it weakly, and pushing into a graph that
    was freed crashes.
    """

    def __init__(self, count: int, stickers: int) -> None:
        self._graph = av.filter.Graph()
        base = Fraction(1, 25)
        areas = arrange(count, WIDTH, HEIGHT)
        shape = (None, 640, 360, VideoFormat("yuv420p"))
        self._sources = [self._graph.add_buffer(*shape, time_base=base) for _ in areas]
        last = self._stacked(areas)
        size = even(areas[0].height * 0.4)
        self._sticker = av.VideoFrame.from_ndarray(disc(size), format="rgba")
        self._sticker = self._sticker.reformat(format="yuva420p")
        self._stickers = []
        for area in areas[:stickers]:
            source = self._graph.add_buffer(
                width=size, height=size, format=VideoFormat("yuva420p"), time_base=base
            )
            overlay = self._graph.add("overlay", f"x={area.x + 8}:y={area.y + 8}:format=yuv420")
            last.link_to(overlay, 0, 0)
            source.link_to(overlay, 0, 1)
            self._stickers.append(source)
            last = overlay
        self._sink = self._graph.add("buffersink")
        last.link_to(self._sink)
        self._graph.configure()
        self._count = 0

    def _stacked(self, areas: Sequence[Rect]) -> av.filter.context.FilterContext:
        scaled = []
        for source, area in zip(self._sources, areas, strict=True):
            scale = self._graph.add("scale", f"{area.width}:{area.height}:flags=bilinear")
            source.link_to(scale)
            scaled.append(scale)
        if len(scaled) == 1:
            return scaled[0]
        layout = "|".join(f"{area.x}_{area.y}" for area in areas)
        stack = self._graph.add("xstack", f"inputs={len(scaled)}:layout={layout}:fill=black")
        for number, scale in enumerate(scaled):
            scale.link_to(stack, 0, number)
        return stack

    def __call__(self, pictures: Pictures) -> None:
        """Draw one picture."""
        self._count += 1
        for source, picture in zip(self._sources, pictures, strict=True):
            picture.pts, picture.time_base = self._count, Fraction(1, 25)
            source.push(picture)
        for source in self._stickers:
            self._sticker.pts, self._sticker.time_base = self._count, Fraction(1, 25)
            source.push(self._sticker)
        self._sink.pull()


def milliseconds(ways: Sequence[Draw], count: int, rounds: int) -> list[float]:
    """Median CPU time that each way needs for a picture; every picture has new source frames.

    The ways take turns every ten pictures, so that a machine that is slower for a second is so for
    all of them.
    """
    footage = frames()
    taken: list[list[float]] = [[] for _ in ways]
    for number in range(rounds):
        for draw, times in zip(ways, taken, strict=True):
            for turn in range(TURN * number, TURN * (number + 1)):
                pictures = [footage[(turn * count + n) % len(footage)] for n in range(count)]
                began = time.process_time()
                draw(pictures)
                times.append(time.process_time() - began)
    return [1000 * median(times[TURN // 2 :]) for times in taken]


def measure(quick: bool) -> Iterator[Table]:
    """One row for each number of participants and stickers."""
    table = Table(
        "Drawing 1280x720, ms of CPU",
        ("participants", "stickers", "compositor", "libavfilter", "compositor / libavfilter"),
        "640x360 in. The compositor also writes names and rounds corners; the graph (scale, xstack,"
        " overlay) does not, and has to be rebuilt whenever a participant joins or a sticker ends.",
    )
    with pinned(OURS):
        for count, stickers in ((1, 0), (4, 0), (9, 0), (9, 3), (9, 9), (16, 0)):
            ways = (ours(count, stickers), Graph(count, stickers))
            mine, theirs = milliseconds(ways, count, 4 if quick else 60)
            table.add(count, stickers, mine, theirs, f"{mine / theirs:.2f}x")
    yield table
