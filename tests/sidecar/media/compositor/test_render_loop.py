import asyncio
import threading
from collections.abc import Sequence
from fractions import Fraction
from itertools import pairwise

import av
import pytest
from structlog.testing import capture_logs

from gifs.animation import Animation
from reactions.geometry import Box
from sidecar.media.compositor.compositor import Compositor
from sidecar.media.compositor.render_loop import RenderLoop
from sidecar.media.compositor.sticker_loader import StickerPrefetcher
from sidecar.media.compositor.tiles import FrameEffect, StickerMark, TileView
from sidecar.media.encoder import Encoder
from sidecar.media.packet_track import VideoPacket
from tests.sidecar.media.pictures import RED, Blocks, flat, threads, until_true


class Slow(Compositor):
    """A canvas whose first picture takes four ticks, and which may fail."""

    fail_at: frozenset[int] = frozenset()
    delay = 0.0

    def __init__(self) -> None:
        super().__init__(320, 180, Blocks())
        self.drawn = 0
        self.threads: set[str] = set()

    def draw(
        self, tiles: Sequence[TileView], time: float, effect: FrameEffect | None = None
    ) -> av.VideoFrame:
        self.drawn += 1
        self.threads.add(threading.current_thread().name)
        if self.drawn == 1:
            threading.Event().wait(self.delay)
        if self.drawn in self.fail_at:
            raise RuntimeError("out of paint")
        return super().draw(tiles, time, effect)


async def until(composite: RenderLoop, ticks: int) -> None:
    await until_true(lambda: composite.ticks >= ticks)


def tiles(time: float) -> list[TileView]:
    return [TileView("a", "", flat(320, 180))]


async def test_it_ticks_by_itself_in_one_thread_of_its_own() -> None:
    canvas = Slow()
    async with RenderLoop(canvas, tiles, Encoder(320, 180)) as composite:
        await until(composite, 5)
    assert len(canvas.threads) == 1
    assert canvas.threads.pop().startswith("composite")


async def test_a_viewer_gets_packets_with_growing_times() -> None:
    encoder = Encoder(320, 180)
    track = encoder.subscribe()
    async with RenderLoop(Slow(), tiles, encoder):
        packets = [await track.recv() for _ in range(5)]
    times = [packet.pts or 0 for packet in packets]
    assert times == sorted(set(times))
    assert packets[0].is_keyframe


async def test_ticks_that_are_too_late_are_skipped_and_counted() -> None:
    canvas, encoder = Slow(), Encoder(320, 180)
    canvas.delay = 0.2
    track = encoder.subscribe()
    async with RenderLoop(canvas, tiles, encoder) as composite:
        packets = [await track.recv() for _ in range(2)]
        assert composite.late >= 4
    assert (packets[1].pts or 0) - (packets[0].pts or 0) >= 5


async def test_a_failed_picture_is_counted_and_the_next_one_is_made() -> None:
    canvas = Slow()
    canvas.fail_at = frozenset({2, 3, 4})
    with capture_logs() as logs:
        async with RenderLoop(canvas, tiles, Encoder(320, 180)) as composite:
            await until(composite, 3)
            assert composite.failed == 3
    assert [log["failed"] for log in logs] == [1, 2]


async def test_tiles_are_asked_on_the_event_loop() -> None:
    asked_in = set()

    def ask(time: float) -> list[TileView]:
        asked_in.add(threading.current_thread())
        return []

    async with RenderLoop(Slow(), ask, Encoder(320, 180)) as composite:
        await until(composite, 2)
    assert asked_in == {threading.main_thread()}


async def test_leaving_ends_viewers_threads_and_tasks() -> None:
    before = asyncio.all_tasks(), threads()
    encoder = Encoder(320, 180)
    track = encoder.subscribe()
    async with RenderLoop(Slow(), tiles, encoder) as composite:
        await until(composite, 2)
    assert track.readyState == "ended"
    assert (asyncio.all_tasks(), threads()) == before


async def test_a_sticker_that_takes_long_to_load_makes_no_tick_late() -> None:
    loaded = threading.Event()

    class Slow(Blocks):
        def get(self, name: str, width: int, height: int) -> Animation:
            loaded.wait(10)
            return super().get(name, width, height)

    stickers = Slow(s=RED)
    loader = StickerPrefetcher(stickers)
    mark = StickerMark("s", 0.0, Box(0.4, 0.4, 0.1, 0.1))
    view = TileView("a", "", flat(320, 180), stickers=(mark,))
    canvas = Compositor(320, 180, loader)
    async with RenderLoop(
        canvas, lambda time: [view], Encoder(320, 180), loader=loader
    ) as composite:
        await until(composite, 3)
        assert stickers.asked == []
        loaded.set()
        await until_true(lambda: stickers.asked != [])


async def test_leaving_while_a_sticker_loads_delays_no_other_tile() -> None:
    asked, go = threading.Event(), threading.Event()

    class Slow(Blocks):
        def get(self, name: str, width: int, height: int) -> Animation:
            asked.set()
            go.wait(30)
            return super().get(name, width, height)

    mark = StickerMark("s", 0.0, Box(0.4, 0.4, 0.1, 0.1))
    view = TileView("a", "", flat(320, 180), stickers=(mark,))
    loader = StickerPrefetcher(Slow(s=RED))
    canvas = Compositor(320, 180, loader)
    composite = RenderLoop(canvas, lambda time: [view], Encoder(320, 180), loader=loader)
    await composite.start()
    await until_true(asked.is_set)
    leaving = asyncio.create_task(composite.aclose())
    await asyncio.sleep(0.05)
    assert not leaving.done()
    go.set()
    await leaving


async def test_size_and_rate_change_while_it_runs_and_times_go_on() -> None:
    encoder = Encoder(320, 180, fps=25)
    track = encoder.subscribe()
    async with RenderLoop(Slow(), tiles, encoder) as composite:
        before = [await track.recv() for _ in range(3)]
        composite.change(Compositor(640, 360, Blocks()), 50)
        packets = [await track.recv() for _ in range(6)]
    after = [packet for packet in packets if packet.time_base == Fraction(1, 50)]
    assert after[0].is_keyframe
    assert (encoder.width, encoder.height, encoder.fps) == (640, 360, 50)
    times = [seconds(packet) for packet in (*before, *packets)]
    assert times == sorted(set(times))
    # A busy machine leaves ticks out, but not all.
    assert min(b - a for a, b in pairwise(map(seconds, after))) < 1.5 / 50


def seconds(packet: VideoPacket) -> float:
    assert packet.time_base is not None
    return float((packet.pts or 0) * packet.time_base)


async def test_watching_raises_what_ended_the_loop() -> None:
    times = iter([0.0, 0.0, 0.04])

    def clock() -> float:
        return next(times)

    async with RenderLoop(Slow(), tiles, Encoder(320, 180), clock=clock) as composite:
        with pytest.raises(RuntimeError, match="StopIteration"):
            await composite.watch()


async def test_watching_ends_with_the_loop() -> None:
    async with RenderLoop(Slow(), tiles, Encoder(320, 180)) as composite:
        watching = asyncio.create_task(composite.watch())
        await until(composite, 1)
        assert not watching.done()
    await watching
