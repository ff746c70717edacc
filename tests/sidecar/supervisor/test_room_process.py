"""A real room process: a recording is joined, recognised and reported over the control channel."""

import asyncio
import base64
import io
import os
import signal
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import numpy as np
import psutil
import pytest
from PIL import Image

from config.errors import ConfigError, NotFoundError
from config.reaction_table import load_reaction_table
from config.settings import Settings
from reactions.labels import LABELS
from reactions.mannequin import CAST
from sidecar.supervisor.child_room import ChildRoom
from sidecar.supervisor.control import (
    Begin,
    ChangeParticipant,
    ChangeRoom,
    EventReport,
    ListParticipants,
    StateReport,
    TakePreview,
    TriggerReaction,
    plain_settings,
)
from sidecar.supervisor.values import (
    ParticipantPatch,
    ReactionRequest,
    RoomLayout,
    RoomPatch,
    RoomRequest,
    RoomState,
)
from tests.e2e.test_recordings import clip

pytestmark = pytest.mark.models

TABLE = load_reaction_table(LABELS, environ={})


def begin(clips: Path) -> Begin:
    settings = Settings(
        composite={"width": 320, "height": 180, "fps": 10},
        server={"ice_servers": [{"url": "turn:127.0.0.1:1", "credential": "tell-no-one"}]},
    )
    return Begin(
        room="r-1",
        request=RoomRequest(url=str(clips), publish=("none",), labels=("thumbs_up",)),
        secrets={},
        settings=plain_settings(settings),
        table={
            label: rule.model_dump()
            for label, rule in load_reaction_table(LABELS, environ={}).items()
        },
        inference="",
    )


@pytest.fixture(scope="module")
def clips(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a mannequin's clip: the meeting."""
    folder = tmp_path_factory.mktemp("meeting")
    clip(folder / "Ada.mkv", next(iter(CAST.values())), "thumbs_up", 20)
    return folder


@asynccontextmanager
async def live(clips: Path) -> AsyncIterator[ChildRoom]:
    async with ChildRoom() as room:
        await room.start(begin(clips))
        async with asyncio.timeout(30):
            await until(room, StateReport(state=RoomState.LIVE))
        yield room


async def until(room: ChildRoom, report: StateReport) -> None:
    async for found in room.reports():
        if found == report:
            return
    raise AssertionError("the room ended")


async def next_event(room: ChildRoom, kind: str) -> EventReport:
    async for found in room.reports():
        if isinstance(found, EventReport) and found.event["event"] == kind:
            return found
    raise AssertionError("the room ended")


async def test_a_room_is_joined_recognised_and_left(clips: Path) -> None:
    async with live(clips) as room:
        async with asyncio.timeout(20):
            started = await next_event(room, "reaction.started")
        assert (started.event["name"], started.event["label"]) == ("Ada", "thumbs_up")
        (ada,) = await room.call(ListParticipants())
        assert (ada["name"], ada["width"], ada["opted_out"]) == ("Ada", 640, False)
        pid = room.pid
    assert pid is not None
    assert not psutil.pid_exists(pid)


async def test_a_running_room_is_changed(clips: Path) -> None:
    async with live(clips) as room:
        async with asyncio.timeout(10):
            joined = await next_event(room, "participant.joined")
        ada = str(joined.event["participant"])
        changed = await room.call(
            ChangeParticipant(participant=ada, patch=ParticipantPatch(opted_out=True, pinned=True))
        )
        assert (changed["opted_out"], changed["pinned"]) == (True, True)
        await room.call(ChangeParticipant(participant=ada, patch=ParticipantPatch(opted_out=False)))
        await room.call(TriggerReaction(reaction=ReactionRequest(participant=ada, label="wave")))
        async with asyncio.timeout(30):
            assert (await next_event(room, "reaction.started")).event["label"] == "wave"
        await room.call(ChangeRoom(patch=RoomPatch(paused=True)))
        async with asyncio.timeout(30):
            await until(room, StateReport(state=RoomState.PAUSED))


async def test_the_composite_is_previewed_as_jpeg(clips: Path) -> None:
    async with live(clips) as room:
        picture = await previewed(room)
        assert (picture.format, picture.size) == ("JPEG", (320, 180))


async def test_size_and_rate_of_a_running_room_s_composite_are_changed(clips: Path) -> None:
    async with live(clips) as room:
        layout = RoomLayout(width=480, height=270, fps=20)
        await room.call(ChangeRoom(patch=RoomPatch(layout=layout)))
        assert (await previewed(room)).size == (480, 270)


async def test_the_preview_has_no_pixel_of_a_participant_who_opted_out(clips: Path) -> None:
    async with live(clips) as room:
        async with asyncio.timeout(10):
            joined = await next_event(room, "participant.joined")
        ada = str(joined.event["participant"])
        seen = await previewed(room)
        await room.call(ChangeParticipant(participant=ada, patch=ParticipantPatch(opted_out=True)))
        hidden = await previewed(room)
    # A tile without a picture is one colour above the circle with the initial, and beside it.
    assert variety(seen, (0, 0, 320, 40)) > 10
    assert variety(hidden, (0, 0, 320, 40)) < 2
    assert variety(hidden, (0, 0, 100, 140)) < 2
    assert variety(hidden, (220, 0, 320, 180)) < 2


async def previewed(room: ChildRoom) -> Image.Image:
    """The preview, as soon as the participant's camera is in it."""
    async with asyncio.timeout(10):
        while not (await room.call(ListParticipants()))[0]["frames"]:  # noqa: ASYNC110 - another process
            await asyncio.sleep(0.05)
    return Image.open(io.BytesIO(base64.b64decode(await room.call(TakePreview()))))


def variety(picture: Image.Image, area: tuple[int, int, int, int]) -> float:
    """Standard deviation of grey levels in ``area``: left, top, right, bottom."""
    return float(np.asarray(picture.convert("L").crop(area)).std())


async def test_what_is_not_there_is_an_error_for_its_caller(clips: Path) -> None:
    async with live(clips) as room:
        with pytest.raises(NotFoundError, match="no such participant"):
            await room.call(
                TriggerReaction(reaction=ReactionRequest(participant="x", label="wave"))
            )
        with pytest.raises(ConfigError, match="'no_such_label' is not known"):
            await room.call(ChangeRoom(patch=RoomPatch(labels=("no_such_label",))))


async def test_a_meeting_that_can_t_be_joined_is_reported(tmp_path: Path) -> None:
    async with ChildRoom() as room:
        await room.start(begin(tmp_path / "nothing"))
        async with asyncio.timeout(30):
            reports = [one async for one in room.reports() if isinstance(one, StateReport)]
    assert reports[-1].state is RoomState.FAILED
    assert reports[-1].final
    assert "nothing" in reports[-1].reason


async def test_a_room_ends_itself_when_its_supervisor_is_killed(clips: Path) -> None:
    supervisor = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "tests.sidecar.supervisor.killed_supervisor",
        str(clips),
        stdout=asyncio.subprocess.PIPE,
    )
    assert supervisor.stdout is not None
    async with asyncio.timeout(40):
        child = psutil.Process(int(await supervisor.stdout.readline()))
    os.kill(supervisor.pid, signal.SIGKILL)
    await supervisor.wait()
    _, alive = await asyncio.to_thread(psutil.wait_procs, [child], 5)
    assert not alive, "the room outlived its supervisor"
