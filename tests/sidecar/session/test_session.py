"""A session with a meeting in memory and a detector of the test's own; real ones are in tests/e2e.

Time is virtual: seconds cost nothing, and every clock is the loop's.
"""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Callable
from contextlib import asynccontextmanager
from fractions import Fraction

import av
import numpy as np
import pytest
from structlog.testing import capture_logs

from config.errors import RoomError, SampleDroppedError
from config.reaction_rule import Kind, ReactionRule
from config.sensitivity import Sensitivity
from config.settings import Settings
from gifs.animation import Animation, YuvaFrame
from reactions.geometry import Box
from reactions.gestures.motion import Motion
from reactions.labels import LabelScore
from reactions.landmark_types import Sample
from reactions.landmarks.frame_quality import Fingerprint
from reactions.landmarks.track_state import Tracks
from reactions.pipeline import Detection, Memory
from sidecar.aio import Component
from sidecar.inference.detector import DetectorStats
from sidecar.rooms.base import Consent, RoomChange
from sidecar.rooms.memory import MemoryMeeting, MemoryRoom
from sidecar.session.choices import SessionChoices
from sidecar.session.events import as_json
from sidecar.session.session import Session

TABLE = {
    "thumbs_up": ReactionRule(
        sticker="thumbs_up", hold=1.0, cooldown=5.0, duration=3.0, crowd="hearts"
    )
}
SETTINGS = Settings(sampling={"rate": 10.0}, composite={"width": 320, "height": 180, "fps": 10})
EMPTY_MEMORY = Memory(Tracks(64, 36, Fingerprint(b"", 0.0)), Motion())


class WhiteSquares:
    """Every sticker is an opaque white square."""

    def get(self, name: str, width: int, height: int) -> Animation:
        full, half = (height, width), (height // 2, width // 2)
        luma, alpha = np.full(full, 235, np.uint8), np.full(full, 255, np.uint8)
        chroma, chroma_alpha = np.full(half, 128, np.uint8), np.full(half, 255, np.uint8)
        return Animation((YuvaFrame(luma, chroma, chroma, alpha, chroma_alpha),), (0.1,))


class Camera:
    """Fifteen grey frames a second, until it stops."""

    def __init__(self) -> None:
        self._count = 0
        self.running = asyncio.Event()
        self.running.set()

    async def recv(self) -> av.VideoFrame:
        await asyncio.sleep(1 / 15)
        await self.running.wait()
        frame = av.VideoFrame(64, 36, "yuv420p")
        frame.pts, frame.time_base = self._count, Fraction(1, 15)
        self._count += 1
        return frame


class ScriptedDetector(Component):
    """Sees a thumb up for as long as the test wants; fails, drops and hangs on demand."""

    def __init__(self) -> None:
        self.thumb = False
        self.thumbs: set[str] = set()
        """Participants whose thumb is seen besides."""
        self.failure: Exception | None = None
        self.moving = False
        """Whether detections suggest a motion."""
        self.calls = 0
        self.open = asyncio.Event()
        self.open.set()

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
        await self.open.wait()
        if self.failure is not None:
            raise self.failure
        score = 0.95 if self.thumb or source.rpartition("/")[2] in self.thumbs else 0.0
        scores = (LabelScore("thumbs_up", score, Box(0.4, 0.4, 0.2, 0.2)),)
        return Detection(scores, None, EMPTY_MEMORY, 4.0, burst=self.moving)


class Rig:
    """A session in a meeting in memory, and the events it published."""

    def __init__(
        self,
        settings: Settings = SETTINGS,
        *,
        consent: Consent = Consent.OPT_IN,
        meeting: MemoryMeeting | None = None,
    ) -> None:
        clock = asyncio.get_running_loop().time
        self.meeting = meeting or MemoryMeeting(clock=clock)
        self.detector = ScriptedDetector()
        self.session = Session(
            self.meeting.room(),
            self.detector,
            WhiteSquares(),
            TABLE,
            settings,
            consent=consent,
            clock=clock,
        )
        self.events: list[dict[str, object]] = []

    @asynccontextmanager
    async def joined(self, *names: str) -> AsyncIterator[None]:
        """Run the session, with participants who have a camera each."""
        for name in names:
            self.meeting.join(name, name.title(), Camera())
        with self.session.events.subscribe(lambda event: self.events.append(dict(as_json(event)))):
            async with asyncio.timeout(600), self.session:
                yield

    async def until(self, condition: Callable[[], bool]) -> None:
        while not condition():  # noqa: ASYNC110 - many kinds of state are waited for
            await asyncio.sleep(0.02)

    def stickers(self) -> dict[str, list[str]]:
        """The stickers in each tile."""
        return {
            tile.participant: [mark.sticker for mark in tile.stickers]
            for tile in self.session.tiles(0.0)
        }

    def kinds(self) -> list[object]:
        return [event["event"] for event in self.events]

    def time_of(self, kind: str) -> float:
        """When the first event of ``kind`` was, in seconds."""
        return next(float(str(event["t"])) for event in self.events if event["event"] == kind)


@pytest.fixture
async def rig() -> Rig:
    return Rig()


async def test_a_held_label_becomes_a_sticker_in_its_participant_s_tile(rig: Rig) -> None:
    async with rig.joined("ada", "bob"):
        rig.detector.thumb = True
        await rig.until(lambda: rig.stickers() == {"ada": ["thumbs_up"], "bob": ["thumbs_up"]})


async def test_a_sticker_starts_after_its_hold_and_ends_after_its_duration(rig: Rig) -> None:
    async with rig.joined("ada"):
        rig.detector.thumb = True
        await rig.until(lambda: "reaction.started" in rig.kinds())
        rig.detector.thumb = False
        await rig.until(lambda: "reaction.ended" in rig.kinds())
    hold = rig.time_of("reaction.started") - rig.time_of("reaction.progress")
    assert hold == pytest.approx(1.0, abs=0.25)
    shown = rig.time_of("reaction.ended") - rig.time_of("reaction.started")
    assert shown == pytest.approx(3.0, abs=0.25)


async def test_a_reaction_starts_again_after_its_cooldown(rig: Rig) -> None:
    async with rig.joined("ada"):
        rig.detector.thumb = True
        await rig.until(lambda: "reaction.started" in rig.kinds())
        rig.detector.thumb = False
        await rig.until(lambda: "reaction.ended" in rig.kinds())
        rig.detector.thumb = True
        await rig.until(lambda: rig.kinds().count("reaction.started") == 2)
    started = [float(str(it["t"])) for it in rig.events if it["event"] == "reaction.started"]
    assert started[1] - rig.time_of("reaction.ended") == pytest.approx(6.0, abs=0.5)


async def test_a_sticker_ends_in_time_though_its_camera_stopped(rig: Rig) -> None:
    camera = Camera()
    rig.meeting.join("ada", "Ada", camera)
    async with rig.joined():
        rig.detector.thumb = True
        await rig.until(lambda: "reaction.started" in rig.kinds())
        camera.running.clear()
        await rig.until(lambda: "reaction.ended" in rig.kinds())
        assert rig.session.stats().participants[0].stale
        await rig.until(lambda: rig.session.tiles(asyncio.get_running_loop().time())[0].stale)


async def test_joining_and_leaving_are_published(rig: Rig) -> None:
    async with rig.joined("ada"):
        await rig.until(lambda: "participant.joined" in rig.kinds())
        rig.meeting.leave("ada")
        await rig.until(lambda: "participant.left" in rig.kinds())
        assert rig.session.tiles(0.0) == []


async def test_a_camera_that_can_t_be_watched_has_a_tile_with_its_name(rig: Rig) -> None:
    async with rig.joined():
        rig.meeting.join("vera", "Vera", None, "sends VP9 alone")
        await rig.until(lambda: len(rig.session.tiles(0.0)) == 1)
        (tile,) = rig.session.tiles(0.0)
        assert (tile.name, tile.frame) == ("Vera", None)
        assert rig.session.stats().participants[0].stale


async def test_with_opt_in_no_participant_is_sampled_before_they_agree() -> None:
    rig = Rig(consent=Consent.OPT_OUT)
    async with rig.joined("ada", "bob"):
        rig.meeting.choose("ada", Consent.OPT_IN)
        await rig.until(lambda: len(rig.session.stats().participants) == 2)
        await rig.until(lambda: rig.session.stats().participants[0].samples > 2)
        ada, bob = rig.session.stats().participants
        assert (ada.opted_out, bob.opted_out, bob.samples) == (False, True, 0)


async def test_a_choice_that_was_the_room_s_own_already_outlasts_a_change_of_the_room() -> None:
    rig = Rig(consent=Consent.OPT_OUT)
    async with rig.joined("ada", "bob"):
        await rig.until(lambda: len(rig.session.stats().participants) == 2)
        rig.session.choose("ada", Consent.OPT_OUT)
        rig.session.choose_default(Consent.OPT_IN)
        await rig.until(lambda: rig.session.stats().participants[1].samples > 2)
        ada, bob = rig.session.stats().participants
        assert (ada.opted_out, ada.samples, bob.opted_out) == (True, 0, False)


async def test_choices_are_taken_before_anything_is_sampled(rig: Rig) -> None:
    consents = {"ada": Consent.OPT_OUT}
    rig.session.take_choices(SessionChoices(consents, {"bob": Sensitivity.CALM}, "bob"))
    async with rig.joined("ada", "bob"):
        await rig.until(lambda: len(rig.session.stats().participants) == 2)
        await rig.until(lambda: rig.session.stats().participants[1].samples > 2)
        ada, _ = rig.session.stats().participants
        assert (ada.opted_out, ada.samples, rig.session.pinned) == (True, 0, "bob")
        assert rig.session.choices == SessionChoices(consents, {"bob": Sensitivity.CALM}, "bob")


async def test_an_opt_out_is_kept_for_participants_who_come_back(rig: Rig) -> None:
    async with rig.joined("ada"):
        await rig.until(lambda: "participant.joined" in rig.kinds())
        rig.meeting.choose("ada", Consent.OPT_OUT)
        rig.meeting.leave("ada")
        await rig.until(lambda: "participant.left" in rig.kinds())
        rig.meeting.join("ada", "Ada", Camera())
        await rig.until(lambda: rig.kinds().count("participant.joined") == 2)
        assert rig.session.stats().participants[0].opted_out


async def test_an_opt_out_ends_the_sticker_at_once_and_stops_sampling(rig: Rig) -> None:
    async with rig.joined("ada"):
        rig.detector.thumb = True
        await rig.until(lambda: "reaction.started" in rig.kinds())
        rig.meeting.choose("ada", Consent.OPT_OUT)
        await rig.until(lambda: "reaction.ended" in rig.kinds())
        assert rig.session.tiles(0.0)[0].stickers == ()
        await asyncio.sleep(1)
        calls = rig.detector.calls
        await asyncio.sleep(30)
        assert rig.detector.calls == calls
        rig.meeting.choose("ada", Consent.OPT_IN)
        await rig.until(lambda: rig.detector.calls > calls)


async def test_a_sample_in_flight_when_its_participant_opts_out_has_no_events(rig: Rig) -> None:
    async with rig.joined("ada"):
        rig.detector.thumb = True
        rig.detector.open.clear()
        await rig.until(lambda: rig.detector.calls == 1)
        rig.meeting.choose("ada", Consent.OPT_OUT)
        await rig.until(lambda: rig.session.stats().participants[0].opted_out)
        rig.detector.open.set()
        await asyncio.sleep(5)
        assert rig.kinds() == ["participant.joined"]


async def test_a_paused_sampler_takes_no_samples_until_it_goes_on(rig: Rig) -> None:
    async with rig.joined("ada"):
        await rig.until(lambda: rig.detector.calls == 3)
        rig.session.sampler.paused = True
        await asyncio.sleep(10)
        assert rig.detector.calls <= 4
        rig.session.sampler.paused = False
        await rig.until(lambda: rig.detector.calls > 6)


async def test_labels_that_are_not_selected_start_nothing(rig: Rig) -> None:
    async with rig.joined("ada"):
        rig.detector.thumb = True
        rig.session.sampler.labels = []
        await asyncio.sleep(10)
        assert "reaction.started" not in rig.kinds()
        rig.session.sampler.labels = None
        await rig.until(lambda: "reaction.started" in rig.kinds())


async def test_the_rate_of_sampling_may_change(rig: Rig) -> None:
    async with rig.joined("ada"):
        rig.session.sampler.rate = 1.0
        await rig.until(lambda: rig.detector.calls > 0)
        before = rig.detector.calls
        await asyncio.sleep(10)
        assert rig.detector.calls - before == pytest.approx(10, abs=2)


async def test_participants_are_sampled_at_the_set_rate(rig: Rig) -> None:
    async with rig.joined("ada"):
        await rig.until(lambda: rig.detector.calls == 1)
        await asyncio.sleep(10)
        assert rig.detector.calls == pytest.approx(100, abs=25)


async def test_the_room_is_asked_for_less_of_each_camera_as_the_tiles_shrink() -> None:
    rig = Rig(Settings())
    async with rig.joined("ada"):
        await rig.until(lambda: "ada" in rig.meeting.constraints)
        alone = rig.meeting.constraints["ada"]
        rig.meeting.join("bob", "Bob")
        await rig.until(lambda: rig.meeting.constraints["ada"] != alone)
        assert rig.meeting.constraints["ada"].width < alone.width


async def test_cameras_of_a_large_room_take_turns_and_a_resting_one_is_not_dimmed() -> None:
    rig = Rig(Settings(rooms={"attention": 1}, composite={"fps": 5}))

    def awake() -> set[str]:
        return {key for key, want in rig.meeting.constraints.items() if not want.paused}

    async with rig.joined("ada", "bob"):
        await rig.until(lambda: len(rig.meeting.constraints) == 2)
        assert awake() == {"ada"}
        far = asyncio.get_running_loop().time() + 1000
        dimmed = {tile.participant for tile in rig.session.tiles(far) if tile.stale}
        assert dimmed == awake()
        await rig.until(lambda: awake() == {"bob"})
        await rig.until(lambda: awake() == {"ada"})


async def test_the_participant_whom_the_settings_name_has_the_spotlight() -> None:
    rig = Rig(Settings(composite={"spotlight": "Bob"}))
    async with rig.joined("ada", "bob"):
        await rig.until(lambda: len(rig.session.tiles(0.0)) == 2)
        assert [tile.pinned for tile in rig.session.tiles(0.0)] == [False, True]


async def test_the_composite_goes_to_the_outputs_that_are_given() -> None:
    meeting, elsewhere = MemoryMeeting(), MemoryMeeting()
    session = Session(
        meeting.room(),
        ScriptedDetector(),
        WhiteSquares(),
        TABLE,
        SETTINGS,
        outputs=[elsewhere.room()],
    )
    async with session:
        assert elsewhere.composite is not None
        assert meeting.composite is None


async def test_without_outputs_and_listeners_nothing_is_drawn() -> None:
    clock = asyncio.get_running_loop().time
    session = Session(
        MemoryMeeting(clock=clock).room(),
        ScriptedDetector(),
        WhiteSquares(),
        TABLE,
        SETTINGS,
        outputs=[],
        clock=clock,
    )
    async with session:
        await asyncio.sleep(5)
        assert session.stats().frames_out == 0


async def test_listeners_get_the_pictures() -> None:
    clock, times = asyncio.get_running_loop().time, list[float]()
    session = Session(
        MemoryMeeting(clock=clock).room(),
        ScriptedDetector(),
        WhiteSquares(),
        TABLE,
        SETTINGS,
        outputs=[],
        listeners=[lambda frame, time: times.append(time)],
        clock=clock,
    )
    async with session:
        await asyncio.sleep(1)
    assert len(times) >= 9


async def test_a_failing_detector_leaves_the_composite_running(rig: Rig) -> None:
    with capture_logs() as logs:
        async with rig.joined("ada"):
            rig.detector.failure = RuntimeError("the model broke")
            await rig.until(lambda: rig.detector.calls >= 9)
            ticks = rig.session.stats().frames_out
            await rig.until(lambda: rig.session.stats().frames_out > ticks + 2)
            rig.detector.failure = None
            rig.detector.thumb = True
            await rig.until(lambda: "reaction.started" in rig.kinds())
    failed = [log["failed"] for log in logs if log["event"] == "detection failed"]
    assert failed == [1, 2, 4, 8]


async def test_samples_that_the_detector_drops_are_no_failures(rig: Rig) -> None:
    with capture_logs() as logs:
        async with rig.joined("ada"):
            rig.detector.failure = SampleDroppedError("expired")
            await rig.until(lambda: rig.detector.calls >= 5)
            rig.detector.failure = None
            await rig.until(lambda: rig.session.stats().participants[0].samples > 0)
    assert "detection failed" not in [log["event"] for log in logs]


async def test_the_numbers_name_every_participant(rig: Rig) -> None:
    async with rig.joined("ada", "bob"):
        await rig.until(
            lambda: [one.samples > 0 for one in rig.session.stats().participants] == [True] * 2
        )
        stats = rig.session.stats()
        assert [one.name for one in stats.participants] == ["Ada", "Bob"]
        ada = stats.participants[0]
        assert (ada.width, ada.height, ada.detection_ms) == (64, 36, 4.0)
        assert ada.sample_age is not None
        assert 0 <= ada.sample_age < 1


async def test_the_end_of_the_meeting_removes_all_participants(rig: Rig) -> None:
    async with rig.joined("ada"):
        await rig.until(lambda: "participant.joined" in rig.kinds())
        rig.meeting.end()
        await rig.session.ended()
        assert rig.kinds()[-1] == "participant.left"


async def test_a_room_that_fails_ends_the_session_with_its_error(rig: Rig) -> None:
    async with rig.joined("ada"):
        await rig.until(lambda: rig.detector.calls > 0)
        rig.meeting.fail(RoomError("the server closed the connection"))
        with pytest.raises(RoomError, match="the server closed the connection"):
            await rig.session.ended()
        assert rig.session.tiles(0.0) == []
        assert rig.kinds()[-1] == "participant.left"


async def test_of_several_errors_the_one_for_the_operator_is_raised_and_the_others_logged() -> None:
    class BrokenMeeting(MemoryMeeting):
        def room(self) -> MemoryRoom:
            return BrokenRoom(self)

    class BrokenRoom(MemoryRoom):
        """A room that ends with two errors at once."""

        async def changes(self) -> AsyncGenerator[RoomChange]:
            async for change in super().changes():
                yield change
            first, second = ValueError("a bug"), RoomError("the server closed the connection")
            raise ExceptionGroup("two failures", [first, ExceptionGroup("more", [second])])

    rig = Rig(meeting=BrokenMeeting())
    with capture_logs() as logs:
        async with rig.joined():
            rig.meeting.end()
            with pytest.raises(RoomError, match="the server closed the connection"):
                await rig.session.ended()
    assert [log["reason"] for log in logs if log["event"] == "room task failed"] == [
        "ValueError('a bug')"
    ]


async def test_closing_releases_those_who_wait_for_the_end(rig: Rig) -> None:
    async with rig.joined("ada"):
        waiting = asyncio.create_task(rig.session.ended())
        await asyncio.sleep(0)
    await waiting


async def test_a_participant_who_joins_again_without_having_left_has_one_tile(rig: Rig) -> None:
    async with rig.joined("ada"):
        await rig.until(lambda: rig.kinds() == ["participant.joined"])
        rig.meeting.join("ada", "Ada", Camera())
        await rig.until(lambda: rig.kinds().count("participant.joined") == 2)
        assert len(rig.session.tiles(0.0)) == 1
        assert rig.kinds().count("participant.left") == 1
        calls = rig.detector.calls
        await rig.until(lambda: rig.detector.calls > calls)


async def test_closing_ends_every_task_and_leaves_the_room(rig: Rig) -> None:
    before = asyncio.all_tasks()
    async with rig.joined("ada"):
        await rig.until(lambda: rig.detector.calls > 0)
    assert asyncio.all_tasks() == before
    assert rig.meeting.rooms == []


async def test_a_label_that_is_turned_off_ends_at_once(rig: Rig) -> None:
    async with rig.joined("ada"):
        rig.detector.thumb = True
        await rig.until(lambda: rig.stickers() == {"ada": ["thumbs_up"]})
        off = TABLE["thumbs_up"].model_copy(update={"kind": Kind.OFF})
        rig.session.change_table({"thumbs_up": off})
        assert rig.stickers() == {"ada": []}
        assert rig.kinds()[-1] == "reaction.ended"
        started = rig.kinds().count("reaction.started")
        await asyncio.sleep(20)
        assert rig.kinds().count("reaction.started") == started


async def test_a_running_session_follows_a_changed_row(rig: Rig) -> None:
    async with rig.joined("ada"):
        long = TABLE["thumbs_up"].model_copy(update={"hold": 4.0})
        rig.session.change_table({"thumbs_up": long})
        rig.detector.thumb = True
        await rig.until(lambda: "reaction.started" in rig.kinds())
    hold = rig.time_of("reaction.started") - rig.time_of("reaction.progress")
    assert hold == pytest.approx(4.0, abs=0.35)


async def test_size_and_rate_of_the_composite_change_while_it_runs(rig: Rig) -> None:
    async with rig.joined("ada"):
        await rig.until(lambda: rig.session.stats().frames_out > 3)
        composite = SETTINGS.composite.model_copy(update={"width": 640, "height": 360, "fps": 20})
        rig.session.change_composite(composite)
        before = rig.session.stats().frames_out
        await asyncio.sleep(5)
        assert rig.session.stats().frames_out - before == pytest.approx(100, abs=3)
        assert rig.session.composite.width == 640
        assert rig.session.stats().late_ticks == 0


async def test_a_crowd_fills_the_whole_picture_once_and_is_one_event() -> None:
    rig = Rig()
    pictures: list[float] = []

    def note(frame: av.VideoFrame, time: float) -> None:
        pictures.append(float(np.asarray(frame.to_ndarray())[:180].min()))

    session = Session(
        rig.meeting.room(),
        rig.detector,
        WhiteSquares(),
        TABLE,
        SETTINGS,
        listeners=[note],
        clock=asyncio.get_running_loop().time,
    )
    rig.session = session
    async with rig.joined("ada", "bob", "cem", "dan"):
        session.choose("dan", Consent.OPT_OUT)
        rig.detector.thumbs = {"ada", "bob", "dan"}
        await asyncio.sleep(10)
        assert not [event for event in rig.events if event["event"] == "reaction.crowd"]
        assert max(pictures) < 235
        rig.detector.thumbs = {"ada", "bob", "cem"}
        await asyncio.sleep(20)
    (crowd,) = [event for event in rig.events if event["event"] == "reaction.crowd"]
    assert crowd["participants"] == ["ada", "bob", "cem"]
    assert (crowd["label"], crowd["effect"], crowd["present"]) == ("thumbs_up", "hearts", 3)
    assert "participant" not in crowd
    # White throughout for one run of the animation: a tenth of a second, at ten pictures each.
    assert 1 <= sum(least >= 235 for least in pictures) <= 2


async def test_a_motion_is_sampled_more_often_for_a_moment_but_not_under_overload() -> None:
    rig = Rig(Settings(sampling={"rate": 5.0}, composite=SETTINGS.composite))
    async with rig.joined("ada"):
        await asyncio.sleep(2)
        rig.detector.moving, before = True, rig.detector.calls
        await asyncio.sleep(1.5)
        assert rig.detector.calls - before >= 18
        assert rig.session.sampler.bursts.bursts == 1
        await asyncio.sleep(20)
        rig.session.sampler.factor, before = 0.5, rig.detector.calls
        await asyncio.sleep(10)
        assert rig.detector.calls - before <= 27
