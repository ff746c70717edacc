"""LiveKit rooms, against the real server and real peers that share no code with the adapter."""

import asyncio
import time

import pytest
from livekit.protocol import models

from config.errors import RefusedError, RoomError
from sidecar.media.encoder import Encoder
from sidecar.rooms.base import (
    Consent,
    ConsentChanged,
    Joined,
    JoinOptions,
    Left,
    ReceiverConstraints,
)
from sidecar.rooms.livekit import messages
from sidecar.rooms.livekit.room import LiveKitRoom
from tests.e2e.browser import until
from tests.servers.livekit import LiveKit
from tests.servers.soak import GUESTS
from tests.sidecar.clients import ColourTrack, eventually
from tests.sidecar.rooms.attendance import Attendance, following
from tests.sidecar.rooms.composites import grey_composite
from tests.sidecar.rooms.livekit.admin import alone, call, identities
from tests.sidecar.rooms.livekit.conftest import LIVEKIT, options, seen
from tests.sidecar.rooms.livekit.guest import joined, token

pytestmark = pytest.mark.servers

LIGHT, DARK, GREY = 220, 40, 130


async def test_those_who_were_there_first_are_all_seen(server: LiveKit) -> None:
    async with (
        joined(server.address, "two", "ada") as ada,
        joined(server.address, "two", "bob") as bob,
    ):
        await ada.publish(ColourTrack(LIGHT))
        await bob.publish(ColourTrack(DARK))
        async with seen(server, "two") as sight:
            await eventually(lambda: sight.shows("ada", LIGHT) and sight.shows("bob", DARK))
            assert {who.name for who in sight.present.values()} == {"Ada", "Bob"}


async def test_who_comes_later_is_seen_and_who_goes_is_gone(server: LiveKit) -> None:
    async with seen(server, "later") as sight:
        async with joined(server.address, "later", "ada") as ada:
            await ada.publish(ColourTrack(LIGHT))
            await eventually(lambda: sight.shows("ada", LIGHT))
            feed = sight.camera("ada")
        await eventually(lambda: not sight.present)
        assert sight.changes[-1] == Left("ada", "left")
        await eventually(lambda: feed.ended)


async def test_a_participant_without_a_camera_is_not_reported(server: LiveKit) -> None:
    async with (
        seen(server, "silent") as sight,
        joined(server.address, "silent", "ada"),
        joined(server.address, "silent", "bob") as bob,
    ):
        await bob.publish(ColourTrack(LIGHT))
        await eventually(lambda: sight.shows("bob", LIGHT))
        assert "ada" not in sight.present


async def test_participants_do_not_see_the_watcher(server: LiveKit) -> None:
    async with joined(server.address, "hidden", "ada") as ada:
        await ada.publish(ColourTrack(LIGHT))
        async with seen(server, "hidden") as sight:
            await eventually(lambda: sight.shows("ada", LIGHT))
            assert len(await identities(server, "hidden")) == 2
        async with joined(server.address, "hidden", "bob"):
            await eventually(lambda: ada.names() == ["Bob"])
        assert set(ada.changes) == {"bob"}


async def test_the_composite_is_seen_under_its_name_and_never_watched(server: LiveKit) -> None:
    async with (
        joined(server.address, "show", "ada", watch=True) as ada,
        seen(server, "show") as sight,
        seen(server, "show") as another,
        grey_composite(GREY) as encoder,
    ):
        await sight.room.publish(encoder)
        await eventually(lambda: ada.names() == ["Reactions"])
        await eventually(lambda: ada.sees(GREY))
        # A camera is reported with its first frame, and Ada's comes after the composite.
        await ada.publish(ColourTrack(LIGHT))
        await eventually(lambda: sight.shows("ada", LIGHT) and another.shows("ada", LIGHT))
        assert list(sight.present) == list(another.present) == ["ada"]
        assert [peer.connectionState for peer in sight.room.peers()] == ["connected"] * 2
    await eventually(lambda: not sight.room.peers())


async def test_leaving_takes_everything_away_at_once(server: LiveKit) -> None:
    encoder = Encoder(320, 180)
    async with joined(server.address, "leave", "ada") as ada:
        async with seen(server, "leave") as sight:
            await sight.room.publish(encoder)
            await eventually(lambda: ada.names() == ["Reactions"])
        await eventually(lambda: not ada.names(), 20)
        await until(lambda: alone(server, "leave", "ada"))
    assert encoder.viewers == 0


async def test_events_reach_all_participants_as_data_messages(server: LiveKit) -> None:
    async with (
        joined(server.address, "events", "ada", watch=True) as ada,
        seen(server, "events") as sight,
        grey_composite(GREY) as encoder,
    ):
        await sight.room.publish(encoder)

        async def received() -> None:
            while not ada.data:
                await sight.room.announce({"kind": "reaction.started"})
                await asyncio.sleep(0.1)

        await asyncio.wait_for(received(), 30)
        packet = ada.data[0]
        assert packet.user.topic == "reactions"
        assert packet.user.payload == b'{"kind":"reaction.started"}'
        assert ada.roster[packet.participant_identity].name == "Reactions"


@pytest.mark.soak
async def test_each_who_takes_an_old_place_is_seen(server: LiveKit) -> None:
    async with seen(server, "reuse") as sight, joined(server.address, "reuse", "ada") as ada:
        await ada.publish(ColourTrack(LIGHT))
        for number in range(GUESTS):
            await _come_and_go(server, sight, f"guest{number}", 40 + number * 37 % 140)
        assert sight.shows("ada", LIGHT)
        (peer,) = sight.room.peers()
        assert len(peer.getTransceivers()) < GUESTS


async def test_a_muted_camera_is_none_until_it_is_on_again(server: LiveKit) -> None:
    async with seen(server, "mute") as sight, joined(server.address, "mute", "ada") as ada:
        track = await ada.publish(ColourTrack(LIGHT))
        await eventually(lambda: sight.shows("ada", LIGHT))
        await ada.mute(track, muted=True)
        await eventually(lambda: not sight.present)
        assert sight.changes[-1] == Left("ada", "turned the camera off")
        await ada.mute(track, muted=False)
        await eventually(lambda: sight.shows("ada", LIGHT))


async def test_a_paused_camera_sends_nothing_until_it_is_wanted(server: LiveKit) -> None:
    async with seen(server, "pause") as sight, joined(server.address, "pause", "ada") as ada:
        await ada.publish(ColourTrack(LIGHT))
        await eventually(lambda: sight.shows("ada", LIGHT))
        feed = sight.camera("ada")
        sight.room.constrain("ada", ReceiverConstraints(320, 180, 5, paused=True))
        await eventually(lambda: feed.age(time.monotonic()) > 1)
        frames = feed.frames
        sight.room.constrain("ada", ReceiverConstraints(320, 180, 5))
        await eventually(lambda: feed.frames > frames)
        assert sight.camera("ada") is feed


@pytest.mark.parametrize("codec", ["VP9", "AV1"])
async def test_a_camera_that_cannot_be_decoded_is_explained_and_affects_no_other(
    server: LiveKit, codec: str
) -> None:
    room = f"codec-{codec}"
    async with (
        joined(server.address, room, "ada") as ada,
        joined(server.address, room, "bob") as bob,
        seen(server, room) as sight,
    ):
        await ada.publish(ColourTrack(LIGHT), codec=codec)
        await bob.publish(ColourTrack(DARK))
        await eventually(lambda: len(sight.present) == 2 and sight.shows("bob", DARK))
        joined_ada = sight.present["ada"]
        assert joined_ada.feed is None
        assert f"Ada sends the camera in {codec} alone" in joined_ada.problem
        assert "enabled_codecs" in joined_ada.problem


async def test_a_camera_that_turns_out_to_be_undecodable_affects_no_other(
    server: LiveKit, monkeypatch: pytest.MonkeyPatch
) -> None:
    # As if the server had described the track wrongly: it is offered in a codec unknown to aiortc.
    known = messages.DECODABLE_TYPES | {"video/vp9"}
    monkeypatch.setattr(messages, "DECODABLE_TYPES", known)
    async with (
        joined(server.address, "surprise", "ada") as ada,
        joined(server.address, "surprise", "bob") as bob,
        seen(server, "surprise") as sight,
    ):
        await ada.publish(ColourTrack(LIGHT), codec="VP9")
        await bob.publish(ColourTrack(DARK))
        await eventually(lambda: sight.shows("bob", DARK) and "ada" in sight.present)
        assert sight.present["ada"].feed is None
        assert "codec" in sight.present["ada"].problem
        frames = sight.camera("bob").frames
        await eventually(lambda: sight.camera("bob").frames > frames + 10)
        assert not sight.ended


async def test_a_camera_that_is_encrypted_from_end_to_end_is_explained(server: LiveKit) -> None:
    async with joined(server.address, "e2ee", "ada") as ada, seen(server, "e2ee") as sight:
        await ada.publish(ColourTrack(LIGHT), encryption=models.Encryption.GCM)
        await eventually(lambda: sight.present)
        assert sight.present["ada"].feed is None
        assert "encrypts the camera" in sight.present["ada"].problem


async def test_a_client_that_dies_affects_no_other(server: LiveKit) -> None:
    async with seen(server, "death") as sight, joined(server.address, "death", "bob") as bob:
        await bob.publish(ColourTrack(DARK))
        async with joined(server.address, "death", "ada", leave=False) as ada:
            await ada.publish(ColourTrack(LIGHT))
            await eventually(lambda: sight.shows("ada", LIGHT) and sight.shows("bob", DARK))
            feed = sight.camera("ada")
        # The server waits 20 s for her to come back; her picture is old before.
        await eventually(lambda: feed.stale(time.monotonic()))
        frames = sight.camera("bob").frames
        await eventually(lambda: sight.camera("bob").frames > frames)


async def test_chat_of_every_kind_opts_out_and_in(server: LiveKit) -> None:
    legacy = models.UserPacket(topic="lk-chat-topic", payload=b'{"message": "!reactions off"}')
    async with seen(server, "chat") as sight, joined(server.address, "chat", "ada") as ada:
        await ada.publish(ColourTrack(LIGHT))
        await eventually(lambda: sight.present)
        await ada.chat("!reactions off")
        await eventually(lambda: sight.consents == {"ada": Consent.OPT_OUT})
        message = models.ChatMessage(id="1", message="/reactions on")
        await ada.send(models.DataPacket(chat_message=message))
        await eventually(lambda: sight.consents == {"ada": Consent.OPT_IN})
        await ada.send(models.DataPacket(user=legacy))
        await eventually(lambda: sight.consents == {"ada": Consent.OPT_OUT})


async def test_attributes_and_metadata_opt_out_and_in(server: LiveKit) -> None:
    async with seen(server, "consent") as sight, joined(server.address, "consent", "ada") as ada:
        await ada.publish(ColourTrack(LIGHT))
        await eventually(lambda: sight.present)
        await ada.set_metadata('{"reactions": "off"}')
        await eventually(lambda: sight.consents == {"ada": Consent.OPT_OUT})
        await ada.set_attributes(reactions="on")
        await eventually(lambda: sight.consents == {"ada": Consent.OPT_IN})


async def test_a_choice_made_before_the_camera_came_is_reported_first(server: LiveKit) -> None:
    async with seen(server, "early") as sight, joined(server.address, "early", "ada") as ada:
        await ada.set_attributes(reactions="off")
        await ada.publish(ColourTrack(LIGHT))
        await eventually(lambda: len(sight.changes) >= 2)
        assert sight.changes[0] == ConsentChanged("ada", Consent.OPT_OUT)
        assert isinstance(sight.changes[1], Joined)


async def test_being_removed_is_for_good(server: LiveKit) -> None:
    async with joined(server.address, "kick", "ada"), seen(server, "kick") as sight:
        await sight.room.publish(Encoder(320, 180))
        publisher = next(who for who in await identities(server, "kick") if "sidecar" in who)
        await call(server, "kick", "RemoveParticipant", identity=publisher)
        await eventually(lambda: sight.ended)
        assert isinstance(sight.failure, RefusedError)
        assert "removed" in str(sight.failure)


async def test_a_deleted_room_is_gone_for_good(server: LiveKit) -> None:
    async with joined(server.address, "delete", "ada"), seen(server, "delete") as sight:
        await call(server, "delete", "DeleteRoom")
        await eventually(lambda: sight.ended)
        assert isinstance(sight.failure, RefusedError)
        assert "deleted" in str(sight.failure)


async def test_a_room_that_closes_after_all_have_left_is_the_end(server: LiveKit) -> None:
    await call(server, "close", "CreateRoom", name="close", departure_timeout=1)
    async with seen(server, "close") as sight:
        async with joined(server.address, "close", "ada"):
            pass
        await eventually(lambda: sight.ended)
        assert sight.failure is None


async def test_two_sidecars_with_one_token_do_not_fight(server: LiveKit) -> None:
    environ = {"LIVEKIT_TOKEN": token("fight", "reactions")}
    async with seen(server, "fight", environ=environ) as first:
        async with joined(server.address, "fight", "reactions"):
            await eventually(lambda: first.ended)
        assert isinstance(first.failure, RefusedError)
        assert "same identity" in str(first.failure)


async def test_a_token_alone_watches_and_publishes_as_one_participant(server: LiveKit) -> None:
    environ = {"LIVEKIT_TOKEN": token("alone", "reactions")}
    async with (
        joined(server.address, "alone", "ada", watch=True) as ada,
        seen(server, "alone", environ=environ) as sight,
        grey_composite(GREY) as encoder,
    ):
        await ada.publish(ColourTrack(LIGHT))
        await sight.room.publish(encoder)
        await eventually(lambda: sight.shows("ada", LIGHT))
        await eventually(lambda: ada.sees(GREY))
        assert ada.names() == ["Reactions"]


async def test_a_token_that_may_not_publish_watches_and_says_so(server: LiveKit) -> None:
    environ = {"LIVEKIT_TOKEN": token("quiet", "reactions", canPublish=False, hidden=True)}
    async with (
        joined(server.address, "quiet", "ada") as ada,
        seen(server, "quiet", environ=environ) as sight,
    ):
        await ada.publish(ColourTrack(LIGHT))
        await eventually(lambda: sight.shows("ada", LIGHT))
        with pytest.raises(RefusedError, match="participants would not see"):
            await sight.room.publish(Encoder(320, 180))
        assert ada.names() == []


async def test_a_token_that_ran_out_is_replaced_by_the_one_the_server_gave(
    server: LiveKit,
) -> None:
    given = token("renew", "reactions", seconds=1)
    environ = {"LIVEKIT_TOKEN": given}
    first = LIVEKIT.room(server.url("renew"), options(server, environ=environ))
    async with first, following(first) as sight:
        await asyncio.sleep(1.5)
        assert not sight.ended
    async with first.renewed() as room:
        assert given not in repr(room)


async def test_an_expired_token_is_distinguished_from_a_wrong_one(server: LiveKit) -> None:
    environ = {"LIVEKIT_TOKEN": token("old", "reactions", seconds=-100)}
    with pytest.raises(RefusedError, match="no longer valid"):
        async with seen(server, "old", environ=environ):
            pass


async def test_a_wrong_secret_is_refused_without_being_shown(server: LiveKit) -> None:
    environ = {**server.environ, "LIVEKIT_API_SECRET": "this-is-not-the-secret-of-the-server"}
    with pytest.raises(RefusedError, match="refused the token") as refused:
        async with seen(server, "wrong", environ=environ):
            pass
    assert "this-is-not" not in f"{refused.value!r}{refused.value.__cause__!r}"


async def test_a_server_that_is_not_there_may_come_back() -> None:
    with pytest.raises(RoomError, match="can't be reached") as failure:
        await LIVEKIT.room("ws://127.0.0.1:9#r", _options_without_server()).__aenter__()
    assert not isinstance(failure.value, RefusedError)


async def _come_and_go(
    server: LiveKit, sight: Attendance[LiveKitRoom], name: str, luma: int
) -> None:
    async with joined(server.address, "reuse", name) as guest:
        await guest.publish(ColourTrack(luma))
        await eventually(lambda: sight.shows(name, luma))
    await eventually(lambda: name not in sight.present)


def _options_without_server() -> JoinOptions:
    secret = "a-secret-of-at-least-32-characters"
    return JoinOptions("Reactions", {"LIVEKIT_API_KEY": "key", "LIVEKIT_API_SECRET": secret})
