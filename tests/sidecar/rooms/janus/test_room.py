"""A sidecar in rooms of a real Janus, with other clients in them."""

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path

import av
import pytest
from aiortc import RTCPeerConnection

from config.errors import RefusedError, RoomError
from sidecar.media.peer_connection import closing, peer_connection
from sidecar.media.receive_peer import ReceivePeer
from sidecar.rooms.base import Consent, HasPeerConnections, Left, ReceiverConstraints
from sidecar.rooms.janus.adapter import ADAPTER
from tests.servers.coturn import coturn
from tests.servers.janus import JanusServer
from tests.servers.tls import self_signed
from tests.sidecar.clients import ColourTrack, eventually
from tests.sidecar.rooms.composites import grey_composite
from tests.sidecar.rooms.janus.attending import NAME, attending, options
from tests.sidecar.rooms.janus.client import JanusClient, camera, publish, watching
from tests.sidecar.rooms.janus.conftest import ROOMS

pytestmark = pytest.mark.servers


async def until(what: Callable[[], Awaitable[bool]], seconds: float = 30) -> None:
    """Ask ``what`` until it is true."""
    async with asyncio.timeout(seconds):
        while not await what():  # noqa: ASYNC110
            await asyncio.sleep(0.05)


@pytest.mark.parametrize("scheme", ["ws", "http"])
async def test_a_camera_that_is_there_is_watched(
    server: JanusServer, someone: JanusClient, room: int, scheme: str
) -> None:
    async with (
        camera(someone, room, "Ada", ColourTrack(), sound=True),
        attending(server.url(str(room), scheme)) as sidecar,
    ):
        await eventually(lambda: sidecar.frames("Ada") > 5)
        feed = sidecar.feed("Ada")
        assert feed is not None
        assert feed.size == (320, 180)


async def test_cameras_come_and_go(server: JanusServer, someone: JanusClient, room: int) -> None:
    async with attending(server.url(str(room))) as sidecar:
        async with camera(someone, room, "Ada", ColourTrack()):
            await eventually(lambda: sidecar.frames("Ada") > 0)
            async with camera(someone, room, "Bob", ColourTrack()):
                await eventually(lambda: sidecar.frames("Bob") > 0)
            await eventually(lambda: sidecar.feed("Bob") is None)
            before = sidecar.frames("Ada")
            await eventually(lambda: sidecar.frames("Ada") > before)
        await eventually(lambda: not sidecar.present)
        assert [type(change) for change in sidecar.changes].count(Left) == 2


async def test_a_camera_that_is_switched_off_and_on_again_is_watched_again(
    server: JanusServer, someone: JanusClient, room: int
) -> None:
    async with (
        camera(someone, room, "Ada", ColourTrack()) as ada,
        attending(server.url(str(room))) as sidecar,
        closing(peer_connection()) as another,
    ):
        await eventually(lambda: sidecar.frames("Ada") > 0)
        await someone.say(ada.handle, "unpublish")
        await eventually(lambda: sidecar.feed("Ada") is None)
        # Republishing before Janus has let go of the old connection would hit that one.
        await eventually(lambda: any(said["janus"] == "hangup" for said in someone.events))
        another.addTransceiver(ColourTrack(), direction="sendonly")
        await publish(someone, ada.handle, another)
        await eventually(lambda: sidecar.frames("Ada") > 0)


async def test_the_watcher_leaves_no_trace(
    server: JanusServer, someone: JanusClient, room: int
) -> None:
    async with camera(someone, room, "Ada", ColourTrack()) as ada:
        await eventually(lambda: any(said["janus"] == "media" for said in someone.events))
        before = await someone.people(room)
        async with attending(server.url(str(room))) as sidecar:
            await eventually(lambda: sidecar.frames("Ada") > 5)
            assert await someone.people(room) == before
        assert await someone.people(room) == before
        assert [person["id"] for person in before] == [ada.id]
        # The room has notify_joining: joining, publishing and leaving would be reported.
        assert someone.plugin_events() == []


async def test_only_the_publisher_is_seen_and_by_its_name(
    server: JanusServer, someone: JanusClient, room: int
) -> None:
    async with camera(someone, room, "Ada", ColourTrack()) as ada:
        async with attending(server.url(str(room)), publishing=True) as sidecar:
            await eventually(lambda: sidecar.frames("Ada") > 0)

            async def seen() -> bool:
                others = [each for each in await someone.people(room) if each["id"] != ada.id]
                return [(each["display"], each["publisher"]) for each in others] == [(NAME, True)]

            await until(seen)

        async def alone() -> bool:
            return [each["id"] for each in await someone.people(room)] == [ada.id]

        await until(alone)


async def test_the_composite_is_shown_to_others_and_not_to_sidecars(
    server: JanusServer, someone: JanusClient, room: int
) -> None:
    async with (
        camera(someone, room, "Ada", ColourTrack()) as ada,
        attending(server.url(str(room)), publishing=True) as first,
        attending(server.url(str(room)), publishing=True) as second,
    ):
        await eventually(lambda: first.frames("Ada") > 0 and second.frames("Ada") > 0)

        async def published() -> bool:
            return [each["publisher"] for each in await someone.people(room)] == [True] * 3

        await until(published)
        people = await someone.people(room)
        composite_id = next(each["id"] for each in people if each["display"] == NAME)
        async with watching(someone, room, composite_id) as track:
            frame = await track.recv()
            assert isinstance(frame, av.VideoFrame)
            assert (frame.width, frame.height) == (160, 90)
        assert list(first.present) == list(second.present) == [str(ada.id)]


async def test_a_paused_camera_sends_nothing_until_it_is_wanted(
    server: JanusServer, someone: JanusClient, room: int
) -> None:
    async with (
        camera(someone, room, "Ada", ColourTrack()),
        attending(server.url(str(room))) as sidecar,
    ):
        await eventually(lambda: sidecar.frames("Ada") > 0)
        (ada,) = sidecar.present

        async def still() -> bool:
            before = sidecar.frames("Ada")
            await asyncio.sleep(0.5)
            return sidecar.frames("Ada") == before

        sidecar.room.constrain(ada, ReceiverConstraints(320, 180, 15, paused=True))
        await until(still)
        paused_at = sidecar.frames("Ada")
        sidecar.room.constrain(ada, ReceiverConstraints(320, 180, 15))
        await eventually(lambda: sidecar.frames("Ada") > paused_at + 5)


async def test_participants_opt_out_over_data_or_in_their_name(
    server: JanusServer, someone: JanusClient, room: int
) -> None:
    async with (
        camera(someone, room, "Ada", ColourTrack(), data=True) as ada,
        camera(someone, room, "Bob !reactions off", ColourTrack()) as bob,
        attending(server.url(str(room))) as sidecar,
    ):
        await eventually(lambda: sidecar.frames("Ada") > 0 and sidecar.frames("Bob") > 0)
        assert sidecar.consents == {str(bob.id): Consent.OPT_OUT}
        channel = ada.channel
        assert channel is not None
        await eventually(lambda: channel.readyState == "open")

        async def asked() -> bool:
            # Janus drops what comes before it has opened the watcher's channel.
            channel.send("!reactions off")
            await asyncio.sleep(0.2)
            return sidecar.consents.get(str(ada.id)) is Consent.OPT_OUT

        await until(asked)
        channel.send('{"textroom": "message", "text": "/reactions on"}')
        await someone.say(bob.handle, "configure", display="Bob !reactions on")
        await eventually(
            lambda: sidecar.consents == dict.fromkeys((str(ada.id), str(bob.id)), Consent.OPT_IN)
        )


async def test_events_are_announced_to_subscribers_of_the_composite(
    server: JanusServer, someone: JanusClient, room: int
) -> None:
    texts: list[str] = []
    async with (
        ADAPTER.room(server.url(str(room)), options()) as joined,
        grey_composite() as encoder,
    ):
        await joined.publish(encoder)

        async def published() -> bool:
            return [each["publisher"] for each in await someone.people(room)] == [True]

        await until(published)
        (publisher,) = await someone.people(room)
        async with watching(someone, room, publisher["id"], texts=texts) as track:
            await track.recv()

            async def heard() -> bool:
                await joined.announce({"label": "thumbs_up"})
                await asyncio.sleep(0.1)
                return bool(texts)

            await until(heard)
        assert texts[0] == '{"label": "thumbs_up"}'


async def test_a_camera_in_h264_is_watched(
    server: JanusServer, someone: JanusClient, room: int
) -> None:
    async with (
        camera(someone, room, "Ada", ColourTrack(), codec="H264"),
        attending(server.url(str(room))) as sidecar,
    ):
        await eventually(lambda: sidecar.frames("Ada") > 5)


async def test_a_codec_that_cannot_be_decoded_is_a_problem_of_one_camera(
    server: JanusServer, someone: JanusClient, room: int
) -> None:
    async with (
        attending(server.url(str(room))) as sidecar,
        camera(someone, room, "Ada", ColourTrack()),
    ):
        await eventually(lambda: sidecar.frames("Ada") > 0)
        async with camera(someone, room, "Vic", ColourTrack(), codec="VP8", alias="VP9"):
            await eventually(lambda: sidecar.problem("Vic"))
            assert "VP9" in sidecar.problem("Vic")
            assert "videocodec" in sidecar.problem("Vic")
            before = sidecar.frames("Ada")
            await eventually(lambda: sidecar.frames("Ada") > before)
        await eventually(lambda: not sidecar.problem("Vic"))


async def test_a_broken_offer_is_a_problem_of_one_camera(
    server: JanusServer, someone: JanusClient, room: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    answer = ReceivePeer.answer

    async def broken_for_vic(peer: ReceivePeer, offer: str, mid: str = "") -> str:
        if "Vic" in people:
            offer = offer.replace("a=ice-pwd", "a=ice-").replace("a=fingerprint", "a=finger")
        return await answer(peer, offer, mid)

    people = ["Ada"]
    monkeypatch.setattr(ReceivePeer, "answer", broken_for_vic)
    async with (
        attending(server.url(str(room))) as sidecar,
        camera(someone, room, "Ada", ColourTrack()),
    ):
        await eventually(lambda: sidecar.frames("Ada") > 0)
        people.append("Vic")
        async with camera(someone, room, "Vic", ColourTrack()):
            await eventually(lambda: "can't be answered" in sidecar.problem("Vic"))
            before = sidecar.frames("Ada")
            await eventually(lambda: sidecar.frames("Ada") > before)
            people.remove("Vic")
            # It is tried again, and now it works.
            await eventually(lambda: sidecar.frames("Vic") > 0)


@pytest.mark.parametrize(
    ("pin", "words"), [("", "has a PIN"), ("guess", "wrong room PIN"), ("sesame", "")]
)
async def test_a_pin_is_needed_where_there_is_one(
    server: JanusServer, someone: JanusClient, pin: str, words: str
) -> None:
    room = next(ROOMS)
    await someone.create(room, pin="sesame")
    environ = {"JANUS_PIN": pin} if pin else {}
    if not words:
        async with (
            camera(someone, room, "Ada", ColourTrack(), pin="sesame"),
            attending(server.url(str(room)), options(environ), publishing=True) as sidecar,
        ):
            await eventually(lambda: sidecar.frames("Ada") > 0)
        return
    with pytest.raises(RefusedError, match=words) as refused:
        async with attending(server.url(str(room)), options(environ)):
            pass
    assert "guess" not in str(refused.value)


async def test_a_pin_in_the_address_works_and_is_not_shown(
    server: JanusServer, someone: JanusClient
) -> None:
    room = next(ROOMS)
    await someone.create(room, pin="sesame")
    async with attending(server.url(str(room), query="?pin=sesame")) as sidecar:
        assert "sesame" not in sidecar.room.name


async def test_a_room_that_does_not_exist_is_an_error(server: JanusServer) -> None:
    with pytest.raises(RoomError, match="No such room") as missing:
        async with attending(server.url("99999")):
            pass
    assert not isinstance(missing.value, RefusedError)


async def test_a_full_room_refuses_the_composite(server: JanusServer, someone: JanusClient) -> None:
    room = next(ROOMS)
    await someone.create(room, publishers=1)
    async with (
        camera(someone, room, "Ada", ColourTrack()),
        attending(server.url(str(room))) as sidecar,
        grey_composite() as encoder,
    ):
        await eventually(lambda: sidecar.frames("Ada") > 0)
        with pytest.raises(RoomError, match=r"Maximum number of publishers.*raise publishers"):
            await sidecar.room.publish(encoder)
        before = sidecar.frames("Ada")
        await eventually(lambda: sidecar.frames("Ada") > before)


async def test_a_room_without_vp8_refuses_the_composite(
    server: JanusServer, someone: JanusClient
) -> None:
    room = next(ROOMS)
    await someone.create(room, videocodec="h264")
    with pytest.raises(RefusedError, match=r"no VP8.*videocodec"):
        async with attending(server.url(str(room)), publishing=True):
            pass


async def test_a_room_for_publishers_alone_is_watched_once_the_composite_is_published(
    server: JanusServer, someone: JanusClient
) -> None:
    room = next(ROOMS)
    await someone.create(room, require_pvtid=True)
    async with (
        camera(someone, room, "Ada", ColourTrack()),
        attending(server.url(str(room))) as sidecar,
        grey_composite() as encoder,
    ):
        await eventually(lambda: "require_pvtid" in sidecar.problem("Ada"))
        await sidecar.room.publish(encoder)
        await eventually(lambda: sidecar.frames("Ada") > 0)


async def test_a_kicked_sidecar_does_not_come_back(
    server: JanusServer, someone: JanusClient
) -> None:
    room = next(ROOMS)
    await someone.create(room, secret="s3cret")
    async with attending(server.url(str(room)), publishing=True) as sidecar:

        async def kicked() -> bool:
            handle = await someone.attach()
            for person in await someone.people(room):
                await someone.say(handle, "kick", room=room, secret="s3cret", id=person["id"])
            return sidecar.ended

        await until(kicked)
        assert isinstance(sidecar.failure, RefusedError)
        assert "kicked" in str(sidecar.failure)


@pytest.mark.parametrize("publishing", [True, False], ids=["publishing", "watching"])
async def test_the_meeting_is_over_when_the_room_is_destroyed(
    server: JanusServer, someone: JanusClient, publishing: bool
) -> None:
    room = next(ROOMS)
    await someone.create(room, secret="s3cret")
    async with attending(server.url(str(room)), publishing=publishing) as sidecar:
        await someone.say(await someone.attach(), "destroy", room=room, secret="s3cret")
        await eventually(lambda: sidecar.ended)
        assert sidecar.failure is None


def candidate_types(peer: RTCPeerConnection) -> set[str]:
    """The types of a connection's own candidates."""
    lines = peer.localDescription.sdp.splitlines()
    return {line.split(" typ ")[1].split()[0] for line in lines if " typ " in line}


@pytest.mark.parametrize("transport", ["udp", "tcp", "tls"])
async def test_cameras_and_composite_go_through_a_relay_alone(
    server: JanusServer,
    someone: JanusClient,
    room: int,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    transport: str,
) -> None:
    certificate = self_signed(tmp_path)
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate[0]))
    async with (
        coturn(tmp_path, udp=transport == "udp", certificate=certificate) as relay,
        camera(someone, room, "Ada", ColourTrack()),
    ):
        how = options(ice_servers=[relay.ice_server(transport)], relay_only=True)
        async with attending(server.url(str(room)), how, publishing=True) as sidecar:
            await eventually(lambda: sidecar.frames("Ada") > 5)
            assert isinstance(sidecar.room, HasPeerConnections)
            peers = sidecar.room.peers()
            assert [candidate_types(peer) for peer in peers] == [{"relay"}, {"relay"}]
            await eventually(lambda: peers[0].connectionState == "connected")
