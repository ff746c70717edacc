"""Deinterlace pictures."""

from collections.abc import Iterator
from fractions import Fraction

import av
from av.filter import Graph

_FILTER = ("bwdif", "mode=send_frame:parity=auto:deint=interlaced")
"""FFmpeg's best deinterlacer that needs no model file; it leaves other pictures as they are."""


class Deinterlacer:
    """Passes pictures on, interlaced ones deinterlaced; it does nothing before the first of them.

    From then on each picture comes out when the next one has gone in.
    """

    def __init__(self) -> None:
        self._graph: Graph | None = None
        self._shape = ("", 0, 0)

    def push(self, frame: av.VideoFrame) -> Iterator[av.VideoFrame]:
        """Take ``frame``, and give what is ready."""
        if self._graph is None and not frame.interlaced_frame:
            yield frame
            return
        shape = (frame.format.name, frame.width, frame.height)
        if self._graph is None or shape != self._shape:
            yield from self.flush()
            self._graph, self._shape = _make_graph(*shape, frame.time_base), shape
        self._graph.vpush(frame)
        yield from _ready(self._graph)

    def flush(self) -> Iterator[av.VideoFrame]:
        """Give the pictures that are still inside."""
        graph, self._graph = self._graph, None
        if graph is not None:
            graph.vpush(None)
            yield from _ready(graph)


def _make_graph(pixels: str, width: int, height: int, time_base: Fraction | None) -> Graph:
    graph = Graph()
    source = graph.add(
        "buffer",
        video_size=f"{width}x{height}",
        pix_fmt=pixels,
        time_base=str(time_base or Fraction(1, 90_000)),
    )
    deinterlacer, sink = graph.add(*_FILTER), graph.add("buffersink")
    source.link_to(deinterlacer)
    deinterlacer.link_to(sink)
    graph.configure()
    return graph


def _ready(graph: Graph) -> Iterator[av.VideoFrame]:
    while True:
        try:
            yield graph.vpull()
        except (av.BlockingIOError, av.EOFError):
            return
