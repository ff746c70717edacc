"""Clips and cameras as a meeting."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from config.errors import RefusedError, RoomError
from sidecar.rooms.base import Joined, JoinOptions, Left, Room, RoomChange
from sidecar.rooms.files.adapter import ADAPTER
from sidecar.rooms.files.addresses import Clips, Webcam
from sidecar.rooms.files.room import FilesRoom
from tests.sidecar.clients import eventually
from tests.sidecar.media.pictures import descriptors, threads
from tests.sidecar.media.test_clip_track import make_clip


async def changes_of(room: Room) -> list[RoomChange]:
    """All changes until the meeting is over."""
    async with asyncio.timeout(30):
        return [change async for change in room.changes()]


@contextlib.asynccontextmanager
async def attended(room: Room) -> AsyncIterator[list[RoomChange]]:
    """The changes so far, while the room is attended."""
    changes: list[RoomChange] = []

    async def attend() -> None:
        async for change in room.changes():
            changes.append(change)  # noqa: PERF401

    task = asyncio.create_task(attend())
    try:
        yield changes
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


async def test_a_clip_is_a_participant_until_its_end(tmp_path: Path) -> None:
    clip = make_clip(tmp_path / "Ada #1, final take.webm", count=25)
    async with FilesRoom(Clips(clip)) as room:
        assert room.name == "Ada #1, final take.webm"
        joined, left = await changes_of(room)
    assert isinstance(joined, Joined)
    assert joined.feed is not None
    assert joined.name == "Ada #1, final take"
    assert joined.feed.frames > 0
    assert left == Left("Ada #1, final take", "the end of the recording")


async def test_every_clip_of_a_folder_takes_part_and_bad_ones_are_left_out(tmp_path: Path) -> None:
    make_clip(tmp_path / "b.webm", count=10)
    make_clip(tmp_path / "a.webm", count=40)
    (tmp_path / "broken.mp4").write_bytes(b"no video")
    (tmp_path / "notes.txt").write_text("no clip")
    (tmp_path / ".hidden.mp4").write_bytes(b"no clip either")
    async with FilesRoom(Clips(tmp_path)) as room:
        changes = await changes_of(room)
    assert [change.name for change in changes if isinstance(change, Joined)] == ["a", "b"]
    # The shorter one leaves first; both go on side by side.
    assert [change.participant for change in changes if isinstance(change, Left)] == ["b", "a"]


async def test_clips_of_one_name_are_numbered(tmp_path: Path) -> None:
    make_clip(tmp_path / "a.webm")
    make_clip(tmp_path / "a.mkv")
    async with FilesRoom(Clips(tmp_path)) as room:
        changes = await changes_of(room)
    assert {change.participant for change in changes} == {"a", "a 2"}


@pytest.mark.parametrize("what", ["missing", "empty folder", "only bad files", "device"])
async def test_where_there_is_nothing_to_show_the_path_is_named(tmp_path: Path, what: str) -> None:
    path = tmp_path / "it"
    match what:
        case "empty folder":
            path.mkdir()
        case "only bad files":
            path.mkdir()
            (path / "bad.mp4").write_bytes(b"bad")
        case "device":
            path = Path("/dev/null")
    with pytest.raises(RefusedError, match=str(path)):
        async with FilesRoom(Clips(path)):
            pytest.fail("entered")


async def test_a_webcam_that_is_not_there_is_said_to_be_missing() -> None:
    with pytest.raises(RoomError, match=r"webcam 987: there is no /dev/video987"):
        async with FilesRoom([Webcam(987, "webcam 987")]):
            pytest.fail("entered")


async def test_leaving_amid_a_clip_leaves_nothing_behind(tmp_path: Path) -> None:
    clip = make_clip(tmp_path / "a.webm", count=1000)
    options = JoinOptions("REACTIONS")
    before = threads(), descriptors()
    for _ in range(5):
        async with ADAPTER.room(str(clip), options) as room, attended(room) as changes:
            await eventually(lambda seen=changes: seen and seen[0].feed.frames)  # type: ignore[misc]
    await eventually(lambda: threads() <= before[0] and descriptors() <= before[1])
