"""The sink that the documentation shows works."""

import asyncio
import importlib.util
import sys
from collections.abc import AsyncIterator
from importlib.metadata import EntryPoint, EntryPoints
from pathlib import Path
from types import ModuleType

import pytest

from config.errors import ConfigError
from reactions.geometry import Box
from reactions.reaction_event import ReactionEvent, ReactionStage
from sidecar.rooms.memory import MemoryRoom
from sidecar.session.events import ReactionStep
from sidecar.sinks import registry
from sidecar.sinks.base import SinkOptions
from sidecar.sinks.delivery import EventDelivery
from sidecar.sinks.registry import open_event_sink
from tests.sidecar.clients import eventually
from tests.sidecar.sinks.sinks import joined

FILE = Path(__file__).parents[3] / "docs" / "examples" / "graphite_sink.py"
OPTIONS = SinkOptions(MemoryRoom())
STARTED = ReactionStep(
    ReactionEvent(ReactionStage.STARTED, 1.0, "ada", "wave", 0.9, 1.0, Box(0, 0, 1, 1)), "Ada"
)


@pytest.fixture(scope="module")
def example() -> ModuleType:
    spec = importlib.util.spec_from_file_location("graphite_sink", FILE)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules["graphite_sink"] = module
    spec.loader.exec_module(module)
    return module


class Graphite:
    """A server that keeps the lines it gets."""

    def __init__(self) -> None:
        self.lines: list[str] = []
        self.port = 0
        self.writers: list[asyncio.StreamWriter] = []

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.writers.append(writer)
        while line := await reader.readline():
            self.lines.append(line.decode())
        writer.close()


@pytest.fixture
async def graphite() -> AsyncIterator[Graphite]:
    found = Graphite()
    async with await asyncio.start_server(found.serve, "127.0.0.1", 0) as server:
        found.port = server.sockets[0].getsockname()[1]
        yield found
        for writer in found.writers:
            writer.close()


@pytest.fixture
def installed(example: ModuleType, monkeypatch: pytest.MonkeyPatch) -> None:
    """The example as if its package were installed."""
    point = EntryPoint("graphite", "graphite_sink:GraphiteSink", "reaction_sidecar.sinks")
    monkeypatch.setattr(registry, "entry_points", lambda group: EntryPoints([point]))


@pytest.mark.usefixtures("installed")
async def test_it_sends_a_line_for_each_reaction_that_starts(graphite: Graphite) -> None:
    sink = open_event_sink(f"graphite://127.0.0.1:{graphite.port}/meetings", OPTIONS)
    async with EventDelivery(sink) as delivery:
        delivery.put(joined(1))
        delivery.put(STARTED)
        await eventually(lambda: len(graphite.lines) == 1)
    assert graphite.lines[0].startswith("meetings.wave 1 ")


@pytest.mark.usefixtures("installed")
async def test_a_server_that_is_not_there_is_counted() -> None:
    sink = open_event_sink("graphite://127.0.0.1:9", OPTIONS)
    async with EventDelivery(sink) as delivery:
        delivery.put(STARTED)
        await eventually(lambda: delivery.stats().dropped == 1)


@pytest.mark.usefixtures("installed")
def test_a_url_without_a_host_is_refused() -> None:
    with pytest.raises(ConfigError, match="names no host"):
        open_event_sink("graphite:", OPTIONS)


def test_the_example_is_as_short_as_the_page_says() -> None:
    code = FILE.read_text(encoding="utf-8").splitlines()
    assert len([line for line in code if line.strip()]) < 50
