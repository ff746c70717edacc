"""A pipeline that does what its samples say, on threads of this process or in others."""

import os
import signal
import time
import zlib
from dataclasses import dataclass
from enum import IntEnum
from pathlib import Path
from typing import cast

import numpy as np

from config.errors import PictureError
from reactions.found_landmarks import FoundLandmarks
from reactions.geometry import Box
from reactions.gestures.motion import Motion
from reactions.labels import LabelScore
from reactions.landmark_types import RgbImage, Sample
from reactions.landmarks.frame_quality import Fingerprint
from reactions.landmarks.track_state import Tracks
from reactions.pipeline import Detection, Memory


class Script(IntEnum):
    """What the pipeline does with a sample: its first pixel's red."""

    ANSWER = 1
    WAIT = 2
    """Answer once the test says so."""
    RAISE = 3
    RAISE_LOCAL = 4
    """An exception that can't be pickled."""
    DIE = 5
    """Kill the process that it runs in."""
    UNSENDABLE = 6
    """A detection that can't be pickled."""


def sample(script: Script, number: int = 0, size: tuple[int, int] = (64, 36)) -> Sample:
    """A sample of ``size`` (width, height); ``number``, 0–255, is its name in the log."""
    pixels = np.random.default_rng(number).integers(0, 255, (size[1], size[0], 3), np.uint8)
    pixels[0, 0] = script, number, 0
    return Sample(pixels, 0.0)


def checksum(pixels: RgbImage) -> float:
    return float(zlib.crc32(pixels.tobytes()))


def steps(memory: Memory | None) -> int:
    """How many detections a memory has come through."""
    return 0 if memory is None else memory.tracks.width


@dataclass(frozen=True, slots=True)
class ScriptedPipeline:
    """Writes the number of each sample that it begins into ``folder``/log.

    The score of a detection is the checksum of the pixels as they arrived.
    """

    folder: Path

    def detect(self, sample: Sample, memory: Memory | None) -> Detection:
        script, number, _ = sample.pixels[0, 0].tolist()
        with (self.folder / "log").open("a") as log:
            log.write(f"{number}\n")
        match script:
            case Script.WAIT:
                while not (self.folder / f"go-{number}").exists():
                    time.sleep(0.002)
            case Script.RAISE:
                raise PictureError(f"bad sample {number}", where="here", do="try another")
            case Script.RAISE_LOCAL:

                class LocalError(Exception):
                    pass

                raise LocalError(f"bad sample {number}")
            case Script.DIE:
                os.kill(os.getpid(), signal.SIGKILL)
            case Script.UNSENDABLE:
                return Detection((), None, cast("Memory", lambda: None), 1.0)
        score = LabelScore("neutral", checksum(sample.pixels), Box(0, 0, 1, 1))
        tracks = Tracks(steps(memory) + 1, 1, Fingerprint(b"", 0.0))
        face, found = Box(0.1, 0.2, 0.3, 0.4), FoundLandmarks((), None, None)
        landmarks = found if sample.landmarks else None
        return Detection((score,), face, Memory(tracks, Motion()), 1.0, landmarks)


@dataclass(frozen=True, slots=True)
class ScriptFolder:
    """The test's side of the pipelines that share a folder."""

    folder: Path

    def load(self) -> ScriptedPipeline:
        """A pipeline; raises PictureError where the test says so."""
        if (self.folder / "broken").exists():
            raise PictureError("is missing", where="palm.tflite", do="fetch it")
        return ScriptedPipeline(self.folder)

    def die_loading(self) -> ScriptedPipeline:
        """As ``load``, in a process that does not outlive it."""
        os.kill(os.getpid(), signal.SIGKILL)
        return self.load()

    def load_once(self) -> ScriptedPipeline:
        """As ``load``, which raises from the second time on."""
        pipeline = self.load()
        self.break_loading()
        return pipeline

    def load_slowly(self) -> ScriptedPipeline:
        """As ``load``, which takes a second."""
        time.sleep(1.0)
        return self.load()

    def break_loading(self) -> None:
        (self.folder / "broken").touch()

    def mend_loading(self) -> None:
        (self.folder / "broken").unlink()

    def release(self, number: int) -> None:
        """Let the sample of that number be answered."""
        (self.folder / f"go-{number}").touch()

    def begun(self) -> list[int]:
        """The numbers of the samples whose detection began, in order."""
        log = self.folder / "log"
        return [int(line) for line in log.read_text().split()] if log.exists() else []
