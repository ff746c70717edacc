"""Both detectors with the real models and a mannequin."""

import asyncio
import os
import signal
from collections.abc import Callable
from pathlib import Path

import pytest

from config.errors import ModelError, SampleDroppedError
from reactions.landmark_types import RgbImage, Sample
from reactions.landmarks.model_store import ModelStore
from reactions.mannequin import CAST, POSES, Scene, render
from reactions.pipeline import Detection, Memory, PipelineConfig
from sidecar.inference.detector import Detector, LoadPipeline
from sidecar.inference.processes import ProcessDetector
from sidecar.inference.threads import ThreadDetector
from tests.sidecar.clients import eventually

Make = Callable[[LoadPipeline], Detector]

pytestmark = pytest.mark.models


@pytest.fixture(scope="module")
def config() -> PipelineConfig:
    return PipelineConfig(ModelStore().folder, frozenset({"face", "hand", "smile", "open_palm"}))


@pytest.fixture(scope="module")
def pictures() -> list[RgbImage]:
    person = CAST["Mei"]
    return [render(person, POSES["open_palm"], Scene(), seed=seed) for seed in range(3)]


def best(detection: Detection) -> dict[str, float]:
    return {score.label: score.score for score in reversed(detection.scores)}


@pytest.mark.parametrize("make", [ThreadDetector, ProcessDetector])
async def test_what_is_detected_is_what_the_pipeline_says(
    make: Make, config: PipelineConfig, pictures: list[RgbImage]
) -> None:
    pipeline, expected, memory = config.load(), [], None
    for number, picture in enumerate(pictures):
        detection = pipeline.detect(Sample(picture, number / 5), memory)
        memory = detection.memory
        expected.append(best(detection))
    found, travelled = [], None
    async with make(config.load) as detector:
        for number, picture in enumerate(pictures):
            call = detector.detect(Sample(picture, number / 5), travelled, source="mei")
            detection = await call
            travelled = detection.memory
            found.append(best(detection))
    assert found == expected
    assert found[-1]["open_palm"] > 0.7
    assert travelled == memory


@pytest.mark.parametrize("make", [ThreadDetector, ProcessDetector])
async def test_missing_models_are_an_error_at_the_start(make: Make, tmp_path: Path) -> None:
    config = PipelineConfig(tmp_path, frozenset({"face"}))
    with pytest.raises(ModelError, match=r"sidecar models fetch") as caught:
        await make(config.load).start()
    assert caught.value.where.startswith(str(tmp_path))


async def test_participants_are_detected_again_after_their_worker_was_killed(
    config: PipelineConfig, pictures: list[RgbImage]
) -> None:
    async def attend(name: str) -> Memory:
        memory: Memory | None = None
        number = 0
        while memory is None or detector.stats().restarts == 0:
            picture = pictures[number % len(pictures)]
            try:
                call = detector.detect(Sample(picture, number / 5), memory, source=name)
                memory = (await call).memory
            except SampleDroppedError:
                lost.append(name)
            number += 1
        call = detector.detect(Sample(pictures[0], number / 5), memory, source=name)
        return (await call).memory

    lost: list[str] = []
    async with asyncio.timeout(60), ProcessDetector(config.load) as detector:
        attending = [asyncio.create_task(attend(name)) for name in ("ada", "bob", "mei")]
        await eventually(lambda: detector.stats().detected >= 6)
        await eventually(lambda: detector.stats().running)
        os.kill(detector.pids[0], signal.SIGKILL)
        memories = await asyncio.gather(*attending)
        stats = detector.stats()
    assert all(memory.tracks.hands is not None for memory in memories)
    assert (stats.restarts, stats.failed) == (1, 0)
    assert len(lost) == stats.dropped.total == stats.dropped.worker_lost <= 1
