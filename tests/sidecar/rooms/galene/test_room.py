"""The room against a real Galène, with real peers as the other people."""

import asyncio
import base64
import re
import secrets
import signal
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import aiohttp
import jwt
import pytest
from aiohttp import web

from config.errors import RefusedError, RoomError
from sidecar.media.encoder import Encoder
from sidecar.rooms.base import Consent, HasPeerConnections, Joined, SupportsDataMessages
from sidecar.rooms.galene import messages
from sidecar.rooms.galene.adapter import ADAPTER
from sidecar.rooms.galene.camera import Camera
from sidecar.rooms.galene.cameras import Cameras
from sidecar.rooms.galene.descriptions import UnfitError
from sidecar.rooms.galene.events import Offered
from sidecar.rooms.galene.protocol import LEFT_ALONE, MARK, NOTICE
from sidecar.rooms.whip import WhipOutlet
from tests.servers.galene import OPEN, Galene, galene
from tests.servers.process import LOOPBACK, free_ports
from tests.sidecar.clients import ColourTrack, eventually
from tests.sidecar.rooms.composites import grey_composite
from tests.sidecar.rooms.galene.conftest import NAME, attending
from tests.sidecar.rooms.galene.people import person, sees

pytestmark = pytest.mark.servers


@pytest.fixture
def url(server: Galene) -> str:
    return server.url("room")


async def test_cameras_come_and_go(url: str) -> None:
    async with person(url, "Ada") as ada, attending(url) as attendance:
        stream = await ada.show(ColourTrack())
        await eventually(lambda: attendance.frames("Ada") > 3)
        async with person(url, "Bob") as bob:
            await bob.show(ColourTrack())
            await eventually(lambda: attendance.frames("Bob") > 3)
        await eventually(lambda: set(attendance.present) == {"Ada"})
        await ada.hide(stream)
        await eventually(lambda: not attendance.present)


async def test_those_who_were_there_before_are_seen(url: str) -> None:
    async with person(url, "Ada") as ada, person(url, "Bob") as bob:
        for somebody in (ada, bob):
            await somebody.show(ColourTrack())
        async with attending(url) as attendance:
            await eventually(lambda: all(attendance.frames(name) > 3 for name in ("Ada", "Bob")))
            assert isinstance(attendance.room, HasPeerConnections)
            assert len(attendance.room.peers()) == 2


async def test_others_see_an_honest_name_until_we_leave(url: str) -> None:
    async with person(url, "Ada") as ada:
        async with attending(url):
            await eventually(lambda: NAME in ada.users.values())
        await eventually(lambda: list(ada.users.values()) == ["Ada"])


async def test_the_composite_is_a_camera_to_others_and_no_tile_to_us(url: str) -> None:
    async with (
        person(url, "Ada") as ada,
        attending(url) as attendance,
        grey_composite(200) as composite,
    ):
        await ada.show(ColourTrack())
        await attendance.room.publish(composite)
        await ada.watch()
        await eventually(lambda: sees(ada, NAME))
        (watched,) = ada.watched.values()
        assert watched.label == "camera"
        assert watched.picture is not None
        assert abs(float(watched.picture.to_ndarray(format="gray").mean()) - 200) < 30
        await eventually(lambda: attendance.frames("Ada") > 3)
        assert set(attendance.present) == {"Ada"}


async def test_who_comes_just_when_the_composite_starts_sees_it_too(url: str) -> None:
    async with attending(url) as attendance, grey_composite() as composite:
        # By then the group has been listed to us.
        await asyncio.sleep(0.5)
        await attendance.room.publish(composite)
        async with person(url, "Ada") as ada:
            await ada.watch()
            await eventually(lambda: sees(ada, NAME))
            assert isinstance(attendance.room, HasPeerConnections)
            assert len(attendance.room.peers()) == 1


async def test_another_sidecars_composite_is_no_tile(url: str) -> None:
    async with (
        attending(url, name="First") as first,
        attending(url, name="Second") as second,
        grey_composite() as composite,
        person(url, "Ada") as ada,
    ):
        await first.room.publish(composite)
        await ada.watch()
        await eventually(lambda: sees(ada, "First"))
        await ada.show(ColourTrack())
        await eventually(lambda: second.frames("Ada") > 3)
        assert set(second.present) == {"Ada"}


async def test_a_shared_screen_is_no_tile(url: str) -> None:
    async with person(url, "Ada") as ada, attending(url) as attendance:
        await ada.show(ColourTrack(), label="screenshare")
        await ada.show(ColourTrack())
        await eventually(lambda: attendance.frames("Ada") > 3)
        assert set(attendance.present) == {"Ada"}


async def test_two_of_one_name_and_two_cameras_of_one_are_told_apart(url: str) -> None:
    async with person(url, "Ada") as ada, person(url, "Ada") as other, attending(url) as attendance:
        await ada.show(ColourTrack())
        await eventually(lambda: len(attendance.present) == 1)
        await ada.show(ColourTrack())
        await other.show(ColourTrack())
        await eventually(lambda: len(attendance.present) == 3)
        assert {joined.name for joined in attendance.present.values()} == {"Ada"}


async def test_a_camera_that_replaces_another_keeps_the_tile(url: str) -> None:
    async with person(url, "Ada") as ada, attending(url) as attendance:
        stream = await ada.show(ColourTrack(40))
        await eventually(lambda: attendance.frames("Ada") > 3)
        before = attendance.present["Ada"]
        await ada.show(ColourTrack(200), replace=stream)
        await eventually(
            lambda: (
                attendance.present.get("Ada") not in (None, before) and attendance.frames("Ada") > 3
            )
        )
        assert set(attendance.present) == {"Ada"}


async def test_a_word_in_the_chat_opts_out_and_is_confirmed_in_private(url: str) -> None:
    async with person(url, "Ada") as ada, person(url, "Bob") as bob, attending(url) as attendance:
        await ada.show(ColourTrack())
        await eventually(lambda: attendance.frames("Ada") > 3)
        await ada.say("!reactions off")
        await eventually(lambda: attendance.consents.get("Ada") is Consent.OPT_OUT)
        await eventually(lambda: LEFT_ALONE in ada.chat())
        await ada.say("/reactions on")
        await eventually(lambda: attendance.consents.get("Ada") is Consent.OPT_IN)
        assert LEFT_ALONE not in bob.chat()


async def test_the_chat_says_what_we_do_once(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sidecar.rooms.galene.room.ROUND", 0.2)
    async with person(url, "Ada") as ada:
        for _ in range(2):
            async with attending(url):
                await eventually(lambda: NOTICE in ada.chat())
                await asyncio.sleep(1)
        assert ada.chat().count(NOTICE) == 1


async def test_reactions_are_told_to_programs_and_not_to_people(url: str) -> None:
    async with person(url, "Ada") as ada, attending(url) as attendance:
        assert isinstance(attendance.room, SupportsDataMessages)
        await attendance.room.announce({"kind": "reaction.started", "label": "smile"})
        await eventually(lambda: any(message.get("kind") == MARK for message in ada.heard))
        (told,) = (message for message in ada.heard if message.get("kind") == MARK)
        assert (told["type"], told["value"]["label"]) == ("usermessage", "smile")
        assert not ada.chat() or ada.chat() == [NOTICE]


async def test_a_password_lets_us_in(server: Galene) -> None:
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


async def test_an_invitation_link_lets_us_in(server: Galene) -> None:
    url = server.url("room")
    async with person(url, "op", password="op-password") as operator:
        made = await operator.invite()
        async with attending(f"{url}?token={made}") as attendance:
            await eventually(lambda: NAME in operator.users.values())
            assert made not in repr(attendance.room)
    with pytest.raises(RefusedError, match="invitation") as refusal:
        async with attending(f"{url}?token=spent"):
            pass
    assert "spent," not in str(refusal.value).replace("is wrong, spent", "")
    assert "token=" not in str(refusal.value)


@asynccontextmanager
async def authorisation_server(key: bytes) -> AsyncIterator[str]:
    """One that lets in whoever knows the password ``s3cret``."""

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


async def test_an_authorisation_server_lets_us_in(server: Galene) -> None:
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


async def test_a_group_that_was_moved_is_followed(server: Galene) -> None:
    url = server.add_group("old", {**OPEN, "redirect": server.url("room")})
    async with person(server.url("room"), "Ada") as ada, attending(url) as attendance:
        await eventually(lambda: NAME in ada.users.values())
        assert attendance.room.name == "room"


async def test_a_group_that_is_not_there_is_told(server: Galene) -> None:
    with pytest.raises(RefusedError, match="no such group"):
        async with attending(server.url("nowhere")):
            pass


async def test_a_full_group_may_be_tried_again(server: Galene) -> None:
    url = server.add_group("full", {**OPEN, "max-clients": 1})
    async with person(url, "Ada"):
        with pytest.raises(RoomError, match="too many users") as refusal:
            async with attending(url):
                pass
        assert not isinstance(refusal.value, RefusedError)


async def test_without_the_permission_nothing_is_shown(server: Galene) -> None:
    quiet = {"wildcard-user": {"password": {"type": "wildcard"}, "permissions": "message"}}
    async with attending(server.add_group("quiet", quiet)) as attendance:
        with pytest.raises(RefusedError, match="present"):
            await attendance.room.publish(Encoder(320, 180))


async def test_being_put_out_is_final(url: str) -> None:
    async with person(url, "op", password="op-password") as operator, attending(url) as attendance:
        await eventually(lambda: NAME in operator.users.values())
        (us,) = (key for key, name in operator.users.items() if name == NAME)
        # The server closes the socket behind its word: if something of ours is on its way just
        # then, as right after joining, TCP resets the line and the word is lost.
        await eventually(lambda: NOTICE in operator.chat())
        await operator.act("kick", us, "not today")
        await eventually(lambda: attendance.ended is not None)
        assert isinstance(attendance.ended, RefusedError)
        assert "by op: not today" in str(attendance.ended)


@pytest.mark.parametrize("last", [signal.SIGTERM, signal.SIGKILL])
async def test_a_server_that_ends_can_be_joined_again(server: Galene, last: signal.Signals) -> None:
    async with attending(server.url("room")) as attendance:
        if last is signal.SIGTERM:
            await server.process.stop()
        else:
            server.process.kill()
        await eventually(lambda: attendance.ended is not None)
        assert not isinstance(attendance.ended, RefusedError)


async def test_a_server_that_freezes_is_noticed_and_left_at_once(
    server: Galene, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sidecar.rooms.galene.line.SILENCE", 4.0)
    monkeypatch.setattr("sidecar.rooms.galene.room.PING_EVERY", 0.5)
    async with (
        person(server.url("room"), "Ada") as ada,
        attending(server.url("room")) as attendance,
        grey_composite() as composite,
    ):
        await ada.show(ColourTrack())
        await attendance.room.publish(composite)
        await eventually(lambda: attendance.frames("Ada") > 3)
        server.process.signal(signal.SIGSTOP)
        try:
            await eventually(lambda: attendance.ended is not None)
            assert "silent" in str(attendance.ended)
            async with asyncio.timeout(10):
                await attendance.close()
                await attendance.room.__aexit__()
        finally:
            server.process.signal(signal.SIGCONT)


async def test_a_codec_that_cannot_be_decoded_is_told_and_disturbs_nobody(server: Galene) -> None:
    url = server.add_group("vp9", {**OPEN, "codecs": ["vp9", "vp8", "opus"]})
    async with person(url, "Ada") as ada, person(url, "Bob") as bob, attending(url) as attendance:
        stream = await ada.show(ColourTrack(), codec="VP9")
        await bob.show(ColourTrack())
        await eventually(lambda: set(attendance.present) == {"Ada", "Bob"})
        joined = attendance.present["Ada"]
        assert joined.feed is None
        assert "VP9" in joined.problem
        await eventually(lambda: attendance.frames("Bob") > 3)
        await ada.hide(stream)
        await eventually(lambda: set(attendance.present) == {"Bob"})


@pytest.mark.parametrize(
    ("told", "spoilt"), [("m=video 9", "m=video x"), ("a=fingerprint:", "a=nonsense:")]
)
async def test_a_stream_that_breaks_us_disturbs_nobody(
    url: str, monkeypatch: pytest.MonkeyPatch, told: str, spoilt: str
) -> None:
    offered = Cameras.offered
    monkeypatch.setattr("sidecar.rooms.galene.cameras.CONNECTING", 2.0)

    def spoil(cameras: Cameras, offer: Offered) -> None:
        if offer.name == "Ada":
            sdp = offer.sdp.replace(told, spoilt)
            offer = Offered(offer.stream, offer.participant, offer.name, sdp)
        offered(cameras, offer)

    monkeypatch.setattr(Cameras, "offered", spoil)
    async with person(url, "Ada") as ada, person(url, "Bob") as bob, attending(url) as attendance:
        await ada.show(ColourTrack())
        await bob.show(ColourTrack())
        await eventually(lambda: "Ada" in attendance.present)
        assert attendance.present["Ada"].feed is None
        assert attendance.present["Ada"].problem
        await eventually(lambda: attendance.frames("Bob") > 3)


async def test_an_answer_that_fails_once_is_tried_again(
    url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    answer, failures = Camera.answer, ["no relay in time"]

    async def fail_once(camera: Camera, sdp: str) -> str:
        if failures:
            raise UnfitError(failures.pop())
        return await answer(camera, sdp)

    monkeypatch.setattr(Camera, "answer", fail_once)
    async with person(url, "Ada") as ada, attending(url) as attendance:
        await ada.show(ColourTrack())
        await eventually(lambda: attendance.frames("Ada") > 3)
        problems = [change.problem for change in attendance.log if isinstance(change, Joined)]
        assert problems == ["no relay in time", ""]


async def test_a_connection_that_fails_is_made_anew(url: str) -> None:
    async with person(url, "Ada") as ada, attending(url) as attendance:
        await ada.show(ColourTrack())
        await eventually(lambda: attendance.frames("Ada") > 3)
        before = attendance.present["Ada"]
        assert isinstance(attendance.room, HasPeerConnections)
        (peer,) = attendance.room.peers()
        await peer.close()
        await eventually(
            lambda: (
                attendance.present.get("Ada") not in (None, before) and attendance.frames("Ada") > 3
            )
        )


async def test_the_composite_comes_back_after_its_connection_failed(url: str) -> None:
    async with (
        person(url, "Ada") as ada,
        attending(url) as attendance,
        grey_composite() as composite,
    ):
        await attendance.room.publish(composite)
        await ada.watch()
        await eventually(lambda: sees(ada, NAME))
        (first,) = ada.watched
        assert isinstance(attendance.room, HasPeerConnections)
        (peer,) = attendance.room.peers()
        await peer.close()
        await eventually(lambda: first not in ada.watched and sees(ada, NAME))


async def test_the_composite_comes_back_with_the_permission(url: str) -> None:
    async with (
        person(url, "op", password="op-password") as operator,
        attending(url) as attendance,
        grey_composite() as composite,
    ):
        await attendance.room.publish(composite)
        await operator.watch()
        await eventually(lambda: sees(operator, NAME))
        (us,) = (key for key, name in operator.users.items() if name == NAME)
        await operator.act("unpresent", us)
        await eventually(lambda: not operator.watched)
        await operator.act("present", us)
        await eventually(lambda: sees(operator, NAME))
        assert attendance.ended is None


async def test_what_can_only_be_relayed_and_is_not_is_told_and_tried_again(
    url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sidecar.rooms.galene.cameras.CONNECTING", 1.0)
    monkeypatch.setattr("sidecar.rooms.galene.showing.CONNECTING", 1.0)
    async with (
        person(url, "Ada") as ada,
        attending(url, relay_only=True) as attendance,
        grey_composite() as composite,
    ):
        room = attendance.room
        assert isinstance(room, HasPeerConnections)
        await room.publish(composite)
        (first,) = room.peers()
        await eventually(lambda: first not in room.peers())
        await eventually(lambda: room.peers())
        await ada.show(ColourTrack())
        await eventually(lambda: "Ada" in attendance.present)
        assert "TURN" in attendance.present["Ada"].problem


@pytest.mark.parametrize("transport", ["udp", "tcp"])
async def test_media_goes_through_the_servers_own_relay(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, transport: str
) -> None:
    monkeypatch.setattr("sidecar.media.ice._RANKS", {("turn", transport): 1})
    (port,) = free_ports(1)
    async with galene(tmp_path, "-turn", f"{LOOPBACK}:{port}") as server:
        url = server.url("room")
        async with (
            person(url, "Ada") as ada,
            attending(url, relay_only=True) as attendance,
            grey_composite() as composite,
        ):
            await ada.show(ColourTrack())
            await eventually(lambda: attendance.frames("Ada") > 3)
            await attendance.room.publish(composite)
            await ada.watch()
            await eventually(lambda: sees(ada, NAME))
            assert isinstance(attendance.room, HasPeerConnections)
            for peer in attendance.room.peers():
                candidates = peer.localDescription.sdp.split("a=candidate:")[1:]
                assert candidates
                assert all("typ relay" in candidate for candidate in candidates)


async def test_candidates_by_mdns_do_no_harm(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    read = messages.read

    def by_mdns(text: str) -> messages.Message | None:
        return read(re.sub(r"(udp \d+) \S+ ", r"\1 4f8b.local ", text))

    monkeypatch.setattr(messages, "read", by_mdns)
    async with (
        person(url, "Ada") as ada,
        attending(url) as attendance,
        grey_composite() as composite,
    ):
        await ada.show(ColourTrack())
        await eventually(lambda: attendance.frames("Ada") > 3)
        await attendance.room.publish(composite)
        await ada.watch()
        await eventually(lambda: sees(ada, NAME))


async def test_the_composite_may_come_by_whip(url: str) -> None:
    async with (
        person(url, "op", password="op-password") as operator,
        attending(url) as attendance,
        grey_composite() as composite,
    ):
        token = await operator.invite(username=NAME)
        async with WhipOutlet(f"{url}.whip", token=token) as outlet:
            await outlet.publish(composite)
            await operator.watch()
            await eventually(lambda: sees(operator, NAME))
            await operator.show(ColourTrack())
            await eventually(lambda: attendance.frames("op") > 3)
            assert set(attendance.present) == {"op"}
        await eventually(lambda: list(operator.users.values()).count(NAME) == 1)


async def test_a_certificate_that_nobody_trusts_is_told(tmp_path: Path) -> None:
    async with galene(tmp_path, tls=True) as server:
        with pytest.raises(RefusedError, match=r"certificate.*SSL_CERT_FILE"):
            async with attending(server.url("room")):
                pass


async def test_the_server_is_recognised(server: Galene) -> None:
    async with aiohttp.ClientSession() as http:
        assert ADAPTER.recognises(server.url("room"))
        assert await ADAPTER.confirms(server.url("room"), http)
        assert not await ADAPTER.confirms(server.url("nowhere"), http)
        assert not await ADAPTER.confirms("http://galene.example/group/x", http)
