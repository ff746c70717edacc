"""Detection on threads against detection in processes, in a session with everything on."""

import asyncio
import time
from collections.abc import Callable, Iterator
from statistics import median

from bench.media_rig import OURS, pinned
from bench.session_detection import TimedDetector, Work, inference_workers, meeting, worked
from bench.table import Table
from config.settings import Engine

SIZES = ((4, False), (9, True), (16, True))
"""Participants, and whether they send the layer below."""
BETWEEN = 3.0
"""Seconds between two kills of the worker."""


def measure(quick: bool) -> Iterator[Table]:
    """One core, both cores, and killed workers."""
    yield _compared("one core", quick, cores=1)
    yield _compared("two cores", quick, cores=2)
    yield _killed(quick)


def _compared(where: str, quick: bool, *, cores: int) -> Table:
    shared = "the other core" if cores == 1 else "the first of the two cores"
    table = Table(
        f"Detection on threads and in processes, {where}",
        (
            *("participants", "layer", "engine", "% of a core", "late ticks"),
            *("ms from frame to scores", "samples/s each", "dropped"),
        ),
        "As above, with one worker. % of a core is of the sidecar and its workers together; ms are "
        "from the arrival of a frame to its scores, median / p95. Cameras and viewer run on "
        f"{shared}.",
    )
    for participants, half in SIZES[:1] if quick else SIZES:
        for engine in (Engine.THREADS, Engine.PROCESSES):
            run = worked(participants, 3 if quick else 12, half=half, engine=engine)
            if cores == 1:
                with pinned(OURS):
                    got = asyncio.run(run)
            else:
                got = asyncio.run(run)
            _add(table, participants, half, engine, got)
    return table


def _add(table: Table, participants: int, half: bool, engine: Engine, got: Work) -> None:
    layer = "320x180@15" if half else "640x360@30"
    ages = f"{got.ages[0]:.0f} / {got.ages[1]:.0f}"
    table.add(
        *(participants, layer, engine.value, got.core, got.late),
        *(ages, got.samples, got.dropped),
    )


def _killed(quick: bool) -> Table:
    table = Table(
        "Detection after SIGKILL of its worker, seconds",
        ("kills", "median", "longest", "samples lost", "late ticks", "late ticks without kills"),
        "4 participants of 640x360@30 and one worker, from the kill to the next scores of any of "
        "them; late ticks are of the whole run, and of one as long without kills.",
    )
    times, lost, late = asyncio.run(_recoveries(2 if quick else 8, kill=True))
    _, _, undisturbed = asyncio.run(_recoveries(2 if quick else 8, kill=False))
    table.add(len(times), median(times), max(times), lost, late, undisturbed)
    return table


async def _recoveries(rounds: int, *, kill: bool) -> tuple[list[float], int, int]:
    """Seconds until detection was back each time, samples lost and late ticks."""
    async with (
        asyncio.timeout(rounds * 30 + 120),
        meeting(4, half=False, engine=Engine.PROCESSES) as (session, detector),
    ):
        late, times = session.stats().late_ticks, []
        for _ in range(rounds):
            if kill:
                times.append(await _recovery(detector))
            await asyncio.sleep(BETWEEN)
        lost = detector.stats().dropped.worker_lost
        return times, lost, session.stats().late_ticks - late


async def _recovery(detector: TimedDetector) -> float:
    before = detector.stats()
    [worker] = inference_workers()
    worker.kill()
    began = time.monotonic()
    await _until(lambda: detector.stats().restarts > before.restarts)
    detected = detector.stats().detected
    await _until(lambda: detector.stats().detected > detected)
    return time.monotonic() - began


async def _until(condition: Callable[[], bool]) -> None:
    while not condition():  # noqa: ASYNC110
        await asyncio.sleep(0.005)
