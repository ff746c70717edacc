"""A sink of any kind whose receiver is stuck holds up neither the session nor the closing."""

import asyncio
import os
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from gifs.catalogue import STICKERS
from reactions.geometry import Box
from reactions.reaction_event import ReactionEvent, ReactionStage
from sidecar.rooms.memory import MemoryRoom
from sidecar.session.events import EventBus, ReactionStep
from sidecar.sinks.base import SinkOptions
from sidecar.sinks.delivery import CAPACITY
from sidecar.sinks.registry import open_event_sink
from sidecar.sinks.sink_set import SinkSet
from tests.sidecar.clients import eventually
from tests.sidecar.sinks.sinks import RecordingSink

EVENTS = 2 * CAPACITY
STARTED = ReactionStep(
    ReactionEvent(ReactionStage.STARTED, 1.0, "ada", "fire", 0.9, 1.0, Box(0, 0, 1, 1)), "Ada"
)
SECRETS = {
    "WEBHOOK_SECRET": "a-secret-that-is-long-enough",
    "EYESON_ACCESS_KEY": "a-key-of-16-chars",
}


class StuckServer:
    """Takes connections, reads what comes and never answers."""

    def __init__(self) -> None:
        self.connections = 0
        self.port = 0
        self._end = asyncio.Event()

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        await self._end.wait()
        writer.transport.abort()

    def end(self) -> None:
        self._end.set()


@pytest.fixture
async def stuck() -> AsyncIterator[StuckServer]:
    found = StuckServer()
    async with await asyncio.start_server(found.serve, "127.0.0.1", 0) as server:
        found.port = server.sockets[0].getsockname()[1]
        yield found
        found.end()
        await asyncio.sleep(0)


@pytest.mark.parametrize("scheme", ["webhook+http", "mqtt", "eyeson+http"])
async def test_a_server_that_never_answers_holds_up_nothing(
    stuck: StuckServer, scheme: str
) -> None:
    options = SinkOptions(MemoryRoom(), SECRETS, stickers={"fire": STICKERS["fire"]})
    other = RecordingSink()
    bus = EventBus()
    sink = open_event_sink(f"{scheme}://127.0.0.1:{stuck.port}", options)
    async with asyncio.timeout(10):
        async with SinkSet(events=[sink, other]) as sinks:
            with sinks.attached(bus):
                for _ in range(EVENTS):
                    bus.publish(STARTED)
                    await asyncio.sleep(0)
                await eventually(lambda: stuck.connections > 0)
                await eventually(lambda: len(other.events) == EVENTS)
    assert other.closed


async def test_a_pipe_that_is_never_read_holds_up_nothing(tmp_path: Path) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    reader = os.open(pipe, os.O_RDONLY | os.O_NONBLOCK)
    other = RecordingSink()
    bus = EventBus()
    try:
        async with asyncio.timeout(10):
            sink = open_event_sink(f"jsonl:{pipe}", SinkOptions(MemoryRoom()))
            async with SinkSet(events=[sink, other]) as sinks:
                with sinks.attached(bus):
                    for _ in range(2 * EVENTS):
                        bus.publish(STARTED)
                        await asyncio.sleep(0)
                    await eventually(lambda: len(other.events) == 2 * EVENTS)
    finally:
        os.close(reader)
