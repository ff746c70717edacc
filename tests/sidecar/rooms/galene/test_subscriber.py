"""Cameras in a group: on the fake and on a real Galène, with real peers as the participants."""

import dataclasses
import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sidecar.media.peer import PeerTimeouts
from sidecar.rooms.base import Joined, ReceiverConstraints
from sidecar.rooms.galene.subscriber import LayerChoice, camera_problem
from tests.servers.coturn import coturn
from tests.servers.galene import OPEN
from tests.sidecar.clients import ColourTrack, eventually
from tests.sidecar.rooms.attendance import Attendance
from tests.sidecar.rooms.galene.conftest import BRISK, GroupServer, attending, connections
from tests.sidecar.rooms.galene.fake import FakeClient, FakeGalene
from tests.sidecar.rooms.galene.people import person
from tests.sidecar.rooms.galene.record import TRANSCRIPT

pytestmark = pytest.mark.peers

IMPATIENT = dataclasses.replace(BRISK, peer=PeerTimeouts(connection=1.0))
LOW, HIGH = (320, 180), (1280, 720)
RECORDED = [
    line["message"]["sdp"]
    for line in map(json.loads, TRANSCRIPT.read_text("utf-8").splitlines())
    if line["from"] == "server" and line["message"]["type"] == "offer"
]
OFFER = RECORDED[0]
HEAD, SECTION = OFFER[: OFFER.index("m=")], OFFER[OFFER.index("m=") :]


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


async def test_cameras_from_before_we_joined_are_received(url: str) -> None:
    async with person(url, "Ada") as ada, person(url, "Bob") as bob:
        for participant in (ada, bob):
            await participant.show(ColourTrack())
        async with attending(url) as attendance:
            await eventually(lambda: all(attendance.frames(name) > 3 for name in ("Ada", "Bob")))
            assert len(connections(attendance)) == 2


async def test_a_shared_screen_is_no_tile(url: str) -> None:
    async with person(url, "Ada") as ada, attending(url) as attendance:
        await ada.show(ColourTrack(), label="screenshare")
        await ada.show(ColourTrack())
        await eventually(lambda: attendance.frames("Ada") > 3)
        assert set(attendance.present) == {"Ada"}


async def test_participants_and_cameras_of_one_name_are_numbered(url: str) -> None:
    async with person(url, "Ada") as ada, person(url, "Ada") as other, attending(url) as attendance:
        await ada.show(ColourTrack())
        await eventually(lambda: len(attendance.present) == 1)
        await ada.show(ColourTrack())
        await other.show(ColourTrack())
        await eventually(lambda: set(attendance.present) == {"Ada", "Ada (2)", "Ada 2"})
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


async def test_a_codec_that_can_not_be_decoded_is_stated_and_others_are_received(
    server: GroupServer,
) -> None:
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


def alter_offers(server: FakeGalene, name: str, old: str, new: str, times: int = 1_000_000) -> None:
    """Replace a text in the next offers of the cameras of ``name``."""
    left = times

    def alter(client: FakeClient, message: dict[str, Any]) -> dict[str, Any]:
        nonlocal left
        if message["type"] != "offer" or message["username"] != name or not left:
            return message
        left -= 1
        assert old in message["sdp"]
        return {**message, "sdp": message["sdp"].replace(old, new)}

    server.alter = alter


@pytest.mark.parametrize(
    ("old", "new"), [("m=video 9", "m=video x"), ("a=fingerprint:", "a=nonsense:")]
)
async def test_an_offer_that_breaks_leaves_the_others_alone(
    fake: FakeGalene, old: str, new: str
) -> None:
    url = fake.url("room")
    alter_offers(fake, "Ada", old, new)
    async with (
        person(url, "Ada") as ada,
        person(url, "Bob") as bob,
        attending(url, timeouts=IMPATIENT) as attendance,
    ):
        await ada.show(ColourTrack())
        await bob.show(ColourTrack())
        await eventually(lambda: "Ada" in attendance.present)
        assert attendance.present["Ada"].feed is None
        assert attendance.present["Ada"].problem
        await eventually(lambda: attendance.frames("Bob") > 3)


async def test_a_connection_that_fails_at_first_is_made_again(fake: FakeGalene) -> None:
    url = fake.url("room")
    alter_offers(fake, "Ada", "a=ice-pwd:", "a=ice-pwd:x", times=1)
    async with (
        person(url, "Ada") as ada,
        attending(url, timeouts=IMPATIENT) as attendance,
    ):
        await ada.show(ColourTrack())
        await eventually(lambda: attendance.frames("Ada") > 3)
        states = [change for change in attendance.changes if isinstance(change, Joined)]
        assert [state.feed is None for state in states] == [True, False]
        assert "UDP" in states[0].problem


async def test_a_camera_that_is_never_offered_again_is_gone(fake: FakeGalene) -> None:
    url = fake.url("room")
    hasty = dataclasses.replace(BRISK, offer=0.2)
    async with person(url, "Ada") as ada, attending(url, timeouts=hasty) as attendance:
        await ada.show(ColourTrack())
        await eventually(lambda: attendance.frames("Ada") > 3)
        fake.alter = lambda client, message: {"type": "pong"}
        await break_connections(attendance)
        await eventually(lambda: not attendance.present)


async def break_connections(attendance: Attendance) -> None:
    """Close the room's peer connections from below, as a failure does."""
    for connection in connections(attendance):
        await connection.close()


async def test_a_connection_that_is_lost_is_made_again(url: str) -> None:
    async with person(url, "Ada") as ada, attending(url) as attendance:
        await ada.show(ColourTrack())
        await eventually(lambda: attendance.frames("Ada") > 3)
        before = attendance.present["Ada"]
        await break_connections(attendance)
        await eventually(
            lambda: (
                attendance.present.get("Ada") not in (None, before) and attendance.frames("Ada") > 3
            )
        )


async def test_a_camera_without_a_relay_is_stated_and_requested_again(url: str) -> None:
    async with (
        person(url, "Ada") as ada,
        attending(url, relay_only=True, timeouts=IMPATIENT) as attendance,
    ):
        await ada.show(ColourTrack())
        await eventually(lambda: "Ada" in attendance.present)
        assert "TURN" in attendance.present["Ada"].problem
        first = connections(attendance)
        await eventually(lambda: connections(attendance) not in ([], first))


@pytest.mark.servers
@pytest.mark.parametrize("transport", ["udp", "tcp"])
async def test_cameras_come_through_the_servers_relay(
    fake: FakeGalene, tmp_path: Path, transport: str
) -> None:
    url = fake.url("room")
    async with coturn(tmp_path) as relay, person(url, "Ada") as ada:
        server = relay.ice_server(transport)
        named = {"urls": server.urls, "username": server.username, "credential": server.credential}
        fake.rtc_configuration = {"iceServers": [named], "iceTransportPolicy": "relay"}
        async with attending(url) as attendance:
            await ada.show(ColourTrack())
            await eventually(lambda: attendance.frames("Ada") > 3)
            (connection,) = connections(attendance)
            candidates = connection.localDescription.sdp.split("a=candidate:")[1:]
            assert candidates
            assert all("typ relay" in candidate for candidate in candidates)


async def test_candidates_by_mdns_are_not_needed(fake: FakeGalene) -> None:
    def hide_address(client: FakeClient, message: dict[str, Any]) -> dict[str, Any]:
        if message["type"] != "ice":
            return message
        parts = message["candidate"]["candidate"].split(" ")
        line = " ".join([*parts[:4], "4f8b.local", *parts[5:]])
        return {**message, "candidate": {**message["candidate"], "candidate": line}}

    fake.alter = hide_address
    url = fake.url("room")
    async with attending(url) as attendance, person(url, "Ada") as ada:
        await ada.show(ColourTrack())
        await eventually(lambda: attendance.frames("Ada") > 3)


async def test_a_camera_that_starts_as_we_join_is_requested_again(fake: FakeGalene) -> None:
    url = fake.url("room")
    fake.push_delay = 1.0
    async with person(url, "Ada") as ada:
        stream = await ada.show(ColourTrack())
        async with attending(url) as attendance:
            us = fake.clients[-1]
            await eventually(lambda: attendance.frames("Ada") > 3)
            requests = [message["type"] for message in us.received].count("request")
            assert stream in us.down
            assert requests > 1


async def test_the_layer_follows_the_constraints(fake: FakeGalene) -> None:
    url = fake.url("room")
    async with person(url, "Ada") as ada, attending(url) as attendance:
        stream = await ada.show(ColourTrack())
        await eventually(lambda: attendance.frames("Ada") > 10)
        us = fake.clients[-1]
        attendance.room.constrain("Ada", ReceiverConstraints(1280, 720, 15))
        await eventually(lambda: us.down[stream].requested == ["video"])
        attendance.room.constrain("Ada", ReceiverConstraints(1280, 720, 15, paused=True))
        await eventually(lambda: us.down[stream].requested == ["video-low"])
        frames = attendance.frames("Ada")
        await eventually(lambda: attendance.frames("Ada") > frames + 3)


def want(width: int, height: int, *, paused: bool = False) -> ReceiverConstraints:
    return ReceiverConstraints(width, height, 15, paused=paused)


def test_the_low_layer_stays_until_it_was_seen() -> None:
    layers = LayerChoice()
    assert layers.update(want(640, 360), None, 0) is None
    assert layers.update(want(640, 360), LOW, 3) is None
    assert layers.update(want(640, 360), LOW, 10) is False


def test_a_low_layer_that_fills_the_tile_stays() -> None:
    assert LayerChoice().update(want(320, 180), LOW, 10) is None


def test_a_tall_picture_needs_only_the_tiles_height() -> None:
    assert LayerChoice().update(want(640, 360), (270, 480), 10) is None


def test_the_high_layer_is_left_when_the_low_one_serves() -> None:
    layers = LayerChoice()
    assert layers.update(want(640, 360), LOW, 10) is False
    assert layers.update(want(640, 360), HIGH, 30) is None
    assert layers.update(want(320, 180), HIGH, 40) is True


@pytest.mark.parametrize("size", [LOW, HIGH])
def test_pictures_of_the_other_layer_are_not_taken_for_the_low_one(size: tuple[int, int]) -> None:
    layers = LayerChoice()
    layers.update(want(640, 360), LOW, 10)
    layers.update(want(320, 180), HIGH, 40)
    # The first pictures after the change may still be of the high layer.
    assert layers.update(want(640, 360), size, 42) is False
    assert layers.low_size == LOW


def test_a_paused_camera_needs_only_the_low_layer() -> None:
    layers = LayerChoice()
    assert layers.update(want(640, 360), LOW, 10) is False
    assert layers.update(want(640, 360, paused=True), HIGH, 40) is True


def test_without_constraints_nothing_changes() -> None:
    assert LayerChoice().update(None, LOW, 100) is None


@pytest.mark.parametrize("sdp", RECORDED)
def test_a_recorded_offer_can_be_decoded(sdp: str) -> None:
    assert camera_problem(sdp) == ""


@pytest.mark.parametrize("codec", ["VP9", "AV1"])
def test_a_codec_that_can_not_be_decoded_is_named_with_what_to_set(codec: str) -> None:
    problem = camera_problem(OFFER.replace("VP8/90000", f"{codec}/90000"))
    assert codec in problem
    assert '"codecs"' in problem


def test_the_last_section_that_is_sent_decides() -> None:
    closed = SECTION.replace("a=sendonly", "a=inactive").replace("VP8/90000", "VP9/90000")
    assert camera_problem(HEAD + closed + SECTION.replace("a=mid:0", "a=mid:1")) == ""


def test_an_offer_of_sound_alone_has_no_video() -> None:
    sound = HEAD + SECTION.replace("m=video", "m=audio").replace("VP8/90000", "opus/48000/2")
    assert "no video" in camera_problem(sound)


@given(st.text() | st.text().map(lambda text: OFFER.replace("96", text)))
def test_no_description_breaks_the_check(sdp: str) -> None:
    assert isinstance(camera_problem(sdp), str)
