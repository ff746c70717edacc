"""A real room: server, session, models and mannequins; only the sticker is the test's own."""

import asyncio
import gc
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from fractions import Fraction
from pathlib import Path
from typing import ClassVar

import aiohttp
import av
import pytest
from aiortc import MediaStreamTrack
from PIL import Image

from config.reaction_rule import Kind, ReactionRule
from config.reaction_table import load_reaction_table
from config.settings import Settings
from reactions.labels import LABELS
from reactions.landmark_types import RgbImage
from reactions.landmarks.model_store import ModelStore
from reactions.mannequin import CAST, POSES, Person, Scene, render
from reactions.mannequin.choreography import idle
from sidecar.demo import hosting
from sidecar.media.compositor.layout import Rect, arrange
from sidecar.server.listener import HttpListener
from sidecar.session.factories import make_detector
from sidecar.session.session import Session
from tests.conftest import forget_applications
from tests.sidecar.clients import Client, publishing, watching

ROOM = "e2e"
SIZE = (640, 360)
HEARTBEAT = 5.0
"""Seconds; short, since a test waits for it, and yet more than a busy machine takes to connect."""
MAGENTA = (255, 0, 255)


@pytest.fixture(scope="session")
def store() -> ModelStore:
    return ModelStore()


@pytest.fixture
def table(tmp_path: Path) -> Mapping[str, ReactionRule]:
    """The shipped table with one difference: every sticker is a magenta square."""
    Image.new("RGB", (64, 64), MAGENTA).save(tmp_path / "magenta.gif")
    return {
        label: rule.model_copy(update={"sticker": "magenta.gif", "effect": None})
        if rule.kind is Kind.STICKER
        else rule
        for label, rule in load_reaction_table(LABELS, environ={}).items()
    }


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings(
        server={"port": 0, "heartbeat_s": HEARTBEAT},
        stickers={"folders": (tmp_path,)},
        composite={"width": SIZE[0], "height": SIZE[1]},
    )


class PoseTrack(MediaStreamTrack):
    """A camera that shows a mannequin, whose pose the test sets."""

    kind = "video"
    FPS = 15
    _pictures: ClassVar[dict[tuple[str, str, tuple[int, int]], list[RgbImage]]] = {}

    def __init__(self, person: Person, pose: str = "neutral") -> None:
        super().__init__()
        self.person = person
        self.pose = pose
        self.size = (640, 360)
        self._tick = 0

    async def recv(self) -> av.VideoFrame:
        await asyncio.sleep(1 / self.FPS)
        pictures = await asyncio.to_thread(self._rendered)
        frame = av.VideoFrame.from_ndarray(pictures[self._tick % len(pictures)], format="rgb24")
        frame = frame.reformat(format="yuv420p")
        frame.pts, frame.time_base = self._tick, Fraction(1, self.FPS)
        self._tick += 1
        return frame

    def _rendered(self) -> list[RgbImage]:
        """A few moments of the pose, rendered once for all tests."""
        key = (self.person.name, self.pose, self.size)
        if key not in self._pictures:
            self._pictures[key] = [
                render(self.person, idle(POSES[self.pose], t / 5), Scene(), *self.size, seed=t)
                for t in range(5)
            ]
        return self._pictures[key]


@dataclass(eq=False)
class SessionHandle:
    """The running server, its session, and what a viewer sees."""

    server: HttpListener
    session: Session
    http: aiohttp.ClientSession
    seen: av.VideoFrame | None = None
    frames: int = 0
    _watcher: asyncio.Task[None] | None = field(default=None, repr=False)

    def url(self, path: str) -> str:
        return self.server.url(f"/rooms/{ROOM}/{path}")

    @asynccontextmanager
    async def camera(self, name: str, track: MediaStreamTrack) -> AsyncIterator[Client]:
        async with publishing(self.http, self.url(f"whip?name={name}"), track) as client:
            yield client

    @asynccontextmanager
    async def watched(self) -> AsyncIterator[None]:
        """Keep ``seen`` at the newest picture of the composite."""
        async with watching(self.http, self.url("whep")) as client:
            assert client.track is not None
            task = asyncio.create_task(self._watch(client.track))
            try:
                yield
            finally:
                task.cancel()
                await asyncio.gather(task, return_exceptions=True)

    async def _watch(self, track: MediaStreamTrack) -> None:
        while True:
            frame = await track.recv()
            assert isinstance(frame, av.VideoFrame)
            self.seen = frame
            self.frames += 1

    def tile(self, index: int, count: int) -> Rect:
        """Where tile ``index`` of ``count`` is in the composite."""
        return arrange(count, *SIZE)[index]

    def sizes(self) -> list[tuple[int | None, int | None]]:
        """The sizes of all participants' pictures as they arrive."""
        return [(person.width, person.height) for person in self.session.stats().participants]

    def magenta(self, area: Rect) -> float:
        """The share of ``area`` that shows the test's sticker, in the newest picture."""
        return 0.0 if self.seen is None else sticker_share(self.seen, area)


def sticker_share(frame: av.VideoFrame, area: Rect) -> float:
    """The share of ``area`` in a frame that shows the test's sticker."""
    picture = frame.to_ndarray(format="rgb24").astype(int)
    part = picture[area.y : area.bottom, area.x : area.right]
    hits = (part[..., 0] > 180) & (part[..., 1] < 90) & (part[..., 2] > 180)
    return float(hits.mean())


@pytest.fixture
async def meeting(
    store: ModelStore, settings: Settings, table: Mapping[str, ReactionRule]
) -> AsyncIterator[SessionHandle]:
    """An open room without participants."""
    async with (
        hosting(settings, table, make_detector(store, table, settings), ROOM) as server,
        aiohttp.ClientSession() as http,
    ):
        session = server.hosted.find(ROOM).meeting
        assert isinstance(session, Session)
        yield SessionHandle(server.listener, session, http)
    # 190 MB of models, in circles of references, which would be found late.
    forget_applications()
    gc.collect()


@pytest.fixture
def ada() -> Iterator[PoseTrack]:
    track = PoseTrack(_cast(0))
    yield track
    track.stop()


@pytest.fixture
def bob() -> Iterator[PoseTrack]:
    track = PoseTrack(_cast(1))
    yield track
    track.stop()


def _cast(index: int) -> Person:
    return list(CAST.values())[index]
