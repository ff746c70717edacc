import asyncio
from contextlib import AsyncExitStack
from pathlib import Path

import av
import pytest

from config.errors import ConfigError, PictureError
from sidecar.outlets import Outlets, open_outlets
from sidecar.rooms.base import JoinOptions, TrackSource
from sidecar.rooms.whip import WhipOutlet
from tests.sidecar.media.pictures import flat

OPTIONS = JoinOptions("Reactions")


class SessionHandle:
    """An outlet that nothing is sent to."""

    async def publish(self, composite: TrackSource) -> None:
        raise NotImplementedError


async def opened(*targets: str, room: SessionHandle | None = None) -> Outlets:
    async with AsyncExitStack() as stack:
        return await open_outlets(targets, room or SessionHandle(), OPTIONS, 25, stack)


async def test_the_room_is_the_meeting_itself() -> None:
    room = SessionHandle()
    assert await opened("room", room=room) == Outlets((room,))


async def test_none_is_nowhere() -> None:
    assert await opened("none") == Outlets()


async def test_a_whip_address_is_an_outlet() -> None:
    (outlet,) = (await opened("whip+http://127.0.0.1:9/whip")).outlets
    assert isinstance(outlet, WhipOutlet)


async def test_several_places_may_be_named(tmp_path: Path) -> None:
    places = await opened("room", str(tmp_path / "out.mkv"))
    assert (len(places.outlets), len(places.listeners)) == (1, 1)


def test_without_a_picture_there_is_no_file(tmp_path: Path) -> None:
    asyncio.run(opened(str(tmp_path / "out.mkv")))
    assert list(tmp_path.iterdir()) == []


async def test_a_file_gets_the_pictures(tmp_path: Path) -> None:
    file = tmp_path / "out.mp4"
    async with AsyncExitStack() as stack:
        places = await open_outlets([str(file)], SessionHandle(), OPTIONS, 25, stack)
        for tick in range(5):
            places.listeners[0](flat(320, 180), tick / 25)
    with av.open(str(file)) as container:
        assert sum(1 for _ in container.decode(video=0)) == 5


@pytest.mark.parametrize("target", ["", "rooms", "https://host/whip", "out.txt"])
async def test_anything_else_is_refused_with_what_there_is(target: str) -> None:
    with pytest.raises(ConfigError, match=r"--publish: .*whip\+https"):
        await opened(target)


async def test_a_file_that_can_t_be_written_is_refused_by_name() -> None:
    with pytest.raises(PictureError, match="/no/such/folder"):
        await opened("/no/such/folder/out.mp4")
