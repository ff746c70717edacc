"""The whole path: cameras by WHIP, real models, policy, composite, and a viewer by WHEP."""

import pytest

from tests.e2e.conftest import PoseTrack, SessionHandle
from tests.sidecar.clients import eventually

pytestmark = pytest.mark.models


async def test_a_held_pose_puts_the_sticker_into_the_right_tile_and_no_other(
    meeting: SessionHandle, ada: PoseTrack, bob: PoseTrack
) -> None:
    async with meeting.camera("Ada", ada), meeting.camera("Bob", bob), meeting.watched():
        await eventually(lambda: len(meeting.session.stats().participants) == 2)
        await eventually(lambda: meeting.frames > 5)
        order = [person.name for person in meeting.session.stats().participants]
        hers, his = (meeting.tile(order.index(name), 2) for name in ("Ada", "Bob"))
        assert meeting.magenta(hers) == meeting.magenta(his) == 0

        ada.pose = "thumbs_up"
        await eventually(lambda: meeting.magenta(hers) > 0.02)
        assert meeting.magenta(his) == 0

        ada.pose = "neutral"
        await eventually(lambda: meeting.magenta(hers) == 0)


async def test_who_opted_out_gets_no_sticker(
    meeting: SessionHandle, ada: PoseTrack, bob: PoseTrack
) -> None:
    async with (
        meeting.camera("Ada", ada) as client,
        meeting.camera("Bob", bob),
        meeting.watched(),
    ):
        await eventually(lambda: len(meeting.session.stats().participants) == 2)
        order = [person.name for person in meeting.session.stats().participants]
        async with meeting.http.post(f"{client.url}/consent", json={"opted_out": True}) as answer:
            assert answer.status in (200, 204)
        ada.pose = bob.pose = "thumbs_up"
        hers, his = (meeting.tile(order.index(name), 2) for name in ("Ada", "Bob"))
        await eventually(lambda: meeting.magenta(his) > 0.02)
        assert meeting.magenta(hers) == 0
        samples = {person.name: person.samples for person in meeting.session.stats().participants}
        assert samples["Bob"] > samples["Ada"]


async def test_a_participant_who_dies_is_gone_from_the_picture(
    meeting: SessionHandle, ada: PoseTrack, bob: PoseTrack
) -> None:
    async with meeting.camera("Bob", bob), meeting.watched():
        async with meeting.camera("Ada", ada):
            await eventually(lambda: len(meeting.session.stats().participants) == 2)
        # The client closed its connection without a word to the server.
        await eventually(lambda: len(meeting.session.stats().participants) == 1)
        frames = meeting.frames
        await eventually(lambda: meeting.frames > frames + 10)
        assert meeting.session.stats().participants[0].name == "Bob"


async def test_a_camera_may_change_its_resolution(meeting: SessionHandle, ada: PoseTrack) -> None:
    async with meeting.camera("Ada", ada), meeting.watched():
        for size in ((640, 360), (320, 180), (480, 640)):
            ada.size = size
            await eventually(lambda: meeting.sizes() == [ada.size])
        frames = meeting.frames
        await eventually(lambda: meeting.frames > frames + 10)
