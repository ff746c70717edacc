"""How many participants one core sustains with everything on: media, detection and policy."""

import asyncio
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from typing import Self

import psutil

from bench.media_footage import IDLE, clip
from bench.media_rig import OURS, camera_track, child, pinned, viewer
from bench.table import Table
from config.reaction_table import load_reaction_table
from config.settings import Engine, Settings
from reactions.labels import LABELS
from reactions.landmark_types import Sample
from reactions.pipeline import Detection, Memory
from sidecar.inference.detector import Detector
from sidecar.rooms.memory import MemoryMeeting
from sidecar.session.factories import make_detector, make_stickers, make_store
from sidecar.session.session import Session
from sidecar.session.stats import SessionStats

LIVELY = 6
"""One participant in so many shows a hand all the time; the others sit still."""


@dataclass(frozen=True, slots=True)
class Work:
    """What a session did in a while, and what it cost."""

    core: float
    """Percent of one core, all threads."""
    fps: float
    late: int
    samples: float
    """A second and participant."""
    dropped: int
    """Samples that no worker began in time."""
    ages: tuple[float, float]
    """Median and 95th percentile of the milliseconds from a frame's arrival to its scores."""


class TimedDetector:
    """A detector that notes how old each sample is when its scores are there."""

    def __init__(self, detector: Detector) -> None:
        self._detector = detector
        self.ages: list[float] = []
        """Seconds."""
        self.stats = detector.stats

    async def start(self) -> None:
        await self._detector.start()

    async def aclose(self) -> None:
        await self._detector.aclose()

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(self, *exc: object) -> None:
        await self.aclose()

    async def detect(
        self,
        sample: Sample,
        memory: Memory | None,
        deadline: float | None = None,
        *,
        source: str,
    ) -> Detection:
        detection = await self._detector.detect(sample, memory, deadline, source=source)
        self.ages.append(time.monotonic() - sample.time)
        return detection


@asynccontextmanager
async def meeting(
    participants: int, *, half: bool, engine: Engine
) -> AsyncIterator[tuple[Session, TimedDetector]]:
    """A session with so many mannequins, one in six of them lively, and a viewer."""
    settings = Settings(sampling={"engine": engine})
    table = load_reaction_table(LABELS)
    lively = max(1, participants // LIVELY)
    async with (
        child("cameras", str(lively), str(clip(half=half))) as hands,
        child("cameras", str(participants - lively), str(clip(IDLE, half=half))) as still,
        child("viewers", "1") as watching,
        TimedDetector(make_detector(make_store(settings), table, settings)) as detector,
        AsyncExitStack() as life,
    ):
        people = MemoryMeeting("bench")
        session = Session(people.room(), detector, make_stickers(table, settings), table, settings)
        await life.enter_async_context(session)
        for number in range(participants):
            track = await camera_track(hands if number < lively else still, life)
            people.join(str(number + 1), f"Participant {number + 1}", track)
        assert people.composite is not None, "the session publishes when it is entered"
        await viewer(watching, people.composite, life)
        await asyncio.sleep(4)
        yield session, detector


async def worked(
    participants: int, seconds: float, *, half: bool, engine: Engine = Engine.THREADS
) -> Work:
    """The work of such a session."""
    async with (
        asyncio.timeout(seconds + 120),
        meeting(participants, half=half, engine=engine) as (session, detector),
    ):
        return await _measured(session, detector, seconds)


async def _measured(session: Session, detector: TimedDetector, seconds: float) -> Work:
    before, cpu, began = session.stats(), _cpu(), time.monotonic()
    dropped = detector.stats().dropped.total
    detector.ages.clear()
    await asyncio.sleep(seconds)
    after, wall = session.stats(), time.monotonic() - began
    ages = sorted(1000 * age for age in detector.ages)
    return Work(
        core=100 * (_cpu() - cpu) / wall,
        fps=(after.frames_out - before.frames_out) / wall,
        late=after.late_ticks - before.late_ticks,
        samples=(_samples(after) - _samples(before)) / wall / len(after.participants),
        dropped=detector.stats().dropped.total - dropped,
        ages=(ages[len(ages) // 2], ages[int(len(ages) * 0.95)]),
    )


def _cpu() -> float:
    """Seconds of CPU of this process and of its inference workers."""
    spent = time.process_time()
    for process in inference_workers():
        times = process.cpu_times()
        spent += times.user + times.system
    return spent


def inference_workers() -> list[psutil.Process]:
    """The worker processes of this process."""
    children = psutil.Process().children()
    return [process for process in children if "sidecar.inference.worker" in process.cmdline()]


def _samples(stats: SessionStats) -> int:
    return sum(one.samples for one in stats.participants)


def measure(quick: bool) -> Iterator[Table]:
    """Rows by layer and number of participants."""
    table = Table(
        "Participants on one core, with detection",
        ("participants", "layer", "% of a core", "pictures/s", "late ticks", "samples/s each"),
        "VP8 in, 1280x720@25 out to one viewer, every shipped label, 5 samples/s wanted of each; "
        "one in six shows a hand all the time. Cameras and viewer run on the other core.",
    )
    sizes = ((2, False),) if quick else ((4, False), (6, False), (9, False), (9, True), (16, True))
    with pinned(OURS):
        for participants, half in sizes:
            got = asyncio.run(worked(participants, 3 if quick else 20, half=half))
            layer = "320x180@15" if half else "640x360@30"
            table.add(participants, layer, got.core, got.fps, got.late, got.samples)
    yield table
