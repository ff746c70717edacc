"""Others that do the same, and the floors under what we do: in one run, turn by turn, medians.

MediaPipe 0.10.21 wants older libraries than ours. ``SIDECAR_MEDIAPIPE_PYTHON`` names a Python that
has it; without one, an environment is made under ``out/``.
"""

import asyncio
import json
import os
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractAsyncContextManager, contextmanager
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

import av
import numpy as np
from aiortc.codecs.vpx import Vp8Encoder

from bench.detection import RATE, scenes, step
from bench.media_footage import clip, frames
from bench.media_participants import sustained
from bench.media_rig import OURS, Child, child, pinned
from bench.peers_floors import Work, floors_table, in_turns
from bench.plain_mcu import Mixer
from bench.table import Table
from config.reaction_table import load_reaction_table
from gifs.cache import StickerCache
from reactions.labels import LABELS
from reactions.landmark_types import RgbImage, Sample
from reactions.landmarks.model_store import ModelStore
from reactions.mannequin import CAST, Scene, render
from reactions.mannequin.choreography import idle
from reactions.pipeline import Memory, RecognitionPipeline
from sidecar.media.compositor.compositor import Compositor
from sidecar.media.compositor.sticker_loader import StickerPrefetcher
from sidecar.media.compositor.tiles import TileView
from sidecar.media.encoder import Encoder

MEDIAPIPE: Final = "mediapipe==0.10.21"
VARIABLE: Final = "SIDECAR_MEDIAPIPE_PYTHON"
ENVIRONMENT: Final = Path("out/mediapipe")
SOLUTIONS: Final = {"hands": "hands (lite, 2 hands)", "holistic": "holistic (1)"}
WARM_UP: Final = 5
"""Frames of a turn that are not counted."""


def measure(quick: bool) -> Iterator[Table]:
    """Recognition, composing, and the floors."""
    try:
        yield recognition_table(quick)
    except (OSError, subprocess.SubprocessError) as error:
        # The other tables need no registry.
        print(f"MediaPipe can't be had here: {error}", file=sys.stderr)
    with pinned(OURS):
        yield picture_table(quick)
        yield mcu_table(quick)
        yield floors_table(quick)


# Recognition.


def footage(count: int) -> dict[str, list[RgbImage]]:
    """The same frames for all: a mannequin in each scene, 640x360, five a second."""
    person = next(iter(CAST.values()))
    return {
        name: [render(person, idle(pose, n / RATE), Scene(), seed=n) for n in range(count)]
        for name, pose in scenes().items()
    }


def mediapipe_python() -> Path:
    """A Python that has MediaPipe; raises CalledProcessError where there is none to be had."""
    if given := os.environ.get(VARIABLE):
        return Path(given)
    python = ENVIRONMENT / "bin" / "python"
    if not python.exists():
        subprocess.run([sys.executable, "-m", "venv", ENVIRONMENT], check=True)
        subprocess.run([python, "-m", "pip", "install", "-q", MEDIAPIPE], check=True)
    return python


@dataclass(slots=True)
class MediaPipe:
    """The other process."""

    process: "subprocess.Popen[str]"

    def run(self, solution: str, scene: str) -> tuple[list[float], int]:
        """CPU milliseconds a frame, and frames with a hand."""
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        print(solution, scene, file=self.process.stdin, flush=True)
        answer = json.loads(self.process.stdout.readline())
        return answer["ms"], answer["found"]


@contextmanager
def mediapipe(frames: dict[str, list[RgbImage]]) -> Iterator[MediaPipe]:
    """MediaPipe with ``frames`` loaded, on our core."""
    with TemporaryDirectory() as folder:
        for name, some in frames.items():
            np.save(Path(folder, f"{name}.npy"), np.stack(some))
        script = Path(__file__).with_name("mediapipe_child.py")
        command = [str(mediapipe_python()), str(script), folder, str(OURS)]
        quiet = {**os.environ, "GLOG_minloglevel": "3", "TF_CPP_MIN_LOG_LEVEL": "3"}
        with subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
            text=True, env=quiet,
        ) as process:  # fmt: skip
            yield MediaPipe(process)


def ours(detector: RecognitionPipeline, frames: list[RgbImage]) -> list[float]:
    """CPU milliseconds of each whole sample: landmarks, labels, scores."""
    memory: Memory | None = None
    spent = []
    for n, frame in enumerate(frames):
        began = time.process_time()
        memory = step(detector, Sample(frame, n / RATE), memory)
        spent.append(1000 * (time.process_time() - began))
    return spent


def recognition_table(quick: bool) -> Table:
    """MediaPipe's trackers against our whole sample."""
    table = Table(
        "A sample of 640x360 by us and by MediaPipe 0.10.21, CPU ms",
        ("scene", "ours, whole", *SOLUTIONS.values(), "hands / ours", "holistic / ours",
         "frames with a hand: hands, holistic"),
        "The same frames of a mannequin, five a second, tracked, on one core. Ours: face, hands,"
        " body where needed, and the scores of all shipped labels. MediaPipe finds landmarks alone."
        " A mean over each turn (cadences differ), the median over turns.",
    )  # fmt: skip
    frames = footage(12 if quick else 45)
    turns = 1 if quick else 5
    with mediapipe(frames) as other, pinned(OURS):
        detector = RecognitionPipeline(ModelStore(), load_reaction_table(LABELS))
        for scene in frames:
            mine: list[float] = []
            theirs: dict[str, list[float]] = {name: [] for name in SOLUTIONS}
            found: dict[str, int] = {}
            for _ in range(turns):
                mine.append(statistics.fmean(ours(detector, frames[scene])[WARM_UP:]))
                for name, kept in theirs.items():
                    spent, found[name] = other.run(name, scene)
                    kept.append(statistics.fmean(spent[WARM_UP:]))
            whole = statistics.median(mine)
            hands, holistic = (statistics.median(theirs[name]) for name in SOLUTIONS)
            seen = f"{found['hands']}, {found['holistic']} of {len(frames[scene])}"
            table.add(scene, whole, hands, holistic, hands / whole, holistic / whole, seen)
    return table


# Composing.


@dataclass(frozen=True, slots=True)
class Composed:
    """What a unit cost, and what its viewers got."""

    core: float
    """Percent of one core."""
    fps: float
    """Pictures composed a second."""


def plain_unit() -> AbstractAsyncContextManager[Child]:
    """A process of ``bench.plain_mcu`` on our core."""
    return child(str(OURS), module="bench.plain_mcu", quiet=True)


async def _connect(unit: Child, kind: str, peer: Child) -> None:
    unit.write({kind: await peer.read()})
    peer.write(await unit.read())


async def plain(cameras: int, viewers: int, seconds: float) -> Composed:
    """The load of the plain unit."""
    async with (
        child("cameras", str(cameras), str(clip())) as sending,
        child("viewers", str(viewers)) as watching,
        plain_unit() as unit,
    ):
        for _ in range(cameras):
            await _connect(unit, "camera", sending)
        for _ in range(viewers):
            await _connect(unit, "viewer", watching)
        await asyncio.sleep(3)
        before, began = await unit.ask("load"), time.monotonic()
        await asyncio.sleep(seconds)
        after, wall = await unit.ask("load"), time.monotonic() - began
        composed = (after["composed"] - before["composed"]) / wall
        return Composed(100 * (after["cpu"] - before["cpu"]) / wall, composed)


async def ours_composed(cameras: int, viewers: int, seconds: float) -> Composed:
    """The load of our media plane."""
    got = await sustained(cameras, seconds, clip(), viewers=viewers)
    return Composed(got.core, got.fps)


def mcu_table(quick: bool) -> Table:
    """A plain MCU against ours, one turn after the other."""
    table = Table(
        "Composing four cameras: a plain aiortc MCU against ours, on one core",
        ("viewers", "plain: % of a core", "pictures/s", "ours: % of a core", "pictures/s",
         "CPU ms a picture: plain", "ours", "plain / ours"),
        "640x360@30 VP8 in, 1280x720@25 out, no detection. Plain: frames to RGB arrays, numpy, a"
        " VP8 encoder of aiortc's for each viewer; ours also writes names and rounds corners."
        " Cameras and viewers run on the other core. Medians of turns. Rows of fewer than 24"
        " pictures a second were starved by other work on the machine: they say nothing.",
    )  # fmt: skip
    seconds, turns = (3, 1) if quick else (8, 3)
    for viewers in (1,) if quick else (1, 4):
        theirs, mine = [], []
        for _ in range(turns):
            theirs.append(asyncio.run(plain(4, viewers, seconds)))
            mine.append(asyncio.run(ours_composed(4, viewers, seconds)))
        row = [_medians(some) for some in (theirs, mine)]
        each = [10 * core / fps for core, fps in row]
        table.add(viewers, *row[0], *row[1], *each, each[0] / each[1])
    return table


def picture_table(quick: bool) -> Table:
    """One composed picture by a plain MCU and by us, without a network: CPU alone."""
    table = Table(
        "One picture of four cameras for its viewers: a plain aiortc MCU against ours, CPU ms",
        ("viewers", "plain", "ours", "plain / ours"),
        "The same frames in turns, on one thread, medians: from four decoded frames of 640x360 to"
        " the encoded picture of 1280x720 for each viewer. Plain: RGB arrays, numpy, and aiortc's"
        " VP8 encoder for each viewer at 1.5 Mb/s. Ours: the compositor, which also writes names"
        " and rounds corners, and one encoder. Decoding and sending, which both need, are not in"
        " it.",
    )  # fmt: skip
    for viewers in (1, 4):
        theirs, mine = in_turns(
            plain_picture(viewers), our_picture(), 30 if quick else 150, turn=10
        )
        table.add(viewers, theirs, mine, theirs / mine)
    return table


def plain_picture(viewers: int) -> Work:
    """What ``bench.plain_mcu`` does for one picture."""
    mixer, pictures = Mixer(), frames()
    encoders = [Vp8Encoder() for _ in range(viewers)]
    for encoder in encoders:
        encoder.target_bitrate = 1_500_000

    def make(n: int) -> object:
        mixer.newest = [pictures[(n + shift) % len(pictures)] for shift in range(4)]
        mixed = mixer.compose()
        sent = []
        for encoder in encoders:
            frame = av.VideoFrame.from_ndarray(mixed, format="rgb24")
            frame.pts, frame.time_base = n * 3600, Fraction(1, 90_000)
            sent.append(encoder.encode(frame, force_keyframe=n % 100 == 0))
        return sent

    return make


def our_picture() -> Work:
    """What our render loop does for one picture, for any number of viewers."""
    pictures = frames()
    compositor = Compositor(1280, 720, StickerPrefetcher(StickerCache()))
    encoder = Encoder(1280, 720)

    def make(n: int) -> object:
        some = [pictures[(n + shift) % len(pictures)] for shift in range(4)]
        tiles = [TileView(str(k), f"Participant {k}", one) for k, one in enumerate(some)]
        return encoder.encode(compositor.draw(tiles, n / 25), n)

    return make


def _medians(some: list[Composed]) -> tuple[float, float]:
    pick: tuple[Callable[[Composed], float], ...] = (lambda one: one.core, lambda one: one.fps)
    core, fps = (statistics.median(map(value, some)) for value in pick)
    return core, fps
