"""What each further viewer costs."""

import asyncio
import statistics
from collections.abc import Iterator, Mapping, Sequence

from bench.media_footage import clip
from bench.media_rig import OURS, Load, camera, child, load, pinned, rig, viewer
from bench.table import Table

PARTICIPANTS = 2


async def watched(viewers: int, seconds: float) -> tuple[Load, float]:
    """The load with so many viewers, and the pictures a second that the worst-off of them got."""
    async with (
        child("cameras", str(PARTICIPANTS), str(clip())) as cameras,
        child("viewers", str(viewers)) as watching,
        rig() as (running, life),
    ):
        for _ in range(PARTICIPANTS):
            running.feeds.append(await camera(cameras, life))
        for _ in range(viewers):
            await viewer(watching, running.encoder, life)
        await asyncio.sleep(3)
        before = await watching.ask("frames")
        got = await load(running, seconds)
        after = await watching.ask("frames")
    return got, min(b - a for a, b in zip(before, after, strict=True)) / seconds


def measure(quick: bool) -> Iterator[Table]:
    """One row for each number of viewers."""
    counts, rounds, seconds = ((1, 4), 1, 3) if quick else ((1, 2, 4, 8), 3, 12)
    table = Table(
        "Viewers",
        ("viewers", "% of a core", "against one viewer", "late ticks", "pictures/s at the worst"),
        f"{PARTICIPANTS} participants of 640x360@30, composite 1280x720@25 encoded once; medians "
        f"of rounds of {seconds} s in turn ({rounds}), late ticks of all.",
    )
    with pinned(OURS):
        turns = [
            {viewers: asyncio.run(watched(viewers, seconds)) for viewers in counts}
            for _ in range(rounds)
        ]
    first = _core(turns, counts[0])
    for viewers in counts:
        core = _core(turns, viewers)
        late = sum(turn[viewers][0].late for turn in turns)
        worst = min(turn[viewers][1] for turn in turns)
        table.add(viewers, core, f"{core / first:.2f}x", late, worst)
    yield table


def _core(turns: Sequence[Mapping[int, tuple[Load, float]]], viewers: int) -> float:
    return statistics.median(turn[viewers][0].core for turn in turns)
