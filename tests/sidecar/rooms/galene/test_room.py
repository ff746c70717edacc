"""The room in a group, with real peers as the participants: on the fake and on a real Galène."""

import asyncio
import base64
import dataclasses
import secrets
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any, cast

import jwt
import pytest
from aiohttp import web
from structlog.testing import capture_logs

from config.errors import RefusedError, RoomError
from sidecar.media.encoder import Encoder
from sidecar.rooms.base import Consent, ReceiverConstraints, SupportsDataMessages
from sidecar.rooms.galene.protocol import CONFIRMATIONS, MARK, NOTICE
from sidecar.rooms.reconnect import ReconnectingRoom
from tests.servers.galene import OPEN
from tests.servers.process import LOOPBACK
from tests.sidecar.clients import ColourTrack, eventually
from tests.sidecar.leaks import back_to, settled
from tests.sidecar.rooms.attendance import entered
from tests.sidecar.rooms.composites import grey_composite
from tests.sidecar.rooms.galene.conftest import (
    BRISK,
    NAME,
    GroupServer,
    attending,
    group_room,
)
from tests.sidecar.rooms.galene.fake import FakeGalene
from tests.sidecar.rooms.galene.people import Person, person, sees

pytestmark = pytest.mark.peers

LEFT_ALONE = CONFIRMATIONS[Consent.OPT_OUT]


async def test_participants_see_an_honest_name_until_we_leave(url: str) -> None:
    async with person(url, "Ada") as ada:
        async with attending(url):
            await eventually(lambda: NAME in ada.users.values())
        await eventually(lambda: list(ada.users.values()) == ["Ada"])


async def test_a_command_in_the_chat_opts_out_and_is_confirmed_in_private(url: str) -> None:
    async with person(url, "Ada") as ada, person(url, "Bob") as bob, attending(url) as attendance:
        await ada.show(ColourTrack())
        await eventually(lambda: attendance.frames("Ada") > 3)
        await ada.say("!reactions off")
        await eventually(lambda: attendance.consents.get("Ada") is Consent.OPT_OUT)
        await eventually(lambda: LEFT_ALONE in ada.chat())
        await ada.say("/reactions on")
        await eventually(lambda: attendance.consents.get("Ada") is Consent.OPT_IN)
        assert LEFT_ALONE not in bob.chat()


async def test_the_chat_has_our_notice_once(url: str) -> None:
    async with person(url, "Ada") as ada:
        for _ in range(2):
            async with attending(url):
                await eventually(lambda: NOTICE in ada.chat())
                await asyncio.sleep(1)
        assert ada.chat().count(NOTICE) == 1


async def test_reactions_are_sent_to_programs_and_not_to_people(url: str) -> None:
    async with person(url, "Ada") as ada, attending(url) as attendance:
        assert isinstance(attendance.room, SupportsDataMessages)
        await attendance.room.announce({"kind": "reaction.started", "label": "smile"})
        await eventually(lambda: any(message.get("kind") == MARK for message in ada.received))
        (message,) = (message for message in ada.received if message.get("kind") == MARK)
        assert (message["type"], message["value"]["label"]) == ("usermessage", "smile")
        assert not ada.chat() or ada.chat() == [NOTICE]


async def test_a_password_lets_us_in(server: GroupServer) -> None:
    closed = {"users": {"bot": {"password": "s3cret", "permissions": "present"}}}
    url = server.add_group("closed", closed)
    environ = {"GALENE_USERNAME": "bot", "GALENE_PASSWORD": "s3cret"}
    async with attending(url, environ=environ):
        pass
    for wrong in ({}, environ | {"GALENE_PASSWORD": "other"}):
        with pytest.raises(RefusedError, match=r"not authorised.*GALENE_PASSWORD") as refusal:
            async with attending(url, environ=wrong):
                pass
        assert "s3cret" not in str(refusal.value)


async def test_an_invitation_link_lets_us_in(server: GroupServer) -> None:
    url = server.url("room")
    async with person(url, "op", password="op-password") as operator:
        made = await operator.invite()
        async with attending(f"{url}?token={made}") as attendance:
            await eventually(lambda: NAME in operator.users.values())
            assert made not in repr(attendance.room)
    with pytest.raises(RefusedError, match="invitation") as refusal:
        async with attending(f"{url}?token=spent"):
            pass
    assert "token=" not in str(refusal.value)


@asynccontextmanager
async def authorisation_server(key: bytes) -> AsyncIterator[str]:
    """A server that lets clients in by the password ``s3cret``."""

    async def ask(request: web.Request) -> web.Response:
        asked: dict[str, Any] = await request.json()
        if asked["password"] != "s3cret":
            return web.Response(status=403)
        now = int(time.time())
        claims = {
            "sub": asked["username"],
            "aud": asked["location"],
            "iss": str(request.url),
            "permissions": ["present"],
            "iat": now - 5,
            "exp": now + 30,
        }
        token = jwt.encode(claims, key, algorithm="HS256")
        return web.Response(text=token, content_type="application/jwt")

    app = web.Application()
    app.router.add_post("/", ask)
    runner = web.AppRunner(app)
    await runner.setup()
    try:
        await web.TCPSite(runner, LOOPBACK, 0).start()
        yield f"http://{LOOPBACK}:{runner.addresses[0][1]}/"
    finally:
        await runner.cleanup()


async def test_an_authorisation_server_lets_us_in(server: GroupServer) -> None:
    key = secrets.token_bytes(32)
    encoded = base64.urlsafe_b64encode(key).rstrip(b"=").decode()
    async with authorisation_server(key) as auth:
        keys = [{"kty": "oct", "alg": "HS256", "k": encoded}]
        url = server.add_group("guarded", {"authServer": auth, "authKeys": keys})
        async with attending(url, environ={"GALENE_PASSWORD": "s3cret"}) as attendance:
            assert attendance.room.name == "guarded"
        with pytest.raises(RefusedError, match="authorisation server refused"):
            async with attending(url, environ={"GALENE_PASSWORD": "other"}):
                pass


async def test_a_redirect_of_a_group_is_followed(server: GroupServer) -> None:
    url = server.add_group("old", {**OPEN, "redirect": server.url("room")})
    async with person(server.url("room"), "Ada") as ada, attending(url) as attendance:
        await eventually(lambda: NAME in ada.users.values())
        assert attendance.room.name == "room"


async def test_a_group_that_does_not_exist_is_refused(server: GroupServer) -> None:
    with pytest.raises(RefusedError, match="no such group"):
        async with attending(server.url("nowhere")):
            pass


async def test_a_full_group_may_be_tried_again(server: GroupServer) -> None:
    url = server.add_group("full", {**OPEN, "max-clients": 1})
    async with person(url, "Ada"):
        with pytest.raises(RoomError, match="too many users") as refusal:
            async with attending(url):
                pass
        assert not isinstance(refusal.value, RefusedError)


async def test_being_put_out_is_final(url: str) -> None:
    async with person(url, "op", password="op-password") as operator, attending(url) as attendance:
        await eventually(lambda: NAME in operator.users.values())
        (us,) = (key for key, name in operator.users.items() if name == NAME)
        # The server closes the socket behind its message: if a message of ours is on its way just
        # then, as right after joining, TCP resets the connection and the server's message is lost.
        await eventually(lambda: NOTICE in operator.chat())
        await operator.act("kick", us, "not today")
        await eventually(lambda: attendance.ended)
        assert isinstance(attendance.failure, RefusedError)
        assert "by op: not today" in str(attendance.failure)


@pytest.mark.parametrize("end", ["stop", "kill"])
async def test_a_server_that_ends_can_be_joined_again(server: GroupServer, end: str) -> None:
    async with attending(server.url("room")) as attendance:
        await (server.stop() if end == "stop" else server.kill())
        await eventually(lambda: attendance.ended)
        assert not isinstance(attendance.failure, RefusedError)


async def test_a_server_that_restarts_is_joined_again(server: GroupServer) -> None:
    url = server.url("room")
    room = ReconnectingRoom(lambda: group_room(url))
    async with entered(room, publishing=True) as attendance:
        for restarts in range(2):
            async with person(url, "Ada") as ada:
                await ada.show(ColourTrack())
                await ada.watch()
                await eventually(lambda: attendance.frames("Ada") > 3)
                await eventually(lambda: sees(ada, NAME))
                assert sorted(ada.users.values()) == ["Ada", NAME]
                if not restarts:
                    await server.kill()
                    await server.start()
    assert room.rejoined == 1


async def test_a_server_that_falls_silent_is_noticed_and_left_at_once(server: GroupServer) -> None:
    brisk = dataclasses.replace(BRISK, ping=0.3, silence=1.5)
    async with (
        person(server.url("room"), "Ada") as ada,
        attending(server.url("room"), timeouts=brisk) as attendance,
        grey_composite() as composite,
    ):
        await ada.show(ColourTrack())
        await attendance.room.publish(composite)
        await eventually(lambda: attendance.frames("Ada") > 3)
        server.freeze()
        try:
            await eventually(lambda: attendance.ended)
            assert "silent" in str(attendance.failure)
            async with asyncio.timeout(10):
                await attendance.room.__aexit__()
        finally:
            server.thaw()


async def test_a_quiet_server_is_not_a_dead_one(fake: FakeGalene) -> None:
    brisk = dataclasses.replace(BRISK, ping=0.1, silence=0.5)
    async with attending(fake.url("room"), timeouts=brisk) as attendance:
        us = fake.clients[-1]
        await eventually(lambda: len([m for m in us.received if m["type"] == "ping"]) > 10)
        assert not attendance.ended


async def test_a_background_task_that_fails_ends_the_room_and_is_logged(fake: FakeGalene) -> None:
    url = fake.url("room")
    async with person(url, "Ada") as ada, attending(url) as attendance:
        await ada.show(ColourTrack())
        await eventually(lambda: attendance.frames("Ada") > 10)
        with capture_logs() as logs:
            attendance.room.constrain("Ada", ReceiverConstraints(cast("int", "wide"), 1, 1.0))
            await eventually(lambda: attendance.ended)
        assert not isinstance(attendance.failure, RefusedError)
        assert "internal error" in str(attendance.failure)
        failures = [entry for entry in logs if entry["event"] == "task failed"]
        assert ["TypeError" in entry["reason"] for entry in failures] == [True]


async def test_a_second_camera_of_a_participant_who_opted_out_is_opted_out(url: str) -> None:
    async with person(url, "Ada") as ada, attending(url) as attendance:
        await ada.show(ColourTrack())
        await eventually(lambda: "Ada" in attendance.present)
        await ada.say("!reactions off")
        await eventually(lambda: attendance.consents.get("Ada") is Consent.OPT_OUT)
        await ada.show(ColourTrack())
        await eventually(lambda: "Ada (2)" in attendance.present)
        assert attendance.consents.get("Ada (2)") is Consent.OPT_OUT


async def test_a_room_that_is_not_joined_has_no_connections_and_publishes_nothing() -> None:
    room = group_room("http://127.0.0.1:1/group/room/")
    assert not room.peers()
    with pytest.raises(RoomError, match="not joined"):
        await room.publish(Encoder(320, 180))


async def test_joining_and_leaving_leaves_nothing_behind(fake: FakeGalene) -> None:
    url = fake.url("room")

    async def come_and_go(ada: Person) -> None:
        async with attending(url) as attendance, grey_composite() as composite:
            await attendance.room.publish(composite)
            await eventually(lambda: attendance.frames("Ada") > 0)
            stream = await ada.show(ColourTrack())
            await eventually(lambda: attendance.frames("Ada (2)") > 0)
            await ada.hide(stream)
            await eventually(lambda: "Ada (2)" not in attendance.present)

    async with person(url, "Ada") as ada:
        await ada.show(ColourTrack())
        await come_and_go(ada)
        before = await settled()
        await come_and_go(ada)
        await back_to(before)
        await eventually(lambda: list(ada.users.values()) == ["Ada"])
