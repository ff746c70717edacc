"""Names and reasons with escapes, overrides and line breaks, through each adapter and out again."""

import asyncio
import json
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import AbstractAsyncContextManager, asynccontextmanager

import pytest
import structlog
from aiohttp import web
from livekit.protocol import models, rtc

from config.errors import RoomError, SignallingError
from config.settings import LogFormat, LogLevel, LogSettings
from sidecar.logs import configure
from sidecar.media.compositor.name_tags import clean
from sidecar.rooms.base import Adapter, Joined, RoomChange
from sidecar.rooms.galene.adapter import ADAPTER as GALENE
from sidecar.rooms.janus.adapter import ADAPTER as JANUS
from sidecar.rooms.livekit.adapter import ADAPTER as LIVEKIT
from sidecar.rooms.sidecar_room.adapter import ADAPTER as SIDECAR
from sidecar.rooms.whip import ReconnectingWhip
from tests.sidecar.cli.test_terminal_view import drawn, status
from tests.sidecar.clients import eventually
from tests.sidecar.rooms.attendance import entered
from tests.sidecar.rooms.composites import grey_composite
from tests.sidecar.rooms.hostile import (
    Json,
    galene,
    idle,
    janus,
    janus_answer,
    livekit,
    room_at,
    sending,
    serving,
)
from tests.sidecar.test_plain_text import is_safe

HOSTILE = "Ada\x1b[31m\u202egnp\u2066\x07\r\n2026 [error] forged\x9b2J\u2028end"
"""A name, or a reason."""


async def livekit_server(socket: web.WebSocketResponse) -> None:
    """A participant with a camera that can't be decoded, who then leaves."""
    who = models.ParticipantInfo(
        sid="PA_1",
        identity=HOSTILE,
        name=HOSTILE,
        tracks=[
            models.TrackInfo(
                sid="TR_1",
                type=models.TrackType.VIDEO,
                source=models.TrackSource.CAMERA,
                mime_type=f"video/{HOSTILE}",
            )
        ],
    )
    update = rtc.SignalResponse(update=rtc.ParticipantUpdate(participants=[who]))
    await sending(update.SerializeToString())(socket)


async def janus_server(socket: web.WebSocketResponse) -> None:
    """Answer all requests: no subscription works, for a hostile reason."""
    row: Json = {"id": HOSTILE, "display": HOSTILE, "publisher": True}
    async for message in socket:
        await socket.send_json(janus_answer(json.loads(message.data), (row,), HOSTILE))


GALENE_MESSAGES = (
    {"type": "user", "kind": "add", "id": "c1", "username": HOSTILE},
    {"type": "offer", "id": "s1", "source": "c1", "username": HOSTILE, "sdp": f"v={HOSTILE}"},
    {"type": "usermessage", "kind": "error", "privileged": True, "value": HOSTILE},
)
galene_server = sending(*map(json.dumps, GALENE_MESSAGES))


@asynccontextmanager
async def sidecar_server() -> AsyncIterator[str]:
    """A room of another sidecar; its participant has opted out, so that no camera is asked for."""
    person = {"participant": "p1", "name": HOSTILE, "opted_out": True}
    event = f"event: participants\ndata: {json.dumps({'participants': [person]})}\n\n"

    async def participants(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse(headers={"Content-Type": "text/event-stream"})
        await response.prepare(request)
        await response.write(event.encode())
        await asyncio.sleep(60)
        return response

    async with serving(("GET", "/rooms/room/participants", participants)) as place:
        yield f"http://{place}/rooms/room"


SERVERS: Mapping[str, tuple[Adapter, Callable[[], AbstractAsyncContextManager[str]]]] = {
    "livekit": (LIVEKIT, lambda: livekit(livekit_server)),
    "janus": (JANUS, lambda: janus(janus_server)),
    "galene": (GALENE, lambda: galene(galene_server)),
    "sidecar": (SIDECAR, sidecar_server),
}


@pytest.fixture(autouse=True)
def _log_as_text(request: pytest.FixtureRequest) -> None:
    request.getfixturevalue("capsys")
    configure(LogSettings(level=LogLevel.INFO, format=LogFormat.TEXT))


def texts(change: RoomChange) -> list[str]:
    """All texts of a change."""
    names = ("participant", "name", "problem", "reason")
    return [str(getattr(change, name, "")) for name in names]


def log_is_safe(written: str) -> bool:
    lines = written.splitlines()
    return all(map(is_safe, lines)) and not any(line.startswith("2026 [error]") for line in lines)


@pytest.mark.parametrize("system", SERVERS)
async def test_no_name_and_no_reason_reaches_an_event_the_log_or_the_screen_as_it_was_sent(
    system: str, capsys: pytest.CaptureFixture[str]
) -> None:
    adapter, server = SERVERS[system]
    async with server() as url, entered(room_at(adapter, url)) as attendance:
        await eventually(lambda: any(isinstance(each, Joined) for each in attendance.changes))
        # What the room says of its own when it is left is looked at too.
        await asyncio.sleep(0.2)
    changes = attendance.changes
    assert all(is_safe(text) for change in changes for text in texts(change))
    (joined, *_) = [change for change in changes if isinstance(change, Joined)]
    assert "Ada" in joined.name
    structlog.get_logger().info("participant joined", name=joined.name, reason=joined.problem)
    assert log_is_safe(capsys.readouterr().err)
    assert is_safe(clean(joined.name))


REFUSALS: Mapping[str, tuple[Adapter, str]] = {
    "livekit": (LIVEKIT, "livekit://{}/room"),
    "janus": (JANUS, "janus+http://{}/1234"),
    "galene": (GALENE, "http://{}/group/room/"),
    "sidecar": (SIDECAR, "http://{}/rooms/room"),
}


@pytest.mark.parametrize("system", REFUSALS)
async def test_the_words_of_a_server_that_refuses_us_are_one_safe_line(system: str) -> None:
    async def refuse(request: web.Request) -> web.StreamResponse:
        error = {"janus": "error", "error": {"code": 403, "reason": HOSTILE}}
        body = error if request.method == "POST" else {"error": HOSTILE, "detail": HOSTILE}
        kind = "text/plain" if system == "livekit" else "application/json"
        text = HOSTILE if system == "livekit" else json.dumps(body)
        return web.Response(status=403, text=text, content_type=kind)

    adapter, form = REFUSALS[system]
    async with serving(("*", "/{any:.*}", refuse)) as place:
        with pytest.raises(RoomError) as refused:
            async with asyncio.timeout(10), room_at(adapter, form.format(place)):
                raise RoomError("joined")
    assert is_safe(str(refused.value))


async def test_the_words_of_a_whip_server_are_one_safe_line() -> None:
    async def refuse(request: web.Request) -> web.StreamResponse:
        body = json.dumps({"title": "refused", "detail": HOSTILE})
        return web.Response(status=422, text=body, content_type="application/problem+json")

    async with (
        serving(("*", "/{any:.*}", refuse)) as place,
        grey_composite() as composite,
        ReconnectingWhip(f"http://{place}/whip") as outlet,
    ):
        with pytest.raises(SignallingError, match="Ada") as refused:
            await outlet.publish(composite)
    assert is_safe(str(refused.value))


async def test_a_kick_is_reported_in_one_safe_line() -> None:
    kicked = {"type": "usermessage", "kind": "kicked", "privileged": True, "id": "c1"}
    act = sending(json.dumps(kicked | {"value": HOSTILE, "username": HOSTILE}), then=idle)
    async with galene(act) as url, entered(room_at(GALENE, url)) as attendance:
        await eventually(lambda: attendance.ended)
    assert "Ada" in str(attendance.failure)
    assert is_safe(str(attendance.failure))


def test_names_are_drawn_and_shown_without_what_a_terminal_obeys() -> None:
    from sidecar.session.stats import ParticipantStatus

    one = ParticipantStatus("p", HOSTILE, 320, 180, 14.6, "smile", 0.81, False, False)
    assert all(map(is_safe, drawn(status(one)).split("\n")))
    assert is_safe(clean(HOSTILE))
