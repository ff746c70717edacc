"""The sinks of one session, from start to close."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import av
import pytest

from config.errors import PictureError
from sidecar.media.encoder import Encoder
from sidecar.rooms.memory import MemoryMeeting, MemoryRoom
from sidecar.session.events import EventBus
from sidecar.sinks.file import FileSink
from sidecar.sinks.room import RoomSink
from sidecar.sinks.sink_set import SinkSet
from tests.sidecar.clients import eventually
from tests.sidecar.media.pictures import flat
from tests.sidecar.rooms.composites import grey_composite
from tests.sidecar.sinks.sinks import RecordingSink, joined


@pytest.fixture
async def composite() -> AsyncIterator[Encoder]:
    async with grey_composite() as encoder:
        yield encoder


async def test_a_file_gets_pictures_and_the_room_packets(tmp_path: Path) -> None:
    file = FileSink(tmp_path / "out.mp4", 25)
    room = RoomSink(MemoryRoom())
    async with SinkSet([room, file]) as sinks:
        assert list(sinks.outputs) == [room]
        for tick in range(5):
            for listener in sinks.listeners:
                listener(flat(320, 180), tick / 25)
        assert [one.name for one in sinks.stats()] == ["room", "file:out.mp4"]
    assert file.stats().delivered == 5
    with av.open(str(tmp_path / "out.mp4")) as container:
        assert sum(1 for _ in container.decode(video=0)) == 5


def test_without_a_picture_there_is_no_file(tmp_path: Path) -> None:
    async def record() -> None:
        async with SinkSet([FileSink(tmp_path / "out.mkv", 25)]):
            pass

    asyncio.run(record())
    assert list(tmp_path.iterdir()) == []


async def test_one_that_can_t_start_closes_the_others() -> None:
    first = RecordingSink()
    with pytest.raises(PictureError, match="/no/such/folder"):
        await SinkSet([FileSink(Path("/no/such/folder/out.mp4"), 25)], [first]).start()
    assert not first.started

    class Refused(RecordingSink):
        async def start(self) -> None:
            raise PictureError("no")

    with pytest.raises(PictureError):
        await SinkSet([], [first, Refused()]).start()
    assert (first.started, first.closed) == (True, True)


async def test_events_reach_sinks_while_they_are_attached() -> None:
    sink, bus = RecordingSink(), EventBus()
    bus.publish(joined(1))
    async with SinkSet([], [sink]) as sinks:
        with sinks.attached(bus):
            bus.publish(joined(2))
        bus.publish(joined(3))
        await eventually(lambda: len(sink.events) == 2)
    assert sink.delivered() == [("participant.joined", "p-1"), ("participant.joined", "p-2")]


async def test_packets_that_viewers_got_and_missed_are_counted(composite: Encoder) -> None:
    meeting = MemoryMeeting()
    sink = RoomSink(meeting.room())
    await sink.publish(composite)
    assert meeting.composite is not None
    gone, slow = meeting.composite.subscribe(), meeting.composite.subscribe()
    await gone.recv()
    gone.stop()
    await slow.recv()
    await eventually(lambda: sink.stats().dropped > 0)
    meeting.composite.subscribe()
    assert sink.stats().delivered == 2
