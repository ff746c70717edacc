"""Rooms that ``sidecar serve`` hosts itself, over HTTP, with real peers as participants."""

import asyncio
import json
import os
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import Any, Self

import aiohttp
import av
import pytest

from config.errors import ConfigError, RoomError
from config.reaction_rule import ReactionRule
from config.settings import Settings
from reactions.geometry import Box
from reactions.labels import LabelScore
from reactions.landmark_types import Sample
from reactions.pipeline import Care, Detection, Memory, first_memory
from sidecar.inference.detector import DetectorStats
from sidecar.server.api.app import ApiOptions, create_api
from sidecar.server.api.event_endpoints import EventEndpoints
from sidecar.server.api.metrics import MetricSources
from sidecar.server.api.room_endpoints import RoomEndpoints
from sidecar.server.api.system_endpoints import SystemEndpoints
from sidecar.server.api.tokens import Authenticator, environment_tokens
from sidecar.server.event_stream import EventStreams
from sidecar.server.hosted_rooms import HostedRooms, hosted_name, hosted_routes
from sidecar.server.listener import HttpListener
from sidecar.supervisor.control import Begin, plain_settings
from sidecar.supervisor.journal import Journal
from sidecar.supervisor.secrets import SecretStore
from sidecar.supervisor.supervised_room import RoomLimits
from sidecar.supervisor.supervisor import RoomParts, Supervisor
from sidecar.supervisor.values import RoomRequest
from tests.sidecar.clients import Client, ColourTrack, eventually, publishing, watching
from tests.sidecar.supervisor.test_supervisor import OPTIONS, REFERENCES

TOKEN = "a-token-that-is-long-enough"
TABLE = {"thumbs_up": ReactionRule(sticker="thumbs_up", hold=0.2)}
SMALL = {"width": 320, "height": 180, "fps": 10}


class ThumbDetector:
    """Sees a thumb up in every sample."""

    async def start(self) -> None:
        pass

    async def aclose(self) -> None:
        pass

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *exc: object) -> None:
        pass

    def stats(self) -> DetectorStats:
        raise AssertionError("not asked for")

    async def detect(
        self, sample: Sample, memory: Memory | None, deadline: float | None = None, *, source: str
    ) -> Detection:
        scores = (LabelScore("thumbs_up", 0.95, Box(0.4, 0.4, 0.2, 0.2)),)
        answer = first_memory(Care.NONE, sample.width, sample.height)
        assert answer is not None
        return Detection(scores, None, answer, 4.0)


class HostedServer:
    """The API with hosted rooms alone, and a client of it."""

    def __init__(
        self, listener: HttpListener, http: aiohttp.ClientSession, supervisor: Supervisor
    ) -> None:
        self._listener = listener
        self.http = http
        self.supervisor = supervisor

    def url(self, path: str) -> str:
        return self._listener.url(path)

    async def call(self, method: str, path: str, body: object = None) -> tuple[int, Any]:
        headers = {"Authorization": f"Bearer {TOKEN}"}
        async with self.http.request(method, self.url(path), json=body, headers=headers) as answer:
            return answer.status, json.loads(await answer.text() or "null")

    async def host(self, name: str) -> str:
        """The id of a hosted room that is live."""
        wanted = {"url": f"room:{name}", "layout": SMALL}
        status, room = await self.call("POST", "/v1/rooms", wanted)
        assert status == 201, room
        await self.until(room["id"], state="live")
        return str(room["id"])

    async def until(self, room: str, **fields: object) -> dict[str, Any]:
        """Wait until the room has these fields, and return it."""
        async with asyncio.timeout(30):
            while True:
                _, shown = await self.call("GET", f"/v1/rooms/{room}")
                if all(shown[key] == value for key, value in fields.items()):
                    return dict(shown)
                await asyncio.sleep(0.05)

    @asynccontextmanager
    async def participant(self, room: str, name: str) -> AsyncIterator[Client]:
        url = self.url(f"/rooms/{room}/whip?name={name}")
        async with publishing(self.http, url, ColourTrack()) as client:
            yield client


@asynccontextmanager
async def hosting(**limits: float) -> AsyncIterator[HostedServer]:
    rooms = HostedRooms(ThumbDetector(), share_cameras=True)
    plain = plain_settings(Settings())
    rules = {label: rule.model_dump(mode="json") for label, rule in TABLE.items()}

    def begin(room: str, request: RoomRequest, secrets: Mapping[str, str]) -> Begin:
        return Begin(room=room, request=request, secrets={}, settings=plain, table=rules)

    supervisor = Supervisor(
        replace(OPTIONS, cores=4.0, limits=RoomLimits(**limits)),
        RoomParts(
            lambda _: rooms.handle(),
            begin,
            lambda request: request.url,
            lasting=lambda request: hosted_name(request.url) is not None,
        ),
        journal=Journal(None),
        store=SecretStore(),
        references=REFERENCES,
    )
    app = create_api(
        [*RoomEndpoints(supervisor).endpoints(), *EventEndpoints(supervisor).endpoints()],
        SystemEndpoints(MetricSources(supervisor), faults=list, drain=lambda: None),
        Authenticator(tuple(environment_tokens({"SIDECAR_API_TOKEN": TOKEN}))),
        ApiOptions("127.0.0.1", rate=500.0),
        hosted_routes(rooms, TABLE, (), EventStreams()),
    )
    async with (
        supervisor,
        HttpListener(app, "127.0.0.1", 0) as listener,
        aiohttp.ClientSession() as http,
    ):
        yield HostedServer(listener, http, supervisor)


async def test_a_hosted_room_is_listed_with_its_participants() -> None:
    async with hosting() as server:
        room = await server.host("standup")
        async with server.participant("standup", "Ada") as ada:
            shown = await server.until(room, participants=1)
            assert (shown["url"], shown["pid"]) == ("room:standup", os.getpid())
            _, listed = await server.call("GET", "/v1/rooms")
            assert [one["id"] for one in listed["rooms"]] == [room]
            _, (person,) = await server.call("GET", f"/v1/rooms/{room}/participants")
            assert person["name"] == "Ada"
            assert person["id"] == ada.response.headers["Sidecar-Participant"]


async def test_viewers_of_a_hosted_room_get_the_composite() -> None:
    async with hosting() as server:
        await server.host("standup")
        async with watching(server.http, server.url("/rooms/standup/whep")) as viewer:
            assert viewer.track is not None
            frame = await viewer.track.recv()
            assert isinstance(frame, av.VideoFrame)
            assert (frame.width, frame.height) == (320, 180)


async def test_reactions_of_a_hosted_room_are_events_of_the_api() -> None:
    async with hosting() as server:
        room = await server.host("standup")
        async with (
            server.http.get(
                server.url(f"/v1/rooms/{room}/events"),
                headers={"Authorization": f"Bearer {TOKEN}"},
            ) as events,
            server.participant("standup", "Ada"),
            asyncio.timeout(30),
        ):
            kinds = []
            async for line in events.content:
                if line.startswith(b"data: "):
                    kinds.append(json.loads(line[6:])["event"])
                if "reaction.started" in kinds:
                    break
        assert kinds.index("participant.joined") < kinds.index("reaction.started")


async def test_opting_out_by_the_api_takes_the_camera_back_from_other_sidecars() -> None:
    async with hosting() as server:
        room = await server.host("standup")
        async with server.participant("standup", "Ada") as ada:
            await server.until(room, participants=1)
            person = ada.response.headers["Sidecar-Participant"]
            path = f"/v1/rooms/{room}/participants/{person}"
            status, shown = await server.call("PATCH", path, {"opted_out": True})
            assert (status, shown["opted_out"]) == (200, True)
            _, shared = await server.call("GET", "/rooms/standup/participants")
            assert [one["opted_out"] for one in shared["participants"]] == [True]


async def test_deleting_a_hosted_room_puts_its_participants_out() -> None:
    async with hosting() as server:
        room = await server.host("standup")
        async with server.participant("standup", "Ada") as ada:
            await server.until(room, participants=1)
            status, _ = await server.call("DELETE", f"/v1/rooms/{room}")
            assert status == 202
            await server.until(room, state="ended", pid=None, participants=0)
            await eventually(lambda: ada.peer.connectionState == "closed")
            async with server.http.post(server.url("/rooms/standup/whip")) as answer:
                assert answer.status in (404, 415)
        assert await server.host("standup") != room


async def test_a_room_that_was_not_made_can_not_be_joined() -> None:
    async with hosting() as server:
        status, problem = await server.call("OPTIONS", "/rooms/standup/whip")
        assert status == 404
        assert "POST /v1/rooms" in json.dumps(problem)


async def test_a_second_room_of_one_name_is_failed() -> None:
    async with hosting() as server:
        first = await server.host("standup")
        _, second = await server.call("POST", "/v1/rooms", {"url": "room:standup"})
        shown = await server.until(second["id"], state="failed")
        assert "another room has this name" in shown["reason"]
        await server.until(first, state="live")


async def test_an_empty_hosted_room_is_kept_until_the_server_drains() -> None:
    async with hosting(empty=0.1, media=0.1) as server:
        room = await server.host("standup")
        await asyncio.sleep(2.5)
        await server.until(room, state="live")
        async with asyncio.timeout(10):
            await server.supervisor.drain()
        await server.until(room, state="ended", reason="empty for 0.1 s")


@pytest.mark.parametrize("url", ["room:", "room:a/b", "room:-a", "room:" + "a" * 65])
def test_what_names_no_room_is_refused(url: str) -> None:
    with pytest.raises(ConfigError, match="names no room"):
        hosted_name(url)


def test_other_addresses_are_not_hosted() -> None:
    assert hosted_name("https://host.example/rooms/standup") is None


async def test_a_name_can_be_had_again_when_its_room_is_over() -> None:
    rooms = HostedRooms(ThumbDetector())
    rooms.reserve("standup")
    with pytest.raises(RoomError, match="another room has this name"):
        rooms.reserve("standup")
    rooms.release("standup")
    rooms.reserve("standup")
    assert rooms.check("standup") == "standup"
