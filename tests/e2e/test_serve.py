"""``sidecar serve`` as an operator runs it: real processes, a real LiveKit server, and kills."""

import asyncio
import json
import os
import signal
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import TextIO

import aiohttp
import psutil
import pytest
from aiohttp.test_utils import TestServer

from tests.e2e.served import SMALL, TOKEN, children, served, workers
from tests.servers.livekit import LiveKit, livekit
from tests.sidecar.clients import ColourTrack, eventually, publishing
from tests.sidecar.rooms.livekit import guest
from tests.sidecar.server.test_telemetry import FakeCollector
from tests.sidecar.sinks.webhook.receiver import SECRET, receiving

pytestmark = [pytest.mark.models, pytest.mark.servers]


@pytest.fixture
async def server(tmp_path: Path) -> AsyncIterator[LiveKit]:
    async with livekit(tmp_path) as found:
        yield found


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
        async with served(tmp_path, server, environ=environ) as sidecar:
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
        async with served(tmp_path, server, environ=environ) as sidecar:
            await sidecar.until(room, state="live")
            await eventually(lambda: set(before) <= set(receiver.taken[room]))
    events = [json.loads(body) for body in dict.fromkeys(receiver.bodies)]
    assert [event["id"] for event in events][: len(before)] == before
    kinds = [event["event"] for event in events]
    assert kinds[0] == "room.state"
    assert "participant.joined" in kinds


async def test_a_collector_gets_spans_and_metrics(tmp_path: Path) -> None:
    collector = FakeCollector()
    async with TestServer(collector.app()) as sink:
        endpoint = {"SIDECAR_SERVE__OTLP_ENDPOINT": str(sink.make_url(""))}
        async with served(tmp_path, environ=endpoint) as sidecar:
            await sidecar.call("GET", "/v1/rooms")
        assert "GET /v1/rooms" in collector.spans
        assert collector.values["sidecar_sampling_rate_ratio",] == 1


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


@pytest.fixture
def full_disk() -> Iterator[TextIO]:
    """A file that takes nothing."""
    with Path("/dev/full").open("w") as full:
        yield full


async def test_a_full_disk_under_the_log_stops_nothing(
    tmp_path: Path, server: LiveKit, full_disk: TextIO
) -> None:
    async with served(tmp_path, server, stderr=full_disk) as sidecar:
        room = await sidecar.join(server.url("standup"))
        async with guest.joined(server.address, "standup", "ada") as ada:
            await ada.publish(ColourTrack(100))
            await sidecar.until(room, participants=1)
        await sidecar.until(room, participants=0)
        sidecar.process.terminate()
        assert await sidecar.process.wait() == 0


async def test_a_killed_detection_worker_is_replaced_and_its_room_goes_on(
    tmp_path: Path, server: LiveKit
) -> None:
    async with served(tmp_path, server) as sidecar:
        room = await sidecar.join(server.url("standup"))
        async with guest.joined(server.address, "standup", "ada") as ada:
            await ada.publish(ColourTrack(100))
            before = await sidecar.until(room, participants=1)
            await sidecar.counted("sidecar_samples_total", 2)
            (worker,) = workers(sidecar.process.pid)
            worker.kill()
            await sidecar.counted("sidecar_detection_worker_restarts_total")
            await sidecar.counted("sidecar_samples_total", 2)
            (other,) = workers(sidecar.process.pid)
            assert other.pid != worker.pid
        shown = await sidecar.call("GET", f"/v1/rooms/{room}")
        assert (shown["pid"], shown["restarts"]) == (before["pid"], 0)
