"""How many participants one core sustains, without detection."""

import asyncio
from collections.abc import Iterator
from pathlib import Path

from bench.media_footage import clip
from bench.media_rig import OURS, Load, camera, child, load, pinned, rig, viewer
from bench.table import Table


async def sustained(participants: int, seconds: float, footage: Path, *, viewers: int = 1) -> Load:
    """The load of so many cameras with ``footage`` composited for ``viewers``."""
    async with (
        child("cameras", str(participants), str(footage)) as cameras,
        child("viewers", str(viewers)) as watching,
        rig() as (running, life),
    ):
        for _ in range(participants):
            running.feeds.append(await camera(cameras, life))
        for _ in range(viewers):
            await viewer(watching, running.encoder, life)
        # Key frames, the first pictures and the caches are not what is measured.
        await asyncio.sleep(3)
        return await load(running, seconds)


def measure(quick: bool) -> Iterator[Table]:
    """One row for each number of participants."""
    table = Table(
        "Participants on one core",
        (
            "participants",
            "% of a core",
            "pictures/s",
            "late ticks",
            "frames in/s",
            "tick ms",
        ),
        "640x360@30 VP8 in, 1280x720@25 out to one viewer, no detection; cameras and viewer run on "
        "the other core. A tick is drawing and encoding, in wall-clock time: median / p95.",
    )
    with pinned(OURS):
        for participants in (2, 4) if quick else (1, 4, 9, 12, 16):
            got = asyncio.run(sustained(participants, 3 if quick else 20, clip()))
            ticks = f"{got.tick_ms[0]:.1f} / {got.tick_ms[1]:.1f}"
            table.add(participants, got.core, got.fps, got.late, got.frames_in, ticks)
    yield table
