"""``sidecar serve`` as an operator runs it: real processes, a real LiveKit server, and kills."""

import asyncio
import json
import os
import signal
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, Self

import aiohttp
import psutil
import pytest

from tests.servers.livekit import LiveKit, livekit
from tests.sidecar.clients import ColourTrack, eventually, publishing
from tests.sidecar.rooms.livekit import guest
from tests.sidecar.sinks.webhook.receiver import SECRET, receiving

pytestmark = [pytest.mark.models, pytest.mark.servers]

TOKEN = "a-token-that-is-long-enough"
SMALL = {"width": 320, "height": 180, "fps": 10}
SECRETS = {"LIVEKIT_API_KEY": "env:LIVEKIT_API_KEY", "LIVEKIT_API_SECRET": "env:LIVEKIT_API_SECRET"}


class Served:
    """A running ``sidecar serve`` and a client of its API."""

    def __init__(self, process: asyncio.subprocess.Process, http: aiohttp.ClientSession) -> None:
        self.process = process
        self._http = http
        self.base = ""

    async def ready(self) -> Self:
        """Wait for the line with the address."""
        assert self.process.stdout is not None
        async for line in self.process.stdout:
            if b"The API is at " in line:
                self.base = line.decode().split()[4].removesuffix("/v1")
                return self
        raise AssertionError("the server ended")

    async def call(self, method: str, path: str, body: object = None) -> Any:
        headers = {"Authorization": f"Bearer {TOKEN}"}
        async with self._http.request(
            method, self.base + path, json=body, headers=headers
        ) as answer:
            assert answer.status < 400, await answer.text()
            return await answer.json()

    async def join(self, url: str) -> str:
        """The id of a room that is live."""
        room = await self.call(
            "POST", "/v1/rooms", {"url": url, "secrets": SECRETS, "layout": SMALL, "rate": 2}
        )
        await self.until(room["id"], state="live")
        return str(room["id"])

    async def until(self, room: str, **fields: object) -> dict[str, Any]:
        """Wait until the room has these fields, and return it."""
        async with asyncio.timeout(40):
            while True:
                shown: dict[str, Any] = await self.call("GET", f"/v1/rooms/{room}")
                if all(shown[key] == value for key, value in fields.items()):
                    return shown
                await asyncio.sleep(0.1)


@asynccontextmanager
async def served(folder: Path, server: LiveKit | None = None, **more: str) -> AsyncIterator[Served]:
    """A server whose rooms may use the keys of ``server``, with ``more`` in its environment."""
    environ = {
        **os.environ,
        **({} if server is None else server.environ),
        "SIDECAR_API_TOKEN": TOKEN,
        "SIDECAR_SERVE__JOURNAL": str(folder / "journal.db"),
        "SIDECAR_SERVE__CORES": "16",
        "SIDECAR_SERVE__WORKERS": "1",
        "SIDECAR_SERVE__DRAIN_TIMEOUT": "0",
        **more,
    }
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "sidecar", "serve", "--port", "0"),
        stdout=asyncio.subprocess.PIPE,
        env=environ,
    )
    try:
        async with aiohttp.ClientSession() as http, asyncio.timeout(150):
            yield await Served(process, http).ready()
    finally:
        if process.returncode is None:
            process.terminate()
            async with asyncio.timeout(20):
                await process.communicate()


@pytest.fixture
async def server(tmp_path: Path) -> AsyncIterator[LiveKit]:
    async with livekit(tmp_path) as found:
        yield found


def children(pid: int) -> list[psutil.Process]:
    return psutil.Process(pid).children(recursive=True)


async def test_a_room_is_joined_reacts_to_participants_and_is_left(
    tmp_path: Path, server: LiveKit
) -> None:
    async with served(tmp_path, server) as sidecar:
        room = await sidecar.join(server.url("standup"))
        async with guest.joined(server.address, "standup", "ada", watch=True) as ada:
            await ada.publish(ColourTrack(100))
            shown = await sidecar.until(room, participants=1)
            assert "secret" not in str(shown).lower()
            assert psutil.pid_exists(shown["pid"])
            await eventually(lambda: "Reactions" in ada.names())
            await eventually(lambda: ada.frames)
            (participant,) = await sidecar.call("GET", f"/v1/rooms/{room}/participants")
            assert participant["name"] == "Ada"
            await sidecar.call("DELETE", f"/v1/rooms/{room}")
            await sidecar.until(room, state="ended", pid=None)
            await eventually(lambda: "Reactions" not in ada.names())


async def test_a_hosted_room_is_one_of_the_server_s_own_process(tmp_path: Path) -> None:
    headers = {"Authorization": f"Bearer {TOKEN}"}
    async with served(tmp_path) as sidecar, aiohttp.ClientSession(headers=headers) as http:
        wanted = {"url": "room:standup", "layout": SMALL}
        room = (await sidecar.call("POST", "/v1/rooms", wanted))["id"]
        await sidecar.until(room, state="live", pid=sidecar.process.pid)
        url = f"{sidecar.base}/rooms/standup/whip?name=Ada"
        async with publishing(http, url, ColourTrack()) as ada:
            await sidecar.until(room, participants=1)
            (participant,) = await sidecar.call("GET", f"/v1/rooms/{room}/participants")
            assert participant["id"] == ada.response.headers["Sidecar-Participant"]
            await sidecar.call("DELETE", f"/v1/rooms/{room}")
            await sidecar.until(room, state="ended", pid=None)
            await eventually(lambda: ada.peer.connectionState == "closed")


async def test_a_killed_room_comes_back_and_the_others_go_on(
    tmp_path: Path, server: LiveKit
) -> None:
    async with served(tmp_path, server) as sidecar:
        killed, other = [await sidecar.join(server.url(name)) for name in ("one", "two")]
        before = await sidecar.call("GET", f"/v1/rooms/{killed}")
        other_pid = (await sidecar.call("GET", f"/v1/rooms/{other}"))["pid"]
        os.kill(before["pid"], signal.SIGKILL)
        after = await sidecar.until(killed, state="live", restarts=1)
        assert after["pid"] != before["pid"]
        shown = await sidecar.call("GET", f"/v1/rooms/{other}")
        assert (shown["state"], shown["pid"], shown["restarts"]) == ("live", other_pid, 0)


async def test_a_killed_supervisor_takes_its_rooms_along_and_the_next_one_joins_them(
    tmp_path: Path, server: LiveKit
) -> None:
    async with served(tmp_path, server) as sidecar:
        room = await sidecar.join(server.url("standup"))
        family = children(sidecar.process.pid)
        os.kill(sidecar.process.pid, signal.SIGKILL)
        await sidecar.process.wait()
        _, alive = await asyncio.to_thread(psutil.wait_procs, family, 5)
        assert not alive, "a process outlived its supervisor"
    assert b"devkey" not in (tmp_path / "journal.db").read_bytes()
    async with served(tmp_path, server) as sidecar:
        assert (await sidecar.until(room, state="live"))["id"] == room


async def test_events_reach_a_webhook_in_order_over_a_kill_of_the_server(
    tmp_path: Path, server: LiveKit
) -> None:
    async with receiving() as receiver:
        hook = {"url": receiver.url, "secret": "env:HOOK_SECRET"}
        environ = {
            "HOOK_SECRET": SECRET,
            "SIDECAR_SERVE__WEBHOOKS": json.dumps([hook]),
            "SIDECAR_SERVE__PRIVATE_ADDRESSES": "true",
        }
        receiver.broken = True
        async with served(tmp_path, server, **environ) as sidecar:
            room = await sidecar.join(server.url("standup"))
            async with guest.joined(server.address, "standup", "ada") as ada:
                await ada.publish(ColourTrack(100))
                await sidecar.until(room, participants=1)
            await eventually(lambda: receiver.bodies)
            waiting = await sidecar.call("GET", "/v1/webhooks/deliveries?state=waiting")
            before = [one["id"] for one in waiting["deliveries"]]
            os.kill(sidecar.process.pid, signal.SIGKILL)
            await sidecar.process.wait()
        receiver.broken = False
        receiver.bodies.clear()
        async with served(tmp_path, server, **environ) as sidecar:
            await sidecar.until(room, state="live")
            await eventually(lambda: set(before) <= set(receiver.taken[room]))
    events = [json.loads(body) for body in dict.fromkeys(receiver.bodies)]
    assert [event["id"] for event in events][: len(before)] == before
    kinds = [event["event"] for event in events]
    assert kinds[0] == "room.state"
    assert "participant.joined" in kinds


async def test_sigterm_ends_the_server_with_its_rooms_and_status_0(
    tmp_path: Path, server: LiveKit
) -> None:
    async with served(tmp_path, server) as sidecar:
        await sidecar.join(server.url("standup"))
        family = children(sidecar.process.pid)
        sidecar.process.terminate()
        assert await sidecar.process.wait() == 0
        assert not [one for one in family if one.is_running()]


async def test_a_server_that_dies_and_comes_back_is_joined_again(
    tmp_path: Path, server: LiveKit
) -> None:
    async with served(tmp_path, server) as sidecar:
        room = await sidecar.join(server.url("standup"))
        server.process.kill()
        await sidecar.until(room, state="rejoining")
        await server.process.start()
        await sidecar.until(room, state="live")
