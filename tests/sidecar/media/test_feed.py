import asyncio

from structlog.testing import capture_logs

from sidecar.media.feed import STALE_AFTER, Feed
from tests.sidecar.media.pictures import Frames, flat, stamped


class Clock:
    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


async def settle() -> None:
    """Let every task that can run do so."""
    for _ in range(5):
        await asyncio.sleep(0)


async def test_only_the_newest_frame_is_kept() -> None:
    track = Frames()
    pictures = [flat(), flat(), flat()]
    async with Feed(track) as feed:
        for picture in pictures:
            track.push(picture)
        await settle()
        assert feed.frame is pictures[-1]
        assert feed.frames == 3


async def test_a_frame_that_is_waited_for_wakes_the_waiter() -> None:
    track = Frames()
    async with Feed(track) as feed:
        waiter = asyncio.create_task(feed.wait_newer(feed.frames))
        await settle()
        assert not waiter.done()
        track.push(flat())
        assert await waiter


async def test_waiting_ends_with_the_track() -> None:
    track = Frames()
    async with Feed(track) as feed:
        waiter = asyncio.create_task(feed.wait_newer(0))
        await settle()
        track.push(None)
        assert await waiter is False
        assert feed.ended


async def test_waiting_ends_when_the_feed_is_left() -> None:
    async with Feed(Frames()) as feed:
        waiter = asyncio.create_task(feed.wait_newer(0))
        await settle()
    assert await waiter is False


async def test_the_size_is_that_of_the_newest_frame() -> None:
    track = Frames()
    async with Feed(track) as feed:
        assert feed.size is None
        for width, height in [(320, 180), (640, 360)]:
            track.push(flat(width, height))
            await settle()
            assert feed.size == (width, height)


async def test_a_feed_goes_stale_without_frames_and_recovers() -> None:
    track, clock = Frames(), Clock()
    async with Feed(track, clock=clock) as feed:
        assert not feed.stale(clock.now)
        clock.now += STALE_AFTER + 0.1
        assert feed.stale(clock.now)
        track.push(flat())
        await settle()
        assert not feed.stale(clock.now)
        assert feed.arrived == clock.now


async def test_an_ended_feed_is_stale_at_once() -> None:
    track = Frames()
    async with Feed(track) as feed:
        track.push(flat())
        track.push(None)
        await settle()
        assert feed.arrived is not None
        assert feed.stale(feed.arrived)


async def test_frames_of_a_backlog_are_dropped() -> None:
    track, clock = Frames(), Clock()
    async with Feed(track, clock=clock) as feed:
        track.push(stamped(flat(), 0.0))
        await settle()
        good = feed.frame
        clock.now += 2.0
        for stamp in (0.04, 0.2, 0.4):
            track.push(stamped(flat(), stamp))
            await settle()
        assert feed.frame is good
        assert (feed.frames, feed.late) == (1, 3)


async def test_a_late_frame_that_no_backlog_follows_is_shown_after_a_second() -> None:
    track = Frames()
    loop = asyncio.get_running_loop()
    offset = 0.0
    async with Feed(track, clock=lambda: loop.time() + offset) as feed:
        track.push(stamped(flat(), 0.0))
        await settle()
        offset = 8.0
        late = stamped(flat(), 0.04)
        track.push(late)
        await settle()
        assert feed.frame is not late
        async with asyncio.timeout(30):
            assert await feed.wait_newer(1)
        assert feed.frame is late


async def test_a_camera_that_sends_a_frame_in_five_seconds_is_not_stale_between_them() -> None:
    track, clock = Frames(), Clock()
    async with Feed(track, clock=clock) as feed:
        for stamp in (0.0, 5.0, 10.0):
            clock.now = 100.0 + stamp
            track.push(stamped(flat(), stamp))
            await settle()
        assert not feed.stale(clock.now + 9.0)
        assert feed.stale(clock.now + 11.0)


async def test_frames_without_a_stamp_are_taken_as_they_come() -> None:
    track, clock = Frames(), Clock()
    async with Feed(track, clock=clock) as feed:
        for _ in range(3):
            track.push(flat())
            await settle()
            clock.now += 2.0
        assert (feed.frames, feed.late) == (3, 0)


async def test_a_track_that_fails_ends_its_feed_and_nothing_else() -> None:
    class Broken:
        async def recv(self) -> object:
            raise RuntimeError("no such luck")

    with capture_logs() as logs:
        async with Feed(Broken()) as feed:
            assert await feed.wait_newer(0) is False
    assert [log["event"] for log in logs] == ["feed failed"]


async def test_what_is_not_a_video_frame_is_skipped() -> None:
    class Mixed:
        def __init__(self) -> None:
            self._items: list[object] = ["sound", flat()]

        async def recv(self) -> object:
            if not self._items:
                await asyncio.Event().wait()
            return self._items.pop(0)

    async with Feed(Mixed()) as feed:
        assert await feed.wait_newer(0)
        assert feed.frames == 1


async def test_leaving_a_feed_leaves_no_task_behind() -> None:
    before = asyncio.all_tasks()
    async with Feed(Frames()):
        pass
    assert asyncio.all_tasks() == before


async def test_a_feed_takes_frames_from_the_track_that_was_attached_last() -> None:
    low, high = Frames(), Frames()
    async with Feed() as feed:
        feed.attach(low)
        low.push(flat(320, 180))
        await settle()
        assert feed.size == (320, 180)
        feed.attach(high)
        assert feed.size == (320, 180)
        low.push(flat(320, 180))
        high.push(flat(640, 360))
        await settle()
        assert feed.size == (640, 360)
        assert feed.frames == 2


async def test_a_feed_outlives_the_tracks_that_are_attached() -> None:
    first, second = Frames(), Frames()
    async with Feed() as feed:
        feed.attach(first)
        first.push(None)
        await settle()
        assert not feed.ended
        feed.attach(second)
        second.push(flat())
        assert await feed.wait_newer(0)


async def test_a_track_that_fails_leaves_the_feed_open_for_another() -> None:
    class Broken:
        async def recv(self) -> object:
            raise RuntimeError("no such luck")

    track = Frames()
    with capture_logs() as logs:
        async with Feed() as feed:
            feed.attach(Broken())
            await settle()
            feed.attach(track)
            track.push(flat())
            assert await feed.wait_newer(0)
    assert [(log["event"], log["reason"]) for log in logs] == [
        ("feed failed", "RuntimeError('no such luck')")
    ]


async def test_the_clock_of_another_track_makes_no_frame_late() -> None:
    first, second, clock = Frames(), Frames(), Clock()
    async with Feed(clock=clock) as feed:
        feed.attach(first)
        first.push(stamped(flat(), 100.0))
        await settle()
        clock.now += 60.0
        feed.attach(second)
        second.push(stamped(flat(), 101.0))
        await settle()
        assert (feed.frames, feed.late) == (2, 0)


async def test_the_age_of_a_feed_without_a_frame_counts_from_its_track() -> None:
    track, clock = Frames(), Clock()
    async with Feed(clock=clock) as feed:
        clock.now += STALE_AFTER + 1
        assert feed.stale(clock.now)
        feed.attach(track)
        assert not feed.stale(clock.now)


async def test_attaching_the_same_track_reads_on() -> None:
    track = Frames()
    async with Feed() as feed:
        for frames in (1, 2):
            feed.attach(track)
            track.push(flat())
            assert await feed.wait_newer(frames - 1)


async def test_a_track_that_is_attached_before_the_start_is_read_from_then_on() -> None:
    track, feed = Frames(), Feed()
    feed.attach(track)
    track.push(flat())
    async with feed:
        assert await feed.wait_newer(0)


async def test_an_ended_feed_wakes_its_waiters_and_reads_nothing() -> None:
    track = Frames()
    async with Feed() as feed:
        feed.attach(track)
        waiter = asyncio.create_task(feed.wait_newer(0))
        await settle()
        feed.end()
        assert await waiter is False
        track.push(flat())
        feed.attach(Frames())
        await settle()
        assert (feed.frames, feed.ended) == (0, True)
