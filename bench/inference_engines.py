"""Detection on threads against detection in processes, in a session with everything on."""

import asyncio
from collections.abc import Iterator

from bench.media_rig import OURS, pinned
from bench.session_detection import Work, worked
from bench.table import Table
from config.settings import Engine

SIZES = ((4, False), (9, False), (16, True))
"""Participants, and whether they send the layer below."""


def measure(quick: bool) -> Iterator[Table]:
    """A table of one core, and one of both."""
    yield _compared("one core", quick, cores=1)
    yield _compared("two cores", quick, cores=2)


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
            run = worked(participants, 3 if quick else 20, half=half, engine=engine)
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
