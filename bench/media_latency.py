"""How old a picture is when a viewer sees it: one hop, from the camera's capture on."""

import asyncio
from collections.abc import Iterator

from bench.media_footage import clip
from bench.media_rig import OURS, camera, child, pinned, rig, viewer
from bench.table import Table


async def delays(seconds: float) -> list[int]:
    """Milliseconds from capture to decoded composite, for every picture that a viewer got."""
    async with child("stamps", str(clip())) as peer, rig() as (running, life):
        running.feeds.append(await camera(peer, life))
        await viewer(peer, running.encoder, life)
        await asyncio.sleep(2)
        await peer.ask("delays")
        await asyncio.sleep(seconds)
        found: list[int] = await peer.ask("delays")
    return sorted(found)


def measure(quick: bool) -> Iterator[Table]:
    """One row."""
    table = Table(
        "Latency of one hop, ms",
        ("pictures", "median", "p95", "max"),
        "One camera of 640x360@30 with the time burnt into its pictures; encoded, sent, composited "
        "at 25 a second, encoded, sent and decoded. Camera and viewer share the other core.",
    )
    with pinned(OURS):
        found = asyncio.run(delays(4 if quick else 30))
    table.add(len(found), found[len(found) // 2], found[int(len(found) * 0.95)], found[-1])
    yield table
