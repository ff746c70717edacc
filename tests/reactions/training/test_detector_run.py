"""A detector from the first picture to a reaction, trained in seconds on mannequins with phones."""

import json
import os
import random
import signal
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from config.errors import DatasetError, ModelError
from config.reaction_rule import Kind
from reactions.bundle import DETECTOR, DETECTOR_CARD, ModelBundle
from reactions.bundle_label import with_bundle_labels
from reactions.datasets.records import Split
from reactions.datasets.store import changing_dataset
from reactions.landmark_types import Sample
from reactions.landmarks.model_store import ModelStore
from reactions.mannequin.render import render_objects
from reactions.pipeline import PipelineConfig
from reactions.policy import Policy
from reactions.reaction_event import ReactionStage
from reactions.training.bundle_files import export_bundle, model_card
from reactions.training.checkpoints import only_training
from reactions.training.detector_run import DetectorOutcome, refuse_detector, train_detector
from tests.reactions.training.extra import NEEDS_TRAINING
from tests.reactions.training.tiny_detector import KILLED, LEARNS, PHONES, SMALL, draw_phones

pytestmark = [NEEDS_TRAINING, pytest.mark.soak]
KILLS = max(int(os.environ.get("SIDECAR_TEST_KILLS", "3")) // 3, 1)
"""How often a training is killed; a third as often as smaller ones are."""
MOMENTS = {"write": 3, "step": 6, "fsync": 6, "rename": 3}
"""How often each moment comes in a whole training, or a little less."""


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return draw_phones(tmp_path_factory.mktemp("data") / "phones", 14)


@pytest.fixture(scope="module")
def trained(data: Path, tmp_path_factory: pytest.TempPathFactory) -> DetectorOutcome:
    if "SIDECAR_TEST_KILLS" not in os.environ:
        pytest.skip("trains for a minute of processor time: `make soak`")
    folder = tmp_path_factory.mktemp("run") / "phones"
    shares: list[float] = []
    outcome = train_detector(
        LEARNS, [data], folder, threads=1, move=lambda share, what: shares.append(share)
    )
    assert shares == sorted(shares)
    assert shares[-1] == 1.0
    assert len(shares) > LEARNS.steps
    return outcome


@pytest.fixture(scope="module")
def bundle(trained: DetectorOutcome, tmp_path_factory: pytest.TempPathFactory) -> ModelBundle:
    folder = tmp_path_factory.mktemp("bundle") / "phones"
    export_bundle(trained.weights.parent, folder)
    return ModelBundle.read(folder)


def test_a_training_ends_with_all_its_results(trained: DetectorOutcome) -> None:
    folder = trained.weights.parent
    assert (folder / "curves.png").read_bytes().startswith(b"\x89PNG")
    assert list((folder / "tensorboard").rglob("events.out.tfevents.*"))
    assert (folder / "saved_model" / "saved_model.pb").is_file()
    assert not (folder / "checkpoints").exists()
    assert trained.weights.stat().st_size < 1 << 20
    with pytest.raises(ModelError, match="holds a trained detector"):
        refuse_detector(folder)


def test_the_saved_model_answers_as_the_lite_one(trained: DetectorOutcome) -> None:
    import tensorflow as tf
    from ai_edge_litert.interpreter import Interpreter

    picture = (
        np.random.default_rng(0)
        .uniform(-1, 1, (1, SMALL.height, SMALL.width, 3))
        .astype(np.float32)
    )
    saved = tf.saved_model.load(str(trained.weights.parent / "saved_model"))
    codes, logits = saved.serve(picture)
    lite = Interpreter(str(trained.weights))
    lite.allocate_tensors()
    lite.set_tensor(lite.get_input_details()[0]["index"], picture)
    lite.invoke()
    answers = {
        tuple(one["shape"]): lite.get_tensor(one["index"]) for one in lite.get_output_details()
    }
    for answer in (codes.numpy(), logits.numpy()):
        assert answers[answer.shape] == pytest.approx(answer, abs=0.05)


def test_a_mannequin_that_holds_a_phone_sets_off_the_label(bundle: ModelBundle) -> None:
    assert "phone" in {label.name for label in bundle.detected}
    config = PipelineConfig(
        ModelStore().folder, frozenset(), detector=bundle.detector, detected=bundle.detected
    )
    # Three held-out boxes make a threshold of little worth; a user's row says another.
    rules = with_bundle_labels({}, bundle.labels)
    row = {"threshold": 0.3, "release": 0.2}
    policy = Policy({name: rule.model_copy(update=row) for name, rule in rules.items()})
    pipeline = config.load()
    shown = PHONES.draw(np.random.default_rng([77, 1]))
    memory, started = None, []
    for number in range(15):
        picture, seen = render_objects(shown.person, shown.pose, shown.scene, seed=number)
        # A camera that still says the same shows nothing new.
        picture[0, 0] = number
        detection = pipeline.detect(Sample(picture, number / 5), memory)
        memory = detection.memory
        events = policy.observe("ada", detection.scores, number / 5)
        started += [one for one in events if one.stage is ReactionStage.STARTED]
    (phone,) = [one for one in started if one.label == "phone"]
    (box,) = [one for one in seen if one.name == "phone"]
    x, y = phone.box.center
    assert box.left < x * 640 < box.right
    assert box.top < y * 360 < box.bottom


def test_the_card_says_how_it_was_trained_and_what_that_does_not_prove(
    bundle: ModelBundle,
) -> None:
    card = model_card(bundle)
    assert "# Model card: detector of objects" in card
    assert "| `phone` |" in card
    assert "no photos with boxes of mugs, phones, glasses or books" in card
    assert "ms a look" in card


@pytest.mark.parametrize("name", [DETECTOR, DETECTOR_CARD])
def test_a_tampered_detector_is_one_line(bundle: ModelBundle, name: str, tmp_path: Path) -> None:
    export_bundle(bundle, tmp_path / "copy")
    file = tmp_path / "copy" / name
    content = bytearray(file.read_bytes())
    content[len(content) // 2] ^= 1
    file.write_bytes(content)
    with pytest.raises(ModelError, match="is not the file that the bundle was made with") as caught:
        ModelBundle.read(tmp_path / "copy")
    assert "\n" not in str(caught.value)


def test_a_row_of_the_detector_s_json_makes_it_a_sticker(
    trained: DetectorOutcome, tmp_path: Path
) -> None:
    source = tmp_path / "mine"
    source.mkdir()
    card = json.loads(trained.weights.with_suffix(".json").read_text())
    for label in card["labels"]:
        label |= {"kind": "sticker", "sticker": "coffee"}
    (source / DETECTOR_CARD).write_text(json.dumps(card))
    (source / DETECTOR).write_bytes(trained.weights.read_bytes())
    export_bundle(source, tmp_path / "coffee")
    assert {one.rule().kind for one in ModelBundle.read(tmp_path / "coffee").labels} == {
        Kind.STICKER
    }


def test_data_without_boxes_is_one_line(tmp_path: Path) -> None:
    with changing_dataset(draw_phones(tmp_path / "none", 1)) as dataset:
        for record in list(dataset.records.values()):
            dataset.put(replace(record, boxes=()))
        dataset.save()
    with pytest.raises(DatasetError, match="holds no boxes to learn from"):
        train_detector(KILLED, [tmp_path / "none"], tmp_path / "run")


def test_a_damaged_picture_ends_a_training_with_one_line(tmp_path: Path) -> None:
    folder = draw_phones(tmp_path / "data", 2)
    with changing_dataset(folder) as dataset:
        for record in list(dataset.records.values()):
            dataset.put(replace(record, split=Split.TRAIN))
            path = dataset.path(record)
            path.write_bytes(path.read_bytes()[:-2000])
        dataset.save()
    with pytest.raises(DatasetError, match="can't be read") as caught:
        train_detector(KILLED, [folder], tmp_path / "run", threads=1)
    assert "\n" not in str(caught.value)


def test_two_trainings_in_one_folder_are_refused(data: Path, tmp_path: Path) -> None:
    with (
        only_training(tmp_path / "run" / "checkpoints"),
        pytest.raises(ModelError, match="another training works there"),
    ):
        train_detector(KILLED, [data], tmp_path / "run")


def run_training(*arguments: object) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "tests.reactions.training.tiny_detector"]
    # The same number of threads in each process: sums in another order are other sums.
    environ = {**os.environ, "OMP_NUM_THREADS": "1", "TF_CPP_MIN_LOG_LEVEL": "2"}
    line = [*command, *map(str, arguments)]
    return subprocess.run(line, env=environ, check=False, capture_output=True, text=True)


def moments() -> list[tuple[str, int]]:
    """Seeded moments; each kind in turn."""
    draw = random.Random(6)
    kinds = [list(MOMENTS)[number % len(MOMENTS)] for number in range(KILLS)]
    return [(kind, draw.randint(2, MOMENTS[kind])) for kind in kinds]


@pytest.mark.skipif(sys.platform == "win32", reason="there is no SIGKILL")
@pytest.mark.parametrize(("moment", "number"), moments())
def test_a_killed_training_of_a_detector_resumes_to_the_same_weights(
    moment: str, number: int, data: Path, tmp_path: Path
) -> None:
    assert run_training(data, tmp_path / "run", moment, number).returncode == -signal.SIGKILL
    ended = run_training(data, tmp_path / "run")
    assert ended.returncode == 0, ended.stderr[-2000:]
    assert ended.stdout.strip().splitlines()[-1] == "same"
    assert not list((tmp_path / "run" / "checkpoints").glob("*.partial"))
