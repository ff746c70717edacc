"""What each further viewer costs."""

import asyncio
from collections.abc import Iterator

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
    table = Table(
        "Viewers",
        ("viewers", "% of a core", "against one viewer", "late ticks", "pictures/s at the worst"),
        f"{PARTICIPANTS} participants of 640x360@30, composite 1280x720@25 encoded once.",
    )
    first = 0.0
    with pinned(OURS):
        for viewers in (1, 4) if quick else (1, 2, 4, 8):
            got, worst = asyncio.run(watched(viewers, 3 if quick else 20))
            first = first or got.core
            table.add(viewers, got.core, f"{got.core / first:.2f}x", got.late, worst)
    yield table
