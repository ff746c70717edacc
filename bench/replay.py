"""How fast a recording is replayed: decoding, detection, drawing and writing H.264, on one core."""

import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from bench.media_rig import OURS, pinned
from bench.table import Table
from config.reaction_table import load_reaction_table
from config.settings import Settings
from reactions.labels import LABELS
from reactions.mannequin import CAST, Choreography, Scene
from reactions.mannequin.clip import FPS, render_clip
from sidecar.replay import Replay
from sidecar.session.factories import make_pipeline, make_stickers, make_store

STEPS = (("neutral", 4.0), ("thumbs_up", 2.0), ("neutral", 3.0), ("wave", 3.0))


def measure(quick: bool) -> Iterator[Table]:
    """One row: a mannequin's recording of some seconds."""
    steps = STEPS[:2] if quick else STEPS
    play = Choreography(steps)
    clip = render_clip(next(iter(CAST.values())), play, Scene())
    settings, table = Settings(), load_reaction_table(LABELS)
    replay = Replay(
        make_pipeline(make_store(settings), table, settings),
        make_stickers(table, settings),
        table,
        settings,
    )
    with tempfile.TemporaryDirectory() as name, pinned(OURS):
        out = Path(name) / "out.mp4"
        cpu, began = time.process_time(), time.perf_counter()
        replay.run(clip, out, Path(name) / "events.jsonl", lambda share: None)
        cpu, wall = time.process_time() - cpu, time.perf_counter() - began
    result = Table(
        "Replay on one core",
        ("video", "seconds of video", "seconds it takes", "of CPU", "times real time"),
        "Everything that `sidecar replay` does: decoding, 5 detections a second, drawing, H.264.",
    )
    result.add(f"640x360@{FPS}", play.duration, wall, cpu, f"{play.duration / wall:.1f}x")
    yield result
