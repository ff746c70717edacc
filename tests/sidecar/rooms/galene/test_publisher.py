"""The composite in a group: on the fake and on a real Galène, with real peers as its viewers."""

import dataclasses
from pathlib import Path
from typing import Any

import pytest

from config.errors import RefusedError, RoomError
from sidecar.media.encoder import Encoder
from sidecar.media.peer import PeerTimeouts
from sidecar.rooms.galene.protocol import NOTICE
from sidecar.rooms.whip import ReconnectingWhip
from tests.servers.galene import Galene, galene
from tests.servers.process import LOOPBACK, free_ports
from tests.sidecar.clients import ColourTrack, eventually
from tests.sidecar.rooms.composites import grey_composite
from tests.sidecar.rooms.galene.conftest import BRISK, NAME, GroupServer, attending, connections
from tests.sidecar.rooms.galene.fake import FakeClient, FakeGalene
from tests.sidecar.rooms.galene.people import person, sees

pytestmark = pytest.mark.peers


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


async def test_participants_who_join_as_the_composite_starts_see_it_too(fake: FakeGalene) -> None:
    url = fake.url("room")
    fake.push_delay = 1.0
    async with (
        person(url, "Bob") as bob,
        attending(url) as attendance,
        grey_composite() as composite,
    ):
        # By then the server has listed the group to us: Ada is new.
        await eventually(lambda: NOTICE in bob.chat())
        await attendance.room.publish(composite)
        (first,) = fake.clients[-1].up
        async with person(url, "Ada") as ada:
            await ada.watch()
            await eventually(lambda: sees(ada, NAME))
            assert first not in ada.watched
            assert len(connections(attendance)) == 1


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


async def test_without_the_permission_nothing_is_published(server: GroupServer) -> None:
    quiet = {"wildcard-user": {"password": {"type": "wildcard"}, "permissions": "message"}}
    async with attending(server.add_group("quiet", quiet)) as attendance:
        with pytest.raises(RefusedError, match="present"):
            await attendance.room.publish(Encoder(320, 180))


@pytest.mark.parametrize("message", ["abort", "error"])
async def test_an_offer_that_the_server_rejects_is_an_error(fake: FakeGalene, message: str) -> None:
    def reject(client: FakeClient, answer: dict[str, Any]) -> dict[str, Any]:
        if answer["type"] != "answer":
            return answer
        if message == "abort":
            return {"type": "abort", "id": answer["id"]}
        return {"type": "usermessage", "kind": "error", "privileged": True, "value": "too large"}

    fake.alter = reject
    async with attending(fake.url("room")) as attendance:
        with pytest.raises(RoomError, match="composite is refused") as error:
            await attendance.room.publish(Encoder(320, 180))
        assert not isinstance(error.value, RefusedError)
        assert not connections(attendance)


async def test_an_offer_without_an_answer_is_given_up(fake: FakeGalene) -> None:
    fake.alter = lambda client, message: (
        {"type": "pong"} if message["type"] == "answer" else message
    )
    hasty = dataclasses.replace(BRISK, answer=0.3)
    async with attending(fake.url("room"), timeouts=hasty) as attendance:
        with pytest.raises(RoomError, match="in time"):
            await attendance.room.publish(Encoder(320, 180))


async def test_an_answer_that_can_not_be_used_is_an_error(fake: FakeGalene) -> None:
    fake.alter = lambda client, message: (
        {**message, "sdp": "v=1"} if message["type"] == "answer" else message
    )
    async with attending(fake.url("room")) as attendance:
        with pytest.raises(RoomError, match="answer can't be used"):
            await attendance.room.publish(Encoder(320, 180))


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
        (connection,) = connections(attendance)
        await connection.close()
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
        assert not attendance.ended


async def test_a_composite_without_a_relay_is_offered_again(url: str) -> None:
    impatient = dataclasses.replace(BRISK, peer=PeerTimeouts(connection=1.0))
    async with (
        attending(url, relay_only=True, timeouts=impatient) as attendance,
        grey_composite() as composite,
    ):
        await attendance.room.publish(composite)
        (first,) = connections(attendance)
        await eventually(lambda: connections(attendance) and first not in connections(attendance))
        assert not attendance.ended


@pytest.mark.servers
async def test_the_composite_may_come_by_whip(real: Galene) -> None:
    url = real.url("room")
    async with (
        person(url, "op", password="op-password") as operator,
        attending(url) as attendance,
        grey_composite() as composite,
    ):
        token = await operator.invite(username=NAME)
        async with ReconnectingWhip(f"{url}.whip", token=token) as outlet:
            await outlet.publish(composite)
            await operator.watch()
            await eventually(lambda: sees(operator, NAME))
            await operator.show(ColourTrack())
            await eventually(lambda: attendance.frames("op") > 3)
            assert set(attendance.present) == {"op"}
        await eventually(lambda: list(operator.users.values()).count(NAME) == 1)


@pytest.mark.servers
async def test_media_goes_through_the_servers_own_relay(tmp_path: Path) -> None:
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
            for connection in connections(attendance):
                candidates = connection.localDescription.sdp.split("a=candidate:")[1:]
                assert candidates
                assert all("typ relay" in candidate for candidate in candidates)
