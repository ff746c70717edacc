"""``sidecar join`` with clips and with streams: poses in, stickers out."""

import asyncio
import json
from collections.abc import Mapping
from fractions import Fraction
from pathlib import Path

import aiohttp
import av
import pytest
import pyvirtualcam

from config.reaction_rule import ReactionRule
from config.settings import Settings
from reactions.mannequin import CAST, POSES, Person, Scene, render
from reactions.mannequin.choreography import idle
from sidecar.join import JoinPlan, join
from sidecar.media.compositor.layout import Rect, arrange
from sidecar.media.container.reader import TimedFrame, VideoReader
from sidecar.media.container.writer import VideoWriter
from sidecar.rooms.base import Joined, JoinOptions
from sidecar.rooms.whep.adapter import ADAPTER as WHEP
from tests.e2e.conftest import SIZE, PoseTrack
from tests.servers.mediamtx import Mediamtx
from tests.sidecar.clients import eventually, publishing
from tests.sidecar.rooms.files.test_room import attended
from tests.sidecar.sinks.virtual_camera.recording import I420, NAME, RecordingBackend

pytestmark = pytest.mark.models


def clip(path: Path, person: Person, pose: str, seconds: float) -> None:
    """A mannequin that holds ``pose``."""
    moments = [
        render(person, idle(POSES[pose], t / 5), Scene(), 640, 360, seed=t) for t in range(5)
    ]
    with VideoWriter(path, Fraction(15), None) as writer:
        for number in range(round(seconds * 15)):
            frame = av.VideoFrame.from_ndarray(moments[number % 5], format="rgb24")
            writer.write(frame, number / 15)


def magenta(frame: av.VideoFrame, area: Rect) -> float:
    """The share of ``area`` that shows the tests' sticker."""
    picture = frame.to_ndarray(format="rgb24").astype(int)
    part = picture[area.y : area.bottom, area.x : area.right]
    return float(((part[..., 0] > 180) & (part[..., 1] < 90) & (part[..., 2] > 180)).mean())


async def test_clips_go_in_and_a_video_with_stickers_comes_out(
    tmp_path: Path, settings: Settings, table: Mapping[str, ReactionRule]
) -> None:
    clips = tmp_path / "take #1, both"
    clips.mkdir()
    ada, bob = list(CAST.values())[:2]
    clip(clips / "Ada.mkv", ada, "thumbs_up", 5)
    clip(clips / "Bob.mkv", bob, "neutral", 5)
    out, events = tmp_path / "out.mp4", tmp_path / "events.jsonl"
    async with asyncio.timeout(60):
        # The meeting ends with the clips.
        await join(JoinPlan(str(clips), (str(out),), events), settings, table)

    logged = [json.loads(line) for line in events.read_text().splitlines()]
    started = [(it["name"], it["label"]) for it in logged if it["event"] == "reaction.started"]
    assert ("Ada", "thumbs_up") in started
    assert {it["name"] for it in logged if it["event"] == "participant.joined"} == {"Ada", "Bob"}

    hers, his = arrange(2, *SIZE)
    with VideoReader(out) as reader:
        frames = [item.frame for item in reader if isinstance(item, TimedFrame)]
    assert max(magenta(frame, hers) for frame in frames) > 0.02
    assert max(magenta(frame, his) for frame in frames) == 0


async def test_a_clip_goes_into_a_virtual_camera_with_its_stickers_and_is_previewed(
    tmp_path: Path, settings: Settings, table: Mapping[str, ReactionRule]
) -> None:
    pyvirtualcam.register_backend(NAME, RecordingBackend)
    ada = next(iter(CAST.values()))
    said: list[str] = []
    status: list[int] = []
    clip(tmp_path / "Ada.mkv", ada, "thumbs_up", 5)

    async def look(line: str) -> None:
        async with aiohttp.ClientSession() as http, http.get(line.split()[-1]) as answer:
            status.append(answer.status)

    plan = JoinPlan(
        str(tmp_path / "Ada.mkv"), (f"camera:#backend={NAME}",), preview=True, say=said.append
    )
    async with asyncio.timeout(60), asyncio.TaskGroup() as tasks:
        joined = tasks.create_task(join(plan, settings, table))
        await eventually(lambda: bool(said))
        await look(said[0])
        await joined
    assert status[0] == 200
    camera = RecordingBackend.opened[-1]
    assert list(camera.format) == [*SIZE, settings.composite.fps, I420]
    assert camera.closed == 1
    rows = (SIZE[1] * 3 // 2, SIZE[0])
    frames = [
        av.VideoFrame.from_ndarray(one.reshape(rows), format="yuv420p") for one in camera.pictures
    ]
    assert max(magenta(frame, Rect(0, 0, *SIZE)) for frame in frames) > 0.02


async def test_streams_go_in_by_whep_and_the_composite_comes_out_by_whip(
    tmp_path: Path, settings: Settings, table: Mapping[str, ReactionRule], ada: PoseTrack
) -> None:
    ada.pose = "thumbs_up"
    async with (
        Mediamtx(tmp_path) as server,
        aiohttp.ClientSession() as http,
        publishing(http, server.http("ada/whip"), ada),
    ):
        url = f"whep+{server.http('ada/whep')}"
        plan = JoinPlan(url, (f"whip+{server.http('stage/whip')}",))
        joining = asyncio.create_task(join(plan, settings, table))
        try:
            viewer = WHEP.room(f"whep+{server.http('stage/whep')}", JoinOptions("viewer"))
            async with viewer, attended(viewer) as changes:
                await eventually(lambda: changes)
                (joined,) = changes
                assert isinstance(joined, Joined)
                feed = joined.feed
                assert feed is not None
                whole = Rect(0, 0, *SIZE)
                await eventually(
                    lambda: joining.done() or (feed.frame and magenta(feed.frame, whole) > 0.01)
                )
                assert not joining.done(), joining.result()
        finally:
            joining.cancel()
            await asyncio.gather(joining, return_exceptions=True)
