"""The whole way from pixels to scores, with the real models and drawn people."""

import pickle
from dataclasses import fields

import numpy as np
import pytest

from config.errors import ModelError
from reactions.landmark_types import Quality, RgbImage, Sample
from reactions.landmarks.model_store import ModelStore
from reactions.mannequin import CAST, POSES, Scene, render
from reactions.pipeline import Detection, Memory, PipelineConfig, RecognitionPipeline

PERSON = CAST["Mei"]


@pytest.fixture(scope="module")
def detector() -> RecognitionPipeline:
    return RecognitionPipeline(ModelStore(), ["face", "hand", "smile", "neutral"])


def picture(pose: str, seed: int = 0) -> RgbImage:
    return render(PERSON, POSES[pose], Scene(), seed=seed)


def best(detection: Detection) -> dict[str, float]:
    return {score.label: score.score for score in reversed(detection.scores)}


def test_missing_models_are_named(tmp_path: object) -> None:
    with pytest.raises(ModelError):
        RecognitionPipeline(ModelStore(tmp_path), ["face"])  # type: ignore[arg-type]


@pytest.mark.models
def test_a_still_picture_is_scored_without_memory(detector: RecognitionPipeline) -> None:
    detection = detector.detect(Sample(picture("smile"), 0.0), None)
    assert best(detection)["smile"] > 0.7
    assert best(detection)["neutral"] < 0.7
    assert detection.milliseconds > 0


@pytest.mark.models
def test_the_detector_keeps_no_state_of_participants(detector: RecognitionPipeline) -> None:
    first = detector.detect(Sample(picture("neutral"), 0.0), None)
    detector.detect(Sample(picture("hand"), 0.1), None)
    again = detector.detect(Sample(picture("neutral"), 0.0), None)
    assert best(again) == best(first)


@pytest.mark.models
def test_a_face_is_given_by_its_box(detector: RecognitionPipeline) -> None:
    observation, detection = detector.observe(Sample(picture("smile"), 0.0), None)
    assert observation.face is not None
    assert detection.face == observation.box(observation.face.points)


@pytest.mark.models
def test_another_process_gets_the_same_pipeline_and_detection(
    detector: RecognitionPipeline,
) -> None:
    config = PipelineConfig(ModelStore().folder, frozenset({"face", "hand", "smile", "neutral"}))
    sample = Sample(picture("hand"), 0.0)
    detection = pickle.loads(pickle.dumps(config)).load().detect(sample, None)
    assert pickle.loads(pickle.dumps(detection)) == detection
    assert best(detection) == best(detector.detect(sample, None))


@pytest.mark.models
def test_memory_travels_by_pickle(detector: RecognitionPipeline) -> None:
    memory = detector.detect(Sample(picture("hand"), 0.0), None).memory
    travelled = pickle.loads(pickle.dumps(memory))
    assert {field.name for field in fields(Memory)} == {"tracks", "motion", "others"}
    sample = Sample(picture("hand", seed=1), 0.2)
    assert best(detector.detect(sample, travelled)) == best(detector.detect(sample, memory))


@pytest.mark.models
def test_a_covered_camera_scores_nothing_and_keeps_the_memory(
    detector: RecognitionPipeline,
) -> None:
    memory = detector.detect(Sample(picture("hand"), 0.0), None).memory
    black = np.zeros((360, 640, 3), np.uint8)
    observation, detection = detector.observe(Sample(black, 0.2), memory)
    assert observation.quality is Quality.BLACK
    assert detection.face is None
    assert detection.scores == ()
    assert detection.memory.motion.tracks == memory.motion.tracks
