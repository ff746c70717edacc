"""A real LiveKit server for each module of tests, and a room on it as a session would use it."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import replace

import pytest

from sidecar.rooms.base import JoinOptions
from sidecar.rooms.livekit.adapter import LiveKitAdapter
from sidecar.rooms.livekit.room import LiveKitRoom
from tests.servers.livekit import LiveKit, livekit
from tests.sidecar.rooms.attendance import Attendance, entered

LIVEKIT = LiveKitAdapter()


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LiveKit]:
    """One server for all tests of a module; each uses a room of its own."""
    with asyncio.Runner() as runner:
        context = livekit(tmp_path_factory.mktemp("livekit"))
        running = runner.run(context.__aenter__())
        try:
            yield running
        finally:
            runner.run(context.__aexit__(None, None, None))


def options(server: LiveKit, **changes: object) -> JoinOptions:
    """How the tests take part."""
    return replace(JoinOptions("Reactions", server.environ), **changes)  # type: ignore[arg-type]


@asynccontextmanager
async def seen(
    server: LiveKit, room: str, **changes: object
) -> AsyncIterator[Attendance[LiveKitRoom]]:
    """Take part in ``room`` and follow it."""
    async with entered(LIVEKIT.room(server.url(room), options(server, **changes))) as attendance:
        yield attendance
