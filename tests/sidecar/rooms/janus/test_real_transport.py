"""Each transport and each credential of a real Janus, connections that break, servers that die."""

import asyncio
import re
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from functools import partial
from pathlib import Path

import psutil
import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from config.errors import RefusedError, RoomError
from sidecar.rooms.base import Left
from sidecar.rooms.janus.adapter import ADAPTER, JanusAdapter
from sidecar.rooms.janus.messages import MAX_BYTES
from sidecar.rooms.janus.transport import JanusTimeouts
from sidecar.rooms.reconnect import ReconnectingRoom
from tests.servers.janus import JanusServer, Setup
from tests.servers.process import free_ports
from tests.servers.soak import JOINS, RESTARTS
from tests.servers.tls import self_signed
from tests.sidecar.clients import ColourTrack, eventually
from tests.sidecar.leaks import Held, back_to, held
from tests.sidecar.rooms.attendance import following
from tests.sidecar.rooms.composites import grey_composite
from tests.sidecar.rooms.janus.attending import attending, options
from tests.sidecar.rooms.janus.client import JanusClient, camera, client
from tests.sidecar.rooms.janus.proxy import proxy

pytestmark = pytest.mark.servers

SECRET, TOKEN = "an-api-secret", "a-stored-token"


@pytest.fixture
async def locked(tmp_path: Path) -> AsyncIterator[JanusServer]:
    """A server that speaks TLS, wants an API secret, and calls its rooms by names."""
    setup = Setup(
        rooms={"kitchen": {"publishers": 6}, "1234": {"publishers": 6}},
        general={"api_secret": SECRET},
        videoroom={"string_ids": True},
        certificate=self_signed(tmp_path),
    )
    async with JanusServer(tmp_path / "janus", setup) as server:
        yield server


@pytest.mark.parametrize("scheme", ["wss", "https"])
async def test_rooms_are_joined_by_tls_with_a_secret_and_by_name(
    locked: JanusServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, scheme: str
) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "cert.pem"))
    url = locked.url("kitchen", scheme)
    async with (
        client(locked.ports["ws"], apisecret=SECRET) as someone,
        camera(someone, "kitchen", "Ada", ColourTrack()),
        attending(url, options({"JANUS_API_SECRET": SECRET}), publishing=True) as sidecar,
    ):
        await eventually(lambda: sidecar.frames("Ada") > 0)


async def test_a_name_of_digits_is_tried_as_text_too(locked: JanusServer) -> None:
    async with attending(locked.url("1234"), options({"JANUS_API_SECRET": SECRET})) as sidecar:
        assert not sidecar.ended


@pytest.mark.parametrize("scheme", ["ws", "http"])
@pytest.mark.parametrize("environ", [{}, {"JANUS_API_SECRET": "not-this-one"}])
async def test_a_wrong_secret_is_refused_and_not_shown(
    locked: JanusServer, scheme: str, environ: dict[str, str]
) -> None:
    with pytest.raises(RefusedError, match="JANUS_API_SECRET") as refused:
        async with attending(locked.url("kitchen", scheme), options(environ)):
            pass
    assert "not-this-one" not in str(refused.value)


@pytest.mark.parametrize("scheme", ["wss", "https"])
async def test_an_untrusted_certificate_is_an_error(locked: JanusServer, scheme: str) -> None:
    with pytest.raises(RoomError, match="certificate"):
        async with attending(locked.url("kitchen", scheme)):
            pass


async def test_tokens_that_the_server_has_stored_are_sent(tmp_path: Path) -> None:
    setup = Setup(
        rooms={"1234": {"publishers": 6}},
        general={"token_auth": True},
    )
    async with JanusServer(tmp_path, setup) as server:
        with pytest.raises(RefusedError, match="JANUS_TOKEN"):
            async with attending(server.url(), options({"JANUS_TOKEN": "another"})):
                pass
        await server.admin("add_token", token=TOKEN)
        async with attending(server.url(), options({"JANUS_TOKEN": TOKEN})) as sidecar:
            assert not sidecar.ended


async def test_a_token_that_expires_is_replaced_by_the_one_in_its_file(tmp_path: Path) -> None:
    setup = Setup(rooms={"1234": {"publishers": 6}}, general={"token_auth": True})
    file = tmp_path / "token"
    file.write_text("first")
    async with JanusServer(tmp_path / "janus", setup) as server:
        await server.admin("add_token", token="first")
        how = options({"JANUS_TOKEN_FILE": str(file)})
        async with (
            ReconnectingRoom(lambda: ADAPTER.room(server.url(), how)) as meeting,
            following(meeting) as sidecar,
        ):
            file.write_text("second")
            await server.admin("add_token", token="second")
            await server.admin("remove_token", token="first")
            await eventually(lambda: meeting.rejoined == 1)
            async with (
                client(server.ports["ws"], token="second") as someone,
                camera(someone, 1234, "Ada", ColourTrack()),
            ):
                await eventually(lambda: sidecar.frames("Ada") > 0)


@pytest.mark.parametrize("scheme", ["ws", "wss", "http", "https"])
async def test_a_server_that_is_not_there_is_an_error(scheme: str) -> None:
    (port,) = free_ports(1)
    with pytest.raises(RoomError, match=re.escape(f"127.0.0.1:{port}")):
        async with attending(f"janus+{scheme}://127.0.0.1:{port}/1234"):
            pass


async def test_a_server_without_websocket_is_an_error(server: JanusServer) -> None:
    with pytest.raises(RoomError, match="no WebSocket at this URL"):
        async with attending(f"janus://127.0.0.1:{server.ports['http']}/1234"):
            pass


@pytest.mark.parametrize(
    ("answer", "words"),
    [("[" * (MAX_BYTES + 1), "more than"), ("<html>", "did not admit|silent")],
)
async def test_a_server_that_answers_garbage_is_an_error(answer: str, words: str) -> None:
    async def say(_: web.Request) -> web.Response:
        return web.Response(text=answer)

    adapter = JanusAdapter(JanusTimeouts(enter=1.0))
    app = web.Application()
    app.router.add_post("/janus", say)
    async with TestServer(app) as nonsense:
        url = f"janus+http://127.0.0.1:{nonsense.port}/1234"
        with pytest.raises(RoomError, match=words):
            async with attending(url, adapter=adapter):
                pass


async def test_candidates_that_come_after_the_description_are_used(tmp_path: Path) -> None:
    setup = Setup(rooms={"1234": {"publishers": 6}}, nat={"full_trickle": True})
    async with (
        JanusServer(tmp_path, setup) as server,
        client(server.ports["ws"]) as someone,
        camera(someone, 1234, "Ada", ColourTrack()),
        attending(server.url(), publishing=True) as sidecar,
    ):
        await eventually(lambda: sidecar.frames("Ada") > 0)


@pytest.fixture
async def mortal(tmp_path: Path) -> AsyncIterator[JanusServer]:
    """A server of this test's own, which keeps sessions for those whose connection broke."""
    setup = Setup(rooms={"1234": {"publishers": 6}}, general={"reclaim_session_timeout": 30})
    async with JanusServer(tmp_path / "janus", setup) as server:
        yield server


async def test_a_session_is_claimed_and_cameras_stay_meanwhile(mortal: JanusServer) -> None:
    async with (
        client(mortal.ports["ws"]) as someone,
        camera(someone, 1234, "Ada", ColourTrack()),
        proxy(mortal.ports["ws"]) as road,
        attending(f"janus://127.0.0.1:{road.port}/1234", publishing=True) as sidecar,
    ):
        await eventually(lambda: sidecar.frames("Ada") > 0)
        await road.cut()
        before = sidecar.frames("Ada")
        await eventually(lambda: sidecar.frames("Ada") > before + 5)
        await road.open()
        async with camera(someone, 1234, "Bob", ColourTrack()):
            await eventually(lambda: sidecar.frames("Bob") > 0)
        assert not any(
            isinstance(change, Left) and change.participant == next(iter(sidecar.present))
            for change in sidecar.changes
        )
        assert road.connections >= 2


async def test_a_session_that_is_gone_ends_the_room_for_now(server: JanusServer) -> None:
    # Without reclaim_session_timeout, Janus frees a session with its connection.
    async with (
        proxy(server.ports["ws"]) as road,
        client(server.ports["ws"]) as someone,
    ):
        await someone.create(77)
        async with attending(f"janus://127.0.0.1:{road.port}/77") as sidecar:
            await road.cut()
            await road.open()
            await eventually(lambda: sidecar.ended)
            assert isinstance(sidecar.failure, RoomError)
            assert not isinstance(sidecar.failure, RefusedError)
            assert "No such session" in str(sidecar.failure)


def _rejoined(room: ReconnectingRoom, count: int) -> bool:
    return room.rejoined > count


@pytest.mark.soak
async def test_a_server_that_is_killed_is_joined_again_and_nothing_is_left_behind(
    mortal: JanusServer,
) -> None:
    room = ReconnectingRoom(lambda: ADAPTER.room(mortal.url("1234"), options()))
    before: Held | None = None
    async with room, following(room) as sidecar, grey_composite() as encoder:
        await room.publish(encoder)
        for count in range(RESTARTS + 1):
            async with (
                client(mortal.ports["ws"]) as someone,
                camera(someone, 1234, "Ada", ColourTrack()) as ada,
            ):
                await eventually(lambda: sidecar.frames("Ada") > 0)
                assert list(sidecar.present) == [str(ada.id)]
                assert encoder.viewers == 1
                assert len(await someone.people(1234)) == 2
                if before is None:
                    before = held()
                await back_to(before)
                if count == RESTARTS:
                    break
                await mortal.process.restart()
            await eventually(partial(_rejoined, room, count))
        assert room.rejoined == RESTARTS


@pytest.mark.soak
async def test_joining_and_leaving_leaves_nothing_behind(
    server: JanusServer, someone: JanusClient, room: int
) -> None:
    async def come_and_go() -> None:
        async with attending(server.url(str(room)), publishing=True) as sidecar:
            await eventually(lambda: sidecar.frames("Ada") > 0)

    async with camera(someone, room, "Ada", ColourTrack()):
        await come_and_go()
        before = held()
        for _ in range(JOINS):
            await come_and_go()
        await back_to(before)
        assert len(await someone.people(room)) == 1


async def test_leaving_is_quick_even_if_the_server_hangs(mortal: JanusServer) -> None:
    url = mortal.url("1234")
    process = psutil.Process(mortal.process.pid)
    async with (
        client(mortal.ports["ws"]) as someone,
        camera(someone, 1234, "Ada", ColourTrack()),
        AsyncExitStack() as stack,
    ):
        sidecar = await stack.enter_async_context(attending(url, publishing=True))
        await eventually(lambda: sidecar.frames("Ada") > 0)
        process.suspend()
        try:
            # Far below what aiortc or TCP take to notice.
            async with asyncio.timeout(10):
                await stack.aclose()
        finally:
            process.resume()
