"""What asking for the smallest layer that serves saves: 16 participants, with and without."""

import asyncio
from collections.abc import Iterator

from bench.media_footage import clip
from bench.media_participants import sustained
from bench.media_rig import OURS, pinned
from bench.table import Table


def measure(quick: bool) -> Iterator[Table]:
    """One row for the layer that is not asked for, one for the one that is."""
    participants = 4 if quick else 16
    table = Table(
        f"Layers of {participants} participants",
        ("layer", "% of a core", "against the full one", "pictures/s", "late ticks", "tick ms"),
        "VP8 in, 1280x720@25 out to one viewer, no detection. A tile of sixteen is 320x180 at "
        "most, which is also what the models need: the session asks for that layer.",
    )
    with pinned(OURS):
        full = None
        for name, half in (("640x360@30", False), ("320x180@15", True)):
            got = asyncio.run(sustained(participants, 3 if quick else 20, clip(half=half)))
            full = full or got
            ticks = f"{got.tick_ms[0]:.1f} / {got.tick_ms[1]:.1f}"
            ratio = f"{got.core / full.core:.2f}x"
            table.add(name, got.core, ratio, got.fps, got.late, ticks)
    yield table
