"""Rooms that ``sidecar serve`` hosts itself, over HTTP, with real peers as participants."""

import asyncio
import json
import os
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import aiohttp
import av
import pytest

from config.errors import ConfigError, RefusedError, RoomError
from config.reaction_rule import ReactionRule
from config.reaction_table import load_reaction_table
from config.settings import Settings
from gifs.catalogue import STICKERS
from reactions.geometry import Box
from reactions.labels import LABELS, LabelScore
from reactions.landmark_types import Sample
from reactions.pipeline import Care, Detection, Memory, first_memory
from sidecar.aio import Component
from sidecar.inference.detector import DetectorStats
from sidecar.rooms.base import JoinOptions
from sidecar.rooms.sidecar_room.adapter import ADAPTER as SIDECAR
from sidecar.server.api.app import ApiOptions, create_api
from sidecar.server.api.event_endpoints import EventEndpoints
from sidecar.server.api.metrics import MetricSources
from sidecar.server.api.room_endpoints import RoomEndpoints
from sidecar.server.api.system_endpoints import SystemEndpoints
from sidecar.server.api.tokens import Authenticator, environment_tokens, known_token
from sidecar.server.event_stream import EventStreams
from sidecar.server.hosted_rooms import HostedRooms, hosted_name, hosted_routes
from sidecar.server.listener import HttpListener
from sidecar.server.pages import Pages
from sidecar.supervisor.control import Begin, ChangeTable, plain_settings
from sidecar.supervisor.journal import Journal
from sidecar.supervisor.room_parts import RoomParts
from sidecar.supervisor.secrets import SecretStore
from sidecar.supervisor.supervised_room import RoomLimits
from sidecar.supervisor.supervisor import Supervisor
from sidecar.supervisor.values import RoomRequest
from tests.sidecar.clients import Client, ColourTrack, eventually, publishing, watching
from tests.sidecar.sinks.webhook.receiver import SECRET, receiving
from tests.sidecar.supervisor.world import OPTIONS, REFERENCES

pytestmark = pytest.mark.peers

TOKEN = "a-token-that-is-long-enough"
EVENTS_TOKEN = "a-token-for-events-alone"
TABLE = {"thumbs_up": ReactionRule(sticker="thumbs_up", hold=0.2)}
SMALL = {"width": 320, "height": 180, "fps": 10}


class ThumbDetector(Component):
    """Sees a thumb up in every sample."""

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

    async def call(
        self, method: str, path: str, body: object = None, token: str = TOKEN
    ) -> tuple[int, Any]:
        headers = {"Authorization": f"Bearer {token}"} if token else {}
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
async def hosting(
    *,
    tokens: bool = False,
    sinks: Sequence[str] = (),
    environ: Mapping[str, str] | None = None,
    journal: Path | None = None,
    **limits: float,
) -> AsyncIterator[HostedServer]:
    """``tokens``: participants need one; ``sinks`` are those of all rooms, with ``environ``."""
    rooms = HostedRooms(ThumbDetector(), share_cameras=True, environ=environ)
    plain = plain_settings(Settings.model_validate({"rooms": {"sinks": sinks}}))
    rules = {label: rule.model_dump(mode="json") for label, rule in TABLE.items()}

    def begin(room: str, request: RoomRequest, secrets: Mapping[str, str]) -> Begin:
        return Begin(room=room, request=request, secrets=dict(secrets), settings=plain, table=rules)

    authenticator = Authenticator(
        (
            *environment_tokens({"SIDECAR_API_TOKEN": TOKEN}),
            known_token(EVENTS_TOKEN, "events", ["events"]),
        )
    )

    supervisor = Supervisor(
        replace(OPTIONS, cores=4.0, limits=RoomLimits(**limits)),
        RoomParts(
            lambda _: rooms.handle(),
            begin,
            lambda request: request.url,
            hosted=lambda request: hosted_name(request.url),
            room_tokens=tokens,
        ),
        journal=Journal(journal),
        store=SecretStore(),
        references=REFERENCES,
    )
    app = create_api(
        [*RoomEndpoints(supervisor).endpoints(), *EventEndpoints(supervisor).endpoints()],
        SystemEndpoints(MetricSources(supervisor), faults=list, drain=lambda: None),
        authenticator,
        ApiOptions("127.0.0.1", rate=500.0),
        hosted_routes(
            rooms,
            Pages(rooms, load_reaction_table(LABELS, environ={})),
            authenticator,
            EventStreams(),
        ),
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


async def test_the_legend_of_a_hosted_room_follows_the_room_s_own_table() -> None:
    async with hosting() as server:
        room = await server.host("standup")
        _, (entry,) = await server.call("GET", "/rooms/standup/legend.json")
        assert (entry["label"], entry["hold"]) == ("thumbs_up", 0.2)
        assert entry["sticker"] == "/rooms/standup/stickers/thumbs_up"
        async with server.http.get(server.url(entry["sticker"])) as answer:
            assert await answer.read() == STICKERS["thumbs_up"].read_bytes()
        changed = TABLE["thumbs_up"].model_copy(update={"hold": 3.0, "sticker": None})
        table = {"thumbs_up": changed.model_dump(mode="json")}
        await server.supervisor.call(room, ChangeTable(table=table))
        _, (entry,) = await server.call("GET", "/rooms/standup/legend.json")
        assert (entry["hold"], entry["sticker"]) == (3.0, None)


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


async def test_a_name_in_use_is_answered_409_and_free_again_when_its_room_is_over() -> None:
    async with hosting() as server:
        first = await server.host("standup")
        status, problem = await server.call("POST", "/v1/rooms", {"url": "room:standup"})
        assert (status, problem["title"]) == (409, "Conflict")
        assert "another room has this name" in problem["detail"]
        _, listed = await server.call("GET", "/v1/rooms")
        assert [(one["id"], one["state"]) for one in listed["rooms"]] == [(first, "live")]
        await server.call("DELETE", f"/v1/rooms/{first}")
        await server.until(first, state="ended")
        assert await server.host("standup") != first


async def test_two_requests_for_one_name_at_once_make_one_room() -> None:
    async with hosting() as server:
        wanted = {"url": "room:standup", "layout": SMALL}
        made = await asyncio.gather(*(server.call("POST", "/v1/rooms", wanted) for _ in range(4)))
        assert sorted(status for status, _ in made) == [201, 409, 409, 409]


GUARDED = (
    ("POST", "/rooms/standup/whip"),
    ("POST", "/rooms/standup/whep"),
    ("OPTIONS", "/rooms/standup/whep"),
    ("GET", "/rooms/standup/participants"),
    ("POST", "/rooms/standup/participants/p-1/whep"),
    ("GET", "/rooms/standup/events"),
    ("GET", "/rooms/standup/stats"),
    ("GET", "/rooms/standup/legend.json"),
    ("GET", "/rooms/standup/stickers/wave"),
    ("POST", "/rooms/standup/access"),
)


@pytest.mark.parametrize("shown", ["", "x" * 43, EVENTS_TOKEN])
async def test_a_hosted_room_admits_no_client_without_its_token(shown: str) -> None:
    async with hosting(tokens=True) as server:
        await server.host("standup")
        expected = 403 if shown == EVENTS_TOKEN else 401
        for method, path in GUARDED:
            status, problem = await server.call(method, path, token=shown)
            assert (status, problem["status"]) == (expected, expected), path


async def test_the_token_of_a_room_is_answered_once_and_lets_clients_in() -> None:
    async with hosting(tokens=True) as server:
        wanted = {"url": "room:standup", "layout": SMALL, "idempotency_key": "one"}
        _, made = await server.call("POST", "/v1/rooms", wanted)
        await server.until(made["id"], state="live")
        _, again = await server.call("POST", "/v1/rooms", wanted)
        _, shown = await server.call("GET", f"/v1/rooms/{made['id']}")
        assert (again["id"], again["token"]) == (made["id"], None)
        assert "token" not in shown
        headers = {"Authorization": f"Bearer {made['token']}"}
        async with (
            aiohttp.ClientSession(headers=headers) as http,
            publishing(http, server.url("/rooms/standup/whip?name=Ada"), ColourTrack()) as ada,
            watching(http, server.url("/rooms/standup/whep")) as viewer,
            # A session's own address can't be guessed, and needs no token.
            server.http.delete(ada.url) as left,
        ):
            assert (viewer.response.status, left.status) == (201, 200)


async def test_a_token_of_another_room_does_not_open_this_one() -> None:
    async with hosting(tokens=True) as server:
        await server.host("standup")
        _, other = await server.call("POST", "/v1/rooms", {"url": "room:other", "layout": SMALL})
        status, _ = await server.call("GET", "/rooms/standup/stats", token=other["token"])
        assert status == 401


async def test_a_page_exchanges_the_token_for_a_cookie_of_its_room() -> None:
    async with hosting(tokens=True) as server:
        _, made = await server.call("POST", "/v1/rooms", {"url": "room:standup", "layout": SMALL})
        await server.until(made["id"], state="live")
        headers = {"Authorization": f"Bearer {made['token']}"}
        async with server.http.post(server.url("/rooms/standup/access"), headers=headers) as answer:
            assert answer.status == 204
            cookie = answer.headers["Set-Cookie"]
        for part in ("Path=/rooms/standup", "HttpOnly", "SameSite=Strict"):
            assert part in cookie
        pair = {"Cookie": cookie.partition(";")[0]}
        async with server.http.get(server.url("/rooms/standup/stats"), headers=pair) as stats:
            assert stats.status == 200


def contents(folder: Path) -> bytes:
    return b"".join(file.read_bytes() for file in folder.iterdir())


async def test_the_token_is_on_disk_as_its_digest_and_counts_after_a_restart(
    tmp_path: Path,
) -> None:
    journal = tmp_path / "journal.db"
    async with hosting(tokens=True, journal=journal) as server:
        _, made = await server.call("POST", "/v1/rooms", {"url": "room:standup", "layout": SMALL})
        await server.until(made["id"], state="live")
    assert made["token"].encode() not in contents(tmp_path)
    async with hosting(tokens=True, journal=journal) as server:
        await server.until(made["id"], state="live")
        status, _ = await server.call("GET", "/rooms/standup/stats", token=made["token"])
        assert status == 200
        assert (await server.call("GET", "/rooms/standup/stats", token="x" * 43))[0] == 401


async def test_a_client_may_give_the_token_itself() -> None:
    async with hosting(tokens=True) as server:
        wanted = {"url": "room:standup", "layout": SMALL, "secrets": {"ROOM_TOKEN": "s" * 16}}
        _, made = await server.call("POST", "/v1/rooms", wanted)
        assert made["token"] is None
        await server.until(made["id"], state="live")
        assert (await server.call("GET", "/rooms/standup/stats", token="s" * 16))[0] == 200
        short = {"url": "room:other", "secrets": {"ROOM_TOKEN": "s" * 15}}
        status, problem = await server.call("POST", "/v1/rooms", short)
        assert (status, "at least 16" in problem["detail"]) == (400, True)


async def test_a_preflight_request_needs_no_token_and_names_no_ice_servers() -> None:
    async with hosting(tokens=True) as server:
        await server.host("standup")
        headers = {"Access-Control-Request-Method": "POST"}
        async with server.http.options(
            server.url("/rooms/standup/whip"), headers=headers
        ) as answer:
            assert (answer.status, "Link" in answer.headers) == (204, False)


async def test_another_sidecar_joins_with_the_room_s_token() -> None:
    async with hosting(tokens=True) as server:
        _, made = await server.call("POST", "/v1/rooms", {"url": "room:standup", "layout": SMALL})
        await server.until(made["id"], state="live")
        url = server.url("/rooms/standup")
        with pytest.raises(RefusedError, match="needs its token"):
            async with SIDECAR.room(url, JoinOptions("Reactions")):
                pass
        options = JoinOptions("Reactions", environ={"ROOM_TOKEN": made["token"]})
        async with SIDECAR.room(url, options) as room:
            assert room.name == "standup"


async def test_sinks_of_all_rooms_get_the_events_of_hosted_ones_too() -> None:
    environ = {"WEBHOOK_SECRET": SECRET}
    async with (
        receiving() as receiver,
        hosting(sinks=[f"webhook+{receiver.url}"], environ=environ) as server,
    ):
        await server.host("standup")
        async with server.participant("standup", "Ada"):
            await eventually(lambda: any("reaction.started" in body for body in receiver.bodies))


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
