"""The HTTP surface: raw requests to both real applications, with a valid token, over loopback."""

import asyncio
import io
import json
from collections.abc import Callable, Coroutine, Iterator
from contextlib import AsyncExitStack
from functools import cache, partial
from random import Random
from typing import Any, Final

from aiohttp import web
from PIL import Image

from config.reaction_table import load_reaction_table
from reactions.labels import LABELS
from sidecar.rooms.hosted.sessions import Limits
from sidecar.rooms.hosted.trickle import CONTENT_TYPE
from sidecar.server.api.annotate_endpoints import AnnotateEndpoints
from sidecar.server.api.app import ApiOptions, create_api
from sidecar.server.api.event_endpoints import EventEndpoints
from sidecar.server.api.metrics import MetricSources
from sidecar.server.api.room_endpoints import RoomEndpoints
from sidecar.server.api.system_endpoints import SystemEndpoints
from sidecar.server.api.tokens import Authenticator, environment_tokens
from sidecar.server.listener import HttpListener
from tests.fuzz.mutations import NESTED, mutated
from tests.fuzz.target import FuzzTarget
from tests.fuzz.targets.descriptions import loop
from tests.sidecar.rooms.hosted.offers import offer
from tests.sidecar.server.api.test_annotate import ScriptedDetector
from tests.sidecar.server.conftest import running_server
from tests.sidecar.supervisor.world import World

TOKEN: Final = "a-token-that-is-long-enough"
PATIENCE: Final = 0.5
"""Seconds to wait for an answer: event streams, and requests that are not whole, have none."""
_ROOM: Final = "/v1/rooms/{id}"
_CALLS: Final[tuple[tuple[str, str, dict[str, Any]], ...]] = (
    ("GET", "/v1/rooms", {}),
    ("POST", "/v1/rooms", {"url": "wss://sfu.example#room", "secrets": {"KEY": "env:TOKEN"}}),
    ("POST", "/v1/rooms", {"url": "x", "labels": ["wave"], "rate": 5, "publish": ["none"]}),
    ("GET", _ROOM, {}),
    ("PATCH", _ROOM, {"rate": 2.0, "paused": True, "labels": ["wave"]}),
    ("DELETE", _ROOM, {}),
    ("GET", f"{_ROOM}/participants", {}),
    ("PATCH", f"{_ROOM}/participants/p-1", {"opted_out": True}),
    ("POST", f"{_ROOM}/reactions", {"participant": "p-1", "label": "wave"}),
    ("GET", f"{_ROOM}/scores", {}),
    ("GET", "/v1/events?x=%00", {}),
    ("GET", "/v1/openapi.json", {}),
    ("GET", "/metrics", {}),
    ("GET", "/livez", {}),
    ("POST", "/v1/annotate", {"url": "https://h.example/x.jpg", "labels": ["wave"]}),
)


_LIFE: Final = AsyncExitStack()
"""Of this process, in which the servers are never closed."""


@cache
def _server(kind: str) -> HttpListener:
    """A listener of one of the applications, which lives as long as this process."""
    return loop().run_until_complete(_APPLICATIONS[kind](_LIFE))


async def _hosted(life: AsyncExitStack) -> HttpListener:
    table = load_reaction_table(LABELS, environ={})
    limits = Limits(participants=3, viewers=3)
    running = await life.enter_async_context(
        running_server(limits=limits, table=table, share_cameras=True)
    )
    await running.rooms.enter("one")
    return running.server


async def _api(life: AsyncExitStack) -> HttpListener:
    supervisor = await life.enter_async_context(World().running())
    table = load_reaction_table(LABELS, environ={})
    annotate = AnnotateEndpoints(ScriptedDetector(), table)
    endpoints = (RoomEndpoints(supervisor), EventEndpoints(supervisor), annotate)
    app: web.Application = create_api(
        [one for part in endpoints for one in part.endpoints()],
        SystemEndpoints(MetricSources(supervisor), faults=list, drain=lambda: None),
        Authenticator(tuple(environment_tokens({"SIDECAR_API_TOKEN": TOKEN}))),
        ApiOptions("127.0.0.1", rate=1e6),
    )
    return await life.enter_async_context(HttpListener(app, "127.0.0.1", 0))


_APPLICATIONS: Final[dict[str, Callable[[AsyncExitStack], Coroutine[Any, Any, HttpListener]]]] = {
    "hosted": _hosted,
    "api": _api,
}


def request(method: str, path: str, body: bytes = b"", kind: str = "", *more: str) -> bytes:
    """The bytes of a request; the connection ends with its answer."""
    lines = [f"{method} {path} HTTP/1.1", "Host: localhost", "Connection: close", *more]
    lines += [f"Content-Type: {kind}"] if kind else []
    lines += [f"Content-Length: {len(body)}"] if body else []
    return "\r\n".join([*lines, "", ""]).encode() + body


def hosted_requests(random: Random) -> Iterator[bytes]:
    session = "/rooms/one/whip/abcdef"
    camera, viewer = offer("sendonly").encode(), offer("recvonly").encode()
    fragment = b"a=mid:0\r\na=candidate:1 1 udp 2122260223 192.0.2.1 5000 typ host\r\n"
    corpus = [
        request("POST", "/rooms/one/whip?name=Ada&opted_out=1", camera, "application/sdp"),
        request("POST", "/rooms/one/whep", viewer, "application/sdp"),
        request("POST", "/rooms/one/participants/p-1/whep", viewer, "application/sdp"),
        request("PATCH", session, fragment, CONTENT_TYPE, 'If-Match: "x"'),
        request("DELETE", session),
        request("POST", f"{session}/consent", b'{"opted_out": true}', "application/json"),
        request("POST", f"{session}/consent", NESTED[0], "application/json"),
        request("POST", f"{session}/heartbeat"),
        request("OPTIONS", "/rooms/one/whip", b"", "", "Origin: https://x.example"),
        *(
            request("GET", path)
            for path in ("/", "/rooms/one", "/rooms/one/stats", "/rooms/%2e%2e", "/livez")
        ),
        request("GET", "/rooms/one/participants"),
        request("GET", "/rooms/one/stickers/thumbs_up", b"", "", "Range: bytes=0-1"),
    ]
    return mutated(corpus, random)


def api_requests(random: Random) -> Iterator[bytes]:
    bearer, kind = f"Authorization: Bearer {TOKEN}", "application/json"
    picture = io.BytesIO()
    Image.new("RGB", (32, 24), "grey").save(picture, "JPEG")
    form = (
        b'--x\r\nContent-Disposition: form-data; name="a"; filename="a.jpg"\r\n'
        b"Content-Type: image/jpeg\r\n\r\n" + picture.getvalue() + b"\r\n--x--\r\n"
    )
    multipart = "multipart/form-data; boundary=x"
    corpus = [
        request(method, path, json.dumps(body).encode() if body else b"", kind, bearer)
        for method, path, body in _CALLS
    ]
    corpus += [request("POST", "/v1/rooms", nested, kind, bearer) for nested in NESTED]
    corpus += [
        request("POST", "/v1/annotate?labels=wave", picture.getvalue(), "image/jpeg", bearer),
        request("POST", "/v1/annotate?format=roboflow", form, multipart, bearer),
        request("GET", "/v1/events", b"", "", bearer, "Last-Event-ID: 3"),
    ]
    return mutated(corpus, random)


def ask(kind: str, data: bytes) -> bool:
    """Whether ``data`` was answered with success; a 500, or an exception, is a fault."""
    failures: list[dict[str, Any]] = []
    server = _server(kind)
    loop().set_exception_handler(lambda _, context: failures.append(context))
    answer = loop().run_until_complete(_ask(server.port, data))
    assert not failures, failures
    assert b"HTTP/1.1 500" not in answer, answer[:300]
    assert not answer or answer.startswith(b"HTTP/")
    return answer[9:10] in b"123" if answer else False


async def _ask(port: int, data: bytes) -> bytes:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    answer = b""
    try:
        async with asyncio.timeout(PATIENCE):
            writer.write(data)
            while piece := await reader.read(65536):
                answer += piece
    except (TimeoutError, ConnectionError):
        pass
    finally:
        writer.transport.abort()
    return answer


TARGETS: Final = tuple(
    FuzzTarget(f"http-{kind}", inputs, partial(ask, kind), megabytes=256)
    for kind, inputs in (("hosted", hosted_requests), ("api", api_requests))
)
