"""A session with a room and a detector of the test's own; the real ones are in tests/e2e."""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Callable
from contextlib import asynccontextmanager
from fractions import Fraction
from typing import Self

import av
import numpy as np
import pytest

from config.errors import RoomError
from config.reaction_rule import ReactionRule
from config.settings import Settings
from gifs.animation import Animation, YuvaFrame
from reactions.geometry import Box
from reactions.gestures.motion import Motion
from reactions.labels import LabelScore
from reactions.landmark_types import Sample
from reactions.landmarks.frame_quality import Fingerprint
from reactions.landmarks.track_state import Tracks
from reactions.pipeline import Detection, Memory
from sidecar.inference.detector import DetectorStats
from sidecar.media.feed import Feed
from sidecar.rooms.base import (
    Consent,
    ConsentChanged,
    Joined,
    Left,
    ReceiverConstraints,
    RoomChange,
    TrackSource,
)
from sidecar.session.events import as_json
from sidecar.session.session import Session

TABLE = {"thumbs_up": ReactionRule(sticker="thumbs_up", hold=0.2, cooldown=0, duration=0.2)}
SETTINGS = Settings(sampling={"rate": 20.0})
NOTHING_REMEMBERED = Memory(Tracks(64, 36, Fingerprint(b"", 0.0)), Motion())


class WhiteSquares:
    """Every sticker is an opaque white square."""

    def get(self, name: str, width: int, height: int) -> Animation:
        full, half = (height, width), (height // 2, width // 2)
        luma, alpha = np.full(full, 235, np.uint8), np.full(full, 255, np.uint8)
        chroma, chroma_alpha = np.full(half, 128, np.uint8), np.full(half, 255, np.uint8)
        return Animation((YuvaFrame(luma, chroma, chroma, alpha, chroma_alpha),), (0.1,))


class Camera:
    """Thirty grey frames a second."""

    def __init__(self) -> None:
        self._count = 0

    async def recv(self) -> av.VideoFrame:
        await asyncio.sleep(1 / 30)
        frame = av.VideoFrame(64, 36, "yuv420p")
        frame.pts, frame.time_base = self._count, Fraction(1, 30)
        self._count += 1
        return frame


class TestRoom:
    """A room that says what the test tells it to."""

    __test__ = False

    def __init__(self) -> None:
        self.told: asyncio.Queue[RoomChange | Exception | None] = asyncio.Queue()
        self.published: TrackSource | None = None
        self.select_layers: dict[str, ReceiverConstraints] = {}
        self.entered = False

    @property
    def name(self) -> str:
        return "test"

    async def __aenter__(self) -> Self:
        self.entered = True
        return self

    async def __aexit__(self, *exc: object) -> None:
        self.entered = False

    async def changes(self) -> AsyncGenerator[RoomChange]:
        while (change := await self.told.get()) is not None:
            if isinstance(change, Exception):
                raise change
            yield change

    async def publish(self, composite: TrackSource) -> None:
        self.published = composite

    def constrain(self, participant: str, want: ReceiverConstraints) -> None:
        self.select_layers[participant] = want


class ScriptedDetector:
    """Sees a thumb up for as long as the test wants; fails on demand."""

    def __init__(self) -> None:
        self.thumb = False
        self.broken = False
        self.calls = 0

    async def start(self) -> None:
        pass

    async def aclose(self) -> None:
        pass

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *exc: object) -> None:
        pass

    def stats(self) -> DetectorStats:
        raise NotImplementedError

    async def detect(
        self,
        sample: Sample,
        memory: Memory | None,
        deadline: float | None = None,
        *,
        source: str,
    ) -> Detection:
        self.calls += 1
        if self.broken:
            raise RuntimeError("the net fell over")
        score = 0.95 if self.thumb else 0.0
        scores = (LabelScore("thumbs_up", score, Box(0.4, 0.4, 0.2, 0.2)),)
        return Detection(scores, None, NOTHING_REMEMBERED, 4.0)


class SessionHandle:
    """A running session with its fakes, and what it told."""

    def __init__(self, settings: Settings = SETTINGS, *, consent: Consent = Consent.OPT_IN) -> None:
        self.room = TestRoom()
        self.detector = ScriptedDetector()
        self.session = Session(
            self.room, self.detector, WhiteSquares(), TABLE, settings, consent=consent
        )
        self.told: list[dict[str, object]] = []
        self.feeds: list[Feed] = []

    @asynccontextmanager
    async def joined(self, *names: str) -> AsyncIterator[None]:
        async with asyncio.TaskGroup() as group, asyncio.timeout(30), self.session:
            group.create_task(self._listen())
            for name in names:
                feed = Feed(Camera())
                await feed.__aenter__()
                self.feeds.append(feed)
                self.room.told.put_nowait(Joined(name, name.title(), feed))
            yield
            for feed in self.feeds:
                await feed.__aexit__()

    async def until(self, condition: Callable[[], bool]) -> None:
        while not condition():  # noqa: ASYNC110 - many kinds of state are waited for
            await asyncio.sleep(0.02)

    def worn(self) -> dict[str, list[str]]:
        """The stickers in everybody's tile."""
        return {
            tile.participant: [mark.sticker for mark in tile.stickers]
            for tile in self.session.tiles(0.0)
        }

    def kinds(self) -> list[object]:
        return [event["event"] for event in self.told]

    async def _listen(self) -> None:
        with self.session.events.listen() as listener:
            async for event in listener:
                self.told.append(dict(as_json(event)))


@pytest.fixture
def meeting() -> SessionHandle:
    return SessionHandle()


async def test_a_held_label_becomes_a_sticker_in_its_participant_s_tile(
    meeting: SessionHandle,
) -> None:
    async with meeting.joined("ada", "bob"):
        meeting.detector.thumb = True
        await meeting.until(lambda: meeting.worn() == {"ada": ["thumbs_up"], "bob": ["thumbs_up"]})
        meeting.detector.thumb = False
        await meeting.until(lambda: "reaction.ended" in meeting.kinds())


async def test_everybody_is_announced_and_seen_off(meeting: SessionHandle) -> None:
    async with meeting.joined("ada"):
        await meeting.until(lambda: "participant.joined" in meeting.kinds())
        meeting.room.told.put_nowait(Left("ada", "left"))
        await meeting.until(lambda: "participant.left" in meeting.kinds())
        assert meeting.session.tiles(0.0) == []


async def test_a_camera_that_can_t_be_watched_has_a_tile_with_its_name(
    meeting: SessionHandle,
) -> None:
    async with meeting.joined():
        meeting.room.told.put_nowait(Joined("vera", "Vera", None, "sends VP9 alone"))
        await meeting.until(lambda: len(meeting.session.tiles(0.0)) == 1)
        (tile,) = meeting.session.tiles(0.0)
        assert (tile.name, tile.frame) == ("Vera", None)
        assert meeting.session.stats().participants[0].stale


async def test_where_consent_is_asked_for_nobody_is_sampled_before_they_agree() -> None:
    meeting = SessionHandle(consent=Consent.OPT_OUT)
    async with meeting.joined("ada", "bob"):
        meeting.room.told.put_nowait(ConsentChanged("ada", Consent.OPT_IN))
        await meeting.until(lambda: len(meeting.session.stats().participants) == 2)
        await meeting.until(lambda: meeting.session.stats().participants[0].samples > 2)
        ada, bob = meeting.session.stats().participants
        assert (ada.opted_out, bob.opted_out, bob.samples) == (False, True, 0)


async def test_an_opt_out_is_remembered_for_who_comes_back(meeting: SessionHandle) -> None:
    async with meeting.joined("ada"):
        await meeting.until(lambda: "participant.joined" in meeting.kinds())
        meeting.room.told.put_nowait(ConsentChanged("ada", Consent.OPT_OUT))
        meeting.room.told.put_nowait(Left("ada", "left"))
        meeting.room.told.put_nowait(Joined("ada", "Ada", meeting.feeds[0]))
        await meeting.until(lambda: meeting.kinds().count("participant.joined") == 2)
        assert meeting.session.stats().participants[0].opted_out


async def test_the_room_is_asked_for_less_of_each_camera_as_the_tiles_shrink(
    meeting: SessionHandle,
) -> None:
    async with meeting.joined("ada"):
        await meeting.until(lambda: "ada" in meeting.room.select_layers)
        alone = meeting.room.select_layers["ada"]
        meeting.room.told.put_nowait(Joined("bob", "Bob", None))
        await meeting.until(lambda: meeting.room.select_layers["ada"] != alone)
        assert meeting.room.select_layers["ada"].width < alone.width


async def test_cameras_of_a_large_room_take_turns_and_a_resting_one_is_not_dimmed() -> None:
    meeting = SessionHandle(Settings(rooms={"attention": 1}))
    async with meeting.joined("ada", "bob"):
        await meeting.until(lambda: len(meeting.room.select_layers) == 2)
        assert {want.paused for want in meeting.room.select_layers.values()} == {True, False}
        far = asyncio.get_running_loop().time() + 1000
        dimmed = [tile.stale for tile in meeting.session.tiles(far)]
        assert dimmed == [not want.paused for want in meeting.room.select_layers.values()]


async def test_whoever_the_settings_name_has_the_spotlight() -> None:
    meeting = SessionHandle(Settings(composite={"spotlight": "Bob"}))
    async with meeting.joined("ada", "bob"):
        await meeting.until(lambda: len(meeting.session.tiles(0.0)) == 2)
        assert [tile.pinned for tile in meeting.session.tiles(0.0)] == [False, True]


async def test_the_composite_goes_where_it_is_told() -> None:
    elsewhere = TestRoom()
    room = TestRoom()
    session = Session(
        room, ScriptedDetector(), WhiteSquares(), TABLE, SETTINGS, outputs=[elsewhere]
    )
    async with asyncio.timeout(30), session:
        assert elsewhere.published is not None
        assert room.published is None


async def test_who_opts_out_is_not_sampled_and_loses_the_sticker_at_once(
    meeting: SessionHandle,
) -> None:
    async with meeting.joined("ada"):
        meeting.detector.thumb = True
        await meeting.until(lambda: "reaction.started" in meeting.kinds())
        meeting.room.told.put_nowait(ConsentChanged("ada", Consent.OPT_OUT))
        await meeting.until(lambda: "reaction.ended" in meeting.kinds())
        assert meeting.session.tiles(0.0)[0].stickers == ()
        await asyncio.sleep(0.1)
        calls = meeting.detector.calls
        await asyncio.sleep(0.2)
        assert meeting.detector.calls == calls
        meeting.room.told.put_nowait(ConsentChanged("ada", Consent.OPT_IN))
        await meeting.until(lambda: meeting.detector.calls > calls)


async def test_a_failing_detector_leaves_the_composite_running(meeting: SessionHandle) -> None:
    async with meeting.joined("ada"):
        meeting.detector.broken = True
        await meeting.until(lambda: meeting.detector.calls >= 3)
        ticks = meeting.session.stats().frames_out
        await meeting.until(lambda: meeting.session.stats().frames_out > ticks + 2)
        meeting.detector.broken = False
        meeting.detector.thumb = True
        await meeting.until(lambda: "reaction.started" in meeting.kinds())


async def test_the_numbers_name_every_participant(meeting: SessionHandle) -> None:
    async with meeting.joined("ada", "bob"):
        await meeting.until(
            lambda: (
                all(person.samples for person in meeting.session.stats().participants)
                and len(meeting.session.stats().participants) == 2
            )
        )
        stats = meeting.session.stats()
        assert [person.name for person in stats.participants] == ["Ada", "Bob"]
        ada = stats.participants[0]
        assert (ada.width, ada.height, ada.detection_ms) == (64, 36, 4.0)
        assert ada.sample_age is not None
        assert ada.sample_age >= 0


async def test_the_end_of_the_meeting_sees_everybody_off(meeting: SessionHandle) -> None:
    async with meeting.joined("ada"):
        await meeting.until(lambda: "participant.joined" in meeting.kinds())
        meeting.room.told.put_nowait(None)
        await meeting.session.ended()
        await meeting.until(lambda: "participant.left" in meeting.kinds())


async def test_a_room_that_fails_ends_the_meeting_with_its_error(meeting: SessionHandle) -> None:
    before = asyncio.all_tasks()
    async with meeting.joined("ada"):
        await meeting.until(lambda: meeting.detector.calls > 0)
        meeting.room.told.put_nowait(RoomError("the server hung up"))
        with pytest.raises(RoomError, match="the server hung up"):
            await meeting.session.ended()
        assert meeting.session.tiles(0.0) == []
        await meeting.until(lambda: "participant.left" in meeting.kinds())
    assert asyncio.all_tasks() == before
    assert not meeting.room.entered


async def test_leaving_releases_whoever_waits_for_the_end(meeting: SessionHandle) -> None:
    async with meeting.joined("ada"):
        waiting = asyncio.create_task(meeting.session.ended())
        await asyncio.sleep(0)
    await waiting


async def test_who_joins_anew_without_having_left_has_one_tile(meeting: SessionHandle) -> None:
    async with meeting.joined("ada"):
        await meeting.until(lambda: meeting.kinds() == ["participant.joined"])
        meeting.room.told.put_nowait(Joined("ada", "Ada", meeting.feeds[0]))
        await meeting.until(lambda: meeting.kinds().count("participant.joined") == 2)
        assert len(meeting.session.tiles(0.0)) == 1
        assert meeting.kinds().count("participant.left") == 1
        calls = meeting.detector.calls
        await meeting.until(lambda: meeting.detector.calls > calls)


async def test_leaving_ends_every_task_and_leaves_the_room(meeting: SessionHandle) -> None:
    before = asyncio.all_tasks()
    async with meeting.joined("ada"):
        await meeting.until(lambda: meeting.detector.calls > 0)
    assert asyncio.all_tasks() == before
    assert not meeting.room.entered
