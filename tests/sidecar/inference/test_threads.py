"""Detection off the event loop."""

import asyncio
import threading
from typing import cast

import av
import pytest

from config.errors import ModelError
from reactions.gestures.motion import Motion
from reactions.landmark_types import Observation, Sample
from reactions.landmarks.frame_quality import Fingerprint
from reactions.landmarks.track_state import Tracks
from reactions.pipeline import Detection, Memory, RecognitionPipeline
from sidecar.inference.threads import ThreadDetector

REMEMBERED = Memory(Tracks(64, 36, Fingerprint(b"", 0.0)), Motion())


class Nets:
    """Stands in for a frame detector: notes who calls it."""

    def __init__(self) -> None:
        self.threads: set[int] = set()
        self.memories: list[Memory | None] = []

    def detect(self, sample: Sample, memory: Memory | None) -> Detection:
        self.threads.add(threading.get_ident())
        self.memories.append(memory)
        observation = Observation(sample.width, sample.height, sample.time)
        return Detection(observation, (), REMEMBERED, 1.0)


def frame() -> av.VideoFrame:
    return av.VideoFrame(64, 36, "yuv420p")


async def test_a_frame_is_detected_off_the_loop_with_its_memory() -> None:
    nets = Nets()
    async with ThreadDetector(lambda: cast("RecognitionPipeline", nets)) as detector:
        detection = await detector.detect(frame(), 2.5, REMEMBERED)
    assert (detection.observation.width, detection.observation.time) == (64, 2.5)
    assert nets.memories == [REMEMBERED]
    assert threading.get_ident() not in nets.threads


async def test_each_worker_has_nets_of_its_own() -> None:
    made: list[Nets] = []

    def make() -> RecognitionPipeline:
        made.append(Nets())
        return cast("RecognitionPipeline", made[-1])

    async with ThreadDetector(make, workers=2) as detector:
        await asyncio.gather(*(detector.detect(frame(), 0.0, None) for _ in range(20)))
    assert 1 <= len(made) <= 2
    assert all(len(nets.threads) <= 1 for nets in made)


async def test_missing_nets_are_told_on_entering() -> None:
    def make() -> RecognitionPipeline:
        raise ModelError("is missing", where="palm.tflite", do="fetch it")

    with pytest.raises(ModelError, match=r"palm\.tflite: is missing"):
        async with ThreadDetector(make):
            pytest.fail("entered without nets")


async def test_leaving_ends_the_threads() -> None:
    before = threading.active_count()
    async with ThreadDetector(lambda: cast("RecognitionPipeline", Nets()), workers=2) as detector:
        await detector.detect(frame(), 0.0, None)
    # asyncio.to_thread keeps its own thread for the next call.
    assert threading.active_count() <= before + 1
    assert not any(thread.name.startswith("detector") for thread in threading.enumerate())
