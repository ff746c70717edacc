"""From mannequins that move to a bundle whose network fires in the recogniser."""

from collections.abc import Iterator
from pathlib import Path
from typing import cast

import av
import numpy as np
import pytest

from config.errors import ModelError
from reactions.bundle import ModelBundle
from reactions.datasets.store import MANIFEST
from reactions.gestures.motion import Motion
from reactions.gestures.recognizer import Recognizer
from reactions.labels import LabelScore
from reactions.landmark_types import Observation, Sample
from reactions.landmarks.model_store import ModelStore
from reactions.landmarks.scheduler import LandmarkScheduler
from reactions.trained_heads import HEAD_LABELS, HEAD_SIZES, HeadKind, TrainedHead, with_heads
from reactions.training.bundle_files import export_bundle
from reactions.training.head_network import HeadPlan
from reactions.training.head_run import train_head
from reactions.training.motion_sequences import SURE, MotionSequence
from sidecar.modelling import motion_readings
from sidecar.modelling.motion_readings import (
    LabelledClip,
    clip_source,
    find_clips,
    read_motion_examples,
)

LABELS = HEAD_LABELS[HeadKind.MOTION]
PLAN = HeadPlan(HeadKind.MOTION, pictures=6, epochs=6, folds=2)


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> ModelBundle:
    """A bundle with a network of few mannequins."""
    folder = tmp_path_factory.mktemp("motion")
    examples = read_motion_examples(PLAN, [], ModelStore(folder / "none"), folder / "readings")
    train_head(PLAN, examples, folder / "out")
    export_bundle(folder / "out", folder / "mine")
    return ModelBundle.read(folder / "mine")


class NoShapes:
    """Motions are read without the shapes of hands."""

    def shapes(self, hand: object, features: object) -> dict[str, float]:
        return {}


def scores_of(
    sequence: MotionSequence, labels: tuple[str, ...], heads: tuple[TrainedHead, ...]
) -> Iterator[LabelScore]:
    """What the recogniser says of each sample, its memory pickled as a worker's is."""
    recognizer = Recognizer(labels, shapes=NoShapes(), own=lambda known: with_heads(known, heads))
    motion = Motion()
    for sample in sequence.samples():
        found, motion = recognizer.recognize(sample.observation, motion)
        if sample.label == sequence.label:
            yield from found


@pytest.mark.parametrize("label", LABELS)
def test_a_mannequin_s_motion_fires_by_the_network_of_a_bundle(
    trained: ModelBundle, label: str
) -> None:
    (head,) = trained.heads
    assert head.kind is HeadKind.MOTION
    fired = 0
    for number in range(4):
        sequence = MotionSequence("new", label, 0, 100 + number, (99, number))
        best = [one.score for one in scores_of(sequence, LABELS, (head,)) if one.label == label]
        fired += max(best, default=0.0) >= trained.thresholds[label]
    assert fired >= 3


def test_a_wave_fires_where_no_face_is_read(trained: ModelBundle) -> None:
    fired = 0
    for number in range(4):
        sequence = MotionSequence("new", "wave", 0, 100 + number, (99, number))
        scores = list(scores_of(sequence, ("wave",), trained.heads))
        assert all(one.hand is not None for one in scores)
        fired += any(one.score >= trained.thresholds["wave"] for one in scores)
    assert fired >= 2


def test_readings_are_made_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    plan = HeadPlan(HeadKind.MOTION, pictures=1)
    store = ModelStore(tmp_path / "none")
    first = read_motion_examples(plan, [], store, tmp_path / "readings")
    assert first.vectors.shape[1] == HEAD_SIZES[HeadKind.MOTION]
    assert first.rules.max() > 0.6
    assert len(np.unique(first.people)) > 4
    monkeypatch.setattr(motion_readings.MotionReader, "rows", None)
    again = read_motion_examples(plan, [], store, tmp_path / "readings")
    assert (again.vectors == first.vectors).all()


def test_clips_show_what_their_folder_is_called(tmp_path: Path) -> None:
    for name in ("wave/ada/1.mp4", "wave/2.mp4", "talking/3.mp4"):
        path = tmp_path / "mine" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"")
    found = {clip.path.name: clip for clip in find_clips([tmp_path / "mine"])}
    assert [found[f"{n}.mp4"].label for n in (1, 2, 3)] == ["wave", "wave", "none"]
    assert found["1.mp4"].person == "mine/ada"
    assert found["2.mp4"].person == "mine/wave/2.mp4"


class SeesNothing:
    """Stands for the landmark models."""

    def observe(self, sample: Sample, tracks: object) -> tuple[Observation, None]:
        return Observation(sample.width, sample.height, sample.time), None


def test_a_clip_is_read_as_a_stream_and_shows_its_label_after_a_while(tmp_path: Path) -> None:
    path = tmp_path / "wave.mp4"
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264", rate=20)
        stream.width, stream.height, stream.pix_fmt = 64, 48, "yuv420p"
        for _ in range(60):
            frame = av.VideoFrame.from_ndarray(np.zeros((48, 64, 3), np.uint8), "rgb24")
            container.mux(stream.encode(frame))
        container.mux(stream.encode())
    scheduler = cast("LandmarkScheduler", SeesNothing())
    source = clip_source(LabelledClip(path, "wave", "ada"), scheduler, 5.0)
    samples = list(source.samples())
    assert len(samples) == 15
    labels = [(one.observation.time, one.label) for one in samples]
    assert all(label == ("wave" if time >= SURE else None) for time, label in labels)


def test_what_holds_no_clips_is_one_line(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="holds no clips by label"):
        find_clips([tmp_path])
    with pytest.raises(ModelError, match="is no folder"):
        find_clips([tmp_path / "missing"])
    (tmp_path / MANIFEST).write_text("{}", encoding="utf-8")
    with pytest.raises(ModelError, match="is a data set"):
        find_clips([tmp_path])
