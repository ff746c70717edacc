"""No socket of ICE outlives its connection, whenever that is closed or its user cancelled."""

import asyncio
import socket
from collections.abc import Callable, Iterator
from contextlib import closing as closing_socket
from contextlib import suppress
from typing import TypeAlias

import pytest
from aiortc import RTCIceServer, RTCPeerConnection
from aiortc.exceptions import InvalidStateError
from structlog.testing import capture_logs

from config.errors import NegotiationError
from sidecar.media import aiortc_patches
from sidecar.media.peer import PeerOptions, PeerTimeouts
from sidecar.media.peer_connection import close, closing, peer_connection
from sidecar.media.receive_peer import ReceivePeer
from tests.sidecar.media.pictures import descriptors, until_true

STEPS = 10
"""Steps of the event loop; gathering on two addresses takes seven."""

Servers: TypeAlias = list[RTCIceServer]

URLS: dict[str, Callable[[int], str]] = {
    "host": lambda port: "",
    "stun": lambda port: f"stun:127.0.0.1:{port}",
    "turn": lambda port: f"turn:127.0.0.1:{port}",
    "turn over TCP": lambda port: f"turn:127.0.0.1:{port}?transport=tcp",
}


@pytest.fixture(params=URLS)
def servers(request: pytest.FixtureRequest) -> Iterator[Servers]:
    """The ICE server of one kind, which never answers; or none."""
    over_tcp = request.param.endswith("TCP")
    kind = socket.SOCK_STREAM if over_tcp else socket.SOCK_DGRAM
    with closing_socket(socket.socket(type=kind)) as silent:
        silent.bind(("127.0.0.1", 0))
        if over_tcp:
            silent.listen()
        url = URLS[request.param](silent.getsockname()[1])
        yield [RTCIceServer(url, username="us", credential="secret")] if url else []


class Gathering:
    """A connection, and the task that gathers its candidates."""

    def __init__(self, servers: Servers) -> None:
        self.connection: RTCPeerConnection = peer_connection(servers)
        self.connection.addTransceiver("video", direction="recvonly")
        self.task = asyncio.create_task(self._gather())

    async def _gather(self) -> None:
        # It can't begin in a connection that is closed.
        with suppress(InvalidStateError):
            await self.connection.setLocalDescription()


async def steps(count: int) -> None:
    for _ in range(count):
        await asyncio.sleep(0)


async def nothing_more_than(before: int, tasks: set[asyncio.Task[object]]) -> None:
    """Wait until no descriptor and no task is left that was not there before."""
    await until_true(lambda: descriptors() <= before and asyncio.all_tasks() <= tasks)


async def test_gathering_opens_sockets() -> None:
    before = descriptors()
    gathering = Gathering([])
    await gathering.task
    assert descriptors() > before, "the other tests here show something"
    await close(gathering.connection)


async def test_a_gathering_that_is_cancelled_leaves_no_socket(servers: Servers) -> None:
    before, tasks = descriptors(), asyncio.all_tasks()
    for count in range(STEPS):
        gathering = Gathering(servers)
        await steps(count)
        gathering.task.cancel()
        await asyncio.wait([gathering.task])
        await close(gathering.connection)
        await nothing_more_than(before, tasks)


async def test_a_connection_that_is_closed_while_it_gathers_leaves_no_socket(
    servers: Servers,
) -> None:
    before, tasks = descriptors(), asyncio.all_tasks()
    for count in range(STEPS):
        gathering = Gathering(servers)
        await steps(count)
        await close(gathering.connection)
        await gathering.task
        await nothing_more_than(before, tasks)


async def test_a_gathering_that_goes_on_after_the_close_leaves_no_socket() -> None:
    before, tasks = descriptors(), asyncio.all_tasks()
    for count in range(STEPS):
        gathering = Gathering([])
        await steps(1)
        closing_task = asyncio.create_task(close(gathering.connection))
        await steps(count)
        gathering.task.cancel()
        await asyncio.wait([gathering.task, closing_task])
        await nothing_more_than(before, tasks)


async def test_closing_goes_on_where_it_is_cancelled() -> None:
    before, tasks = descriptors(), asyncio.all_tasks()
    for count in range(1, STEPS):
        gathering = Gathering([])
        await gathering.task
        closing_task = asyncio.create_task(close(gathering.connection))
        await steps(count)
        closing_task.cancel()
        await asyncio.wait([closing_task])
        await nothing_more_than(before, tasks)


async def test_a_connected_pair_whose_closing_is_cancelled_leaves_nothing() -> None:
    before, tasks = descriptors(), asyncio.all_tasks()
    for count in (1, 2, 3, 5, 8):
        first, second = peer_connection(), peer_connection()
        first.createDataChannel("any")
        await first.setLocalDescription()
        await second.setRemoteDescription(first.localDescription)
        await second.setLocalDescription()
        await first.setRemoteDescription(second.localDescription)
        await until_true(lambda: first.connectionState == "connected")  # noqa: B023
        both = [asyncio.create_task(close(one)) for one in (first, second)]
        await steps(count)
        for one in both:
            one.cancel()
        await asyncio.wait(both)
        await nothing_more_than(before, tasks)


async def test_a_connection_that_does_not_end_in_time_leaves_no_socket(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    before = descriptors()
    gathering = Gathering([])
    await gathering.task

    async def hang() -> None:
        await asyncio.Event().wait()

    monkeypatch.setattr(gathering.connection, "close", hang)
    with capture_logs() as logs:
        await close(gathering.connection, 0.01)
    assert [log["event"] for log in logs] == ["peer connection not closed"]
    await until_true(lambda: descriptors() <= before)


async def test_an_unknown_aiortc_frees_no_socket(monkeypatch: pytest.MonkeyPatch) -> None:
    async with closing(peer_connection()) as connection:
        assert aiortc_patches.free_sockets(connection)
        monkeypatch.setattr(aiortc_patches, "known_version", lambda: False)
        assert not aiortc_patches.free_sockets(connection)


async def test_a_peer_that_is_closed_while_it_gathers_has_no_offer() -> None:
    before, tasks = descriptors(), asyncio.all_tasks()
    peer = ReceivePeer(PeerOptions("ada", timeouts=PeerTimeouts(negotiation=20.0)))
    async with peer:
        offering = asyncio.create_task(peer.offer())
        await steps(3)
    with pytest.raises(NegotiationError, match="closed here"):
        await offering
    await nothing_more_than(before, tasks)
