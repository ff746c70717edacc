"""The API over a supervisor of fake rooms, as a client sees it."""

import asyncio
import json
from collections.abc import AsyncIterator
from typing import Any

import pytest
from aiohttp.test_utils import TestClient, TestServer
from prometheus_client.parser import text_string_to_metric_families

from sidecar.server.api.app import ApiOptions, create_api
from sidecar.server.api.event_endpoints import EventEndpoints
from sidecar.server.api.metrics import MetricSources
from sidecar.server.api.room_endpoints import RoomEndpoints
from sidecar.server.api.system_endpoints import SystemEndpoints
from sidecar.server.api.tokens import Authenticator, environment_tokens
from sidecar.server.api.webhook_endpoints import WebhookEndpoints
from sidecar.supervisor.control import EventReport, StatsReport
from sidecar.supervisor.supervisor import Supervisor
from sidecar.supervisor.values import RoomState, RoomStats
from tests.sidecar.clients import eventually
from tests.sidecar.supervisor.world import World

TOKEN = "a-token-that-is-long-enough"
WANTED = {"url": "wss://sfu.example#room", "secrets": {"LIVEKIT_API_KEY": "tell-no-one"}}


class Api:
    """A client with the token, and what is behind the server."""

    def __init__(self, world: World, supervisor: Supervisor, client: TestClient[Any, Any]) -> None:
        self.world = world
        self.supervisor = supervisor
        self.client = client
        self.drains = 0
        self.faults: list[str] = []

    async def call(
        self, method: str, path: str, body: object = None, *, token: str | None = TOKEN, **more: Any
    ) -> tuple[int, Any]:
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        headers |= more.pop("headers", {})
        async with self.client.request(method, path, json=body, headers=headers, **more) as answer:
            text = await answer.text()
            return answer.status, json.loads(text) if "json" in answer.content_type else text

    async def live(self) -> str:
        """The id of a room that is live."""
        status, room = await self.call("POST", "/v1/rooms", WANTED)
        assert status == 201, room
        await eventually(lambda: self.supervisor.room(room["id"]).state is RoomState.LIVE)
        return str(room["id"])


@pytest.fixture
async def api() -> AsyncIterator[Api]:
    world = World()
    async with world.running() as supervisor:
        found: list[Api] = []

        def drain() -> None:
            found[0].drains += 1

        system = SystemEndpoints(
            MetricSources(supervisor), faults=lambda: found[0].faults, drain=drain
        )
        endpoints = [
            *RoomEndpoints(supervisor).endpoints(),
            *EventEndpoints(supervisor).endpoints(),
            *WebhookEndpoints(supervisor.webhooks).endpoints(),
        ]
        authenticator = Authenticator(tuple(environment_tokens({"SIDECAR_API_TOKEN": TOKEN})))
        app = create_api(endpoints, system, authenticator, ApiOptions("127.0.0.1", rate=5.0))
        async with TestClient(TestServer(app)) as client:
            found.append(Api(world, supervisor, client))
            yield found[0]


async def test_a_room_is_made_with_201_its_location_and_no_secrets(api: Api) -> None:
    headers = {"Authorization": f"Bearer {TOKEN}"}
    async with api.client.post("/v1/rooms", json=WANTED, headers=headers) as answer:
        room = await answer.json()
        assert answer.status == 201
        assert answer.headers["Location"] == f"/v1/rooms/{room['id']}"
    assert {"id", "url", "state", "pid", "participants", "restarts", "reason", "created"} <= {*room}
    assert "tell-no-one" not in json.dumps(room)


async def test_rooms_are_listed_and_shown(api: Api) -> None:
    room = await api.live()
    status, listed = await api.call("GET", "/v1/rooms")
    assert (status, [one["id"] for one in listed["rooms"]]) == (200, [room])
    status, shown = await api.call("GET", f"/v1/rooms/{room}")
    assert (status, shown["state"], shown["pid"]) == (200, "live", 4242)


async def test_the_same_idempotency_key_answers_the_same_room(api: Api) -> None:
    headers = {"Idempotency-Key": "k-1"}
    first = await api.call("POST", "/v1/rooms", WANTED, headers=headers)
    second = await api.call("POST", "/v1/rooms", WANTED, headers=headers)
    assert (first[0], second[0], first[1]["id"]) == (201, 200, second[1]["id"])


async def test_a_deleted_room_is_answered_202_and_ends(api: Api) -> None:
    room = await api.live()
    status, _ = await api.call("DELETE", f"/v1/rooms/{room}")
    assert status == 202
    await eventually(lambda: api.supervisor.room(room).state is RoomState.ENDED)


async def test_a_change_is_passed_on(api: Api) -> None:
    room = await api.live()
    status, _ = await api.call("PATCH", f"/v1/rooms/{room}", {"rate": 2.0, "paused": True})
    assert status == 200
    assert api.supervisor.room(room).request.rate == 2.0


@pytest.mark.parametrize(
    ("method", "path", "body", "status"),
    [
        ("GET", "/v1/rooms/r-none", None, 404),
        ("DELETE", "/v1/rooms/r-none", None, 404),
        ("GET", "/v1/rooms/r-none/events", None, 404),
        ("POST", "/v1/rooms", {}, 422),
        ("POST", "/v1/rooms", {"url": "wss://a", "colour": "red"}, 422),
        ("POST", "/v1/rooms", {"url": "wss://a", "publish": ["/etc/passwd"]}, 422),
        ("POST", "/v1/rooms", {"url": "http://metadata/"}, 409),
        ("POST", "/v1/rooms", {"url": "wss://a", "secrets": {"A": "env:HOME"}}, 400),
        ("GET", "/v1/nothing", None, 404),
        ("PUT", "/v1/rooms", None, 405),
    ],
)
async def test_a_wrong_request_is_a_problem(
    api: Api, method: str, path: str, body: object, status: int
) -> None:
    got, answer = await api.call(method, path, body)
    assert got == status, answer
    assert answer["status"] == status
    assert answer["detail"]


async def test_a_full_server_says_when_to_come_back(api: Api) -> None:
    await api.live()
    await api.live()
    headers = {"Authorization": f"Bearer {TOKEN}"}
    async with api.client.post("/v1/rooms", json=WANTED, headers=headers) as answer:
        assert answer.status == 503
        assert int(answer.headers["Retry-After"]) > 0
        assert "0.80 of 1.00 cores" in (await answer.json())["detail"]


@pytest.mark.parametrize("token", [None, "another-token-that-is-long"])
@pytest.mark.parametrize("path", ["/v1/rooms", "/v1/events"])
async def test_without_a_token_nothing_is_disclosed(api: Api, path: str, token: str | None) -> None:
    status, answer = await api.call("GET", path, token=token)
    assert (status, answer["title"]) == (401, "Unauthorized")


async def test_a_name_that_is_not_ours_is_refused(api: Api) -> None:
    status, answer = await api.call("GET", "/v1/rooms", headers={"Host": "evil.example"})
    assert (status, "does not have that name" in answer["detail"]) == (421, True)


async def test_events_are_streamed_and_continued(api: Api) -> None:
    room = await api.live()
    headers = {"Authorization": f"Bearer {TOKEN}"}
    async with api.client.get(f"/v1/rooms/{room}/events", headers=headers) as stream:
        api.world.handles[0].report(
            EventReport(event={"event": "reaction.started", "label": "wave", "t": 1.0})
        )
        text = await read_until(stream.content, "reaction.started")
    run, _, number = text.partition("id: ")[2].partition("\n")[0].partition("-")
    headers["Last-Event-ID"] = f"{run}-{int(number) - 1}"
    async with api.client.get("/v1/events", headers=headers) as stream:
        again = await read_until(stream.content, "reaction.started")
        assert f"id: {run}-{number}\n" in again
        assert "lost" not in again
    headers["Last-Event-ID"] = "00000000-1"
    async with api.client.get("/v1/events", headers=headers) as stream:
        text = await read_until(stream.content, "reaction.started")
        assert '"count":null' in text.partition("id: ")[0]


async def read_until(content: Any, word: str) -> str:
    text = ""
    async with asyncio.timeout(30):
        while word not in text or not text.endswith("\n\n"):
            text += (await content.readany()).decode()
    return text


async def test_metrics_are_open_on_loopback_and_count_every_room(api: Api) -> None:
    await api.live()
    api.world.handles[0].report(
        StatsReport(
            stats=RoomStats(
                participants=3,
                ticks=50,
                reactions={"wave": 2},
                detections={"0.01": 4, "0.05": 1},
                rejoins={"lost Reaction Sidecar": 2},
            )
        )
    )
    await eventually(lambda: api.supervisor.totals.numbers["ticks"] == 50)
    status, text = await api.call("GET", "/metrics", token=None)
    values = {
        (sample.name, *sample.labels.values()): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }
    assert status == 200
    assert values["sidecar_rooms", "live"] == 1
    assert values["sidecar_participants",] == 3
    assert values["sidecar_composite_ticks_total",] == 50
    assert values["sidecar_reactions_total", "wave"] == 2
    assert values["sidecar_room_rejoins_total", "lost", "Reaction Sidecar"] == 2
    assert values["sidecar_detection_seconds_bucket", "0.05"] == 5
    assert values["sidecar_admission_load",] == pytest.approx(0.4)


async def test_metrics_through_a_proxy_need_the_scope(api: Api) -> None:
    headers = {"X-Forwarded-For": "203.0.113.7"}
    assert (await api.call("GET", "/metrics", token=None, headers=headers))[0] == 401
    assert (await api.call("GET", "/metrics", headers=headers))[0] == 200


async def test_health_is_open(api: Api) -> None:
    assert (await api.call("GET", "/livez", token=None))[0] == 200
    assert (await api.call("GET", "/readyz", token=None))[0] == 200
    api.faults.append("no detector")
    status, answer = await api.call("GET", "/readyz", token=None)
    assert (status, answer["detail"]) == (503, "no detector")


async def test_draining_is_asked_for_and_makes_the_server_unready(api: Api) -> None:
    status, answer = await api.call("POST", "/v1/drain")
    assert (status, answer["draining"], api.drains) == (202, True, 1)


async def test_the_document_has_every_route_of_the_api(api: Api) -> None:
    status, document = await api.call("GET", "/v1/openapi.json", token=None)
    assert (status, document["openapi"]) == (200, "3.1.0")
    described = {
        (method.upper(), path) for path, methods in document["paths"].items() for method in methods
    }
    bound = {
        (route.method, route.resource.canonical)
        for route in api.client.app.router.routes()
        if route.resource is not None and route.method != "HEAD"
    }
    others = {"/v1/openapi.json", "/v1/docs", "/v1/docs.css", "/metrics"}
    assert bound - described == {("GET", path) for path in others}
    assert described <= bound


async def test_too_many_requests_are_slowed_down(api: Api) -> None:
    answers = await asyncio.gather(*(api.call("GET", "/v1/rooms") for _ in range(100)))
    assert 429 in {status for status, _ in answers}
