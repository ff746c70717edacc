"""A real Janus server for all tests of a module, a room of its own for each."""

import asyncio
import itertools
from collections.abc import AsyncIterator, Iterator

import pytest

from tests.servers.janus import JanusServer
from tests.sidecar.rooms.janus.client import JanusClient, client

ROOMS = itertools.count(100)


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[JanusServer]:
    server = JanusServer(tmp_path_factory.mktemp("janus"))
    asyncio.run(server.start())
    yield server
    asyncio.run(server.process.stop())


@pytest.fixture
async def someone(server: JanusServer) -> AsyncIterator[JanusClient]:
    """Another client of the server."""
    async with client(server.ports["ws"]) as session:
        yield session


@pytest.fixture
async def room(someone: JanusClient) -> int:
    """A room that was not used before."""
    number = next(ROOMS)
    await someone.create(number, publishers=6, notify_joining=True, videocodec="vp8,h264,vp9")
    return number
