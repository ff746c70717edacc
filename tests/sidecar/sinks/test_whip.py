"""The composite at a WHIP server: ours."""

import pytest

from config.errors import RoomError
from sidecar.rooms.memory import MemoryRoom
from sidecar.sinks.base import PacketSink, SinkOptions
from sidecar.sinks.registry import open_video_sink
from tests.sidecar.clients import eventually
from tests.sidecar.rooms.composites import grey_composite
from tests.sidecar.server.conftest import running_server

pytestmark = pytest.mark.peers

OPTIONS = SinkOptions(MemoryRoom())


async def test_the_composite_arrives_and_its_packets_are_counted() -> None:
    async with running_server() as running, grey_composite() as composite:
        sink = open_video_sink(f"whip+{running.url('/rooms/one/whip?name=Stage')}", OPTIONS)
        assert isinstance(sink, PacketSink)
        await sink.start()
        await sink.publish(composite)
        await eventually(lambda: bool(running.meetings["one"].present))
        (joined,) = running.meetings["one"].present.values()
        assert joined.name == "Stage"
        await eventually(lambda: sink.stats().delivered > 0)
        await sink.aclose()
        assert composite.viewers == 0
        assert "Stage" not in sink.name


async def test_a_server_that_refuses_is_an_error_of_publishing() -> None:
    async with running_server() as running, grey_composite() as composite:
        sink = open_video_sink(f"whip+{running.url('/rooms/no%20room/whip')}", OPTIONS)
        assert isinstance(sink, PacketSink)
        await sink.start()
        with pytest.raises(RoomError):
            await sink.publish(composite)
        await sink.aclose()
