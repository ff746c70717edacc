"""Networks in place of rules, or beside them: what they score, and which files are refused."""

from pathlib import Path

import numpy as np
import pytest

from config.errors import ModelError
from reactions.bundle import MODEL_CARD, TRAINED, ModelBundle
from reactions.geometry import Box
from reactions.gestures.arms import ArmPlace, ArmsReading
from reactions.gestures.context import Context
from reactions.gestures.motion import Motion
from reactions.labels import LABELS
from reactions.landmark_types import ModelFamily, Observation
from reactions.trained_heads import (
    HEAD_LABELS,
    HEAD_SIZES,
    HeadKind,
    HeadMode,
    TrainedHead,
    head_families,
    read_heads,
    with_heads,
    write_heads,
)
from reactions.training.bundle_files import export_bundle
from tests.taught import taught_bundle, taught_label


def head(kind: HeadKind, sure: str, mode: HeadMode = HeadMode.REPLACE) -> TrainedHead:
    """A head that sees the label ``sure`` in all readings."""
    labels = HEAD_LABELS[kind]
    answers = tuple(20.0 if label == sure else 0.0 for label in (*labels, "none"))
    return TrainedHead(
        kind=kind,
        mode=mode,
        labels=labels,
        thresholds=dict.fromkeys(labels, 0.6),
        hidden=((0.0,),) * (HEAD_SIZES[kind] + 1),
        out=((0.0,) * len(answers), answers),
    )


def hanging() -> Context:
    """A person whose arms hang down."""
    arm = ArmPlace((0.6, 0.8), (0.6, 1.4), (0.6, 1.6), 1.0, 1.0)
    reading = ArmsReading(0.0, arm, arm, 0.5, (300.0, 200.0), 100.0, Box(0, 0, 1, 1))
    observation = Observation(time=0.0, width=640, height=360, face=None, hands=())
    return Context(observation, (), None, Motion(), reading)


@pytest.mark.parametrize(("mode", "score"), [(HeadMode.REPLACE, 1.0), (HeadMode.JOIN, 0.5)])
def test_a_head_scores_its_labels_alone(mode: HeadMode, score: float) -> None:
    specs = [LABELS["shrug"], LABELS["smile"]]
    shrug, smile = with_heads(specs, [head(HeadKind.BODY, "shrug", mode)])
    assert smile is LABELS["smile"]
    (seen,) = shrug.score(hanging())
    assert seen.score == pytest.approx(score, abs=1e-3)
    (ruled,) = LABELS["shrug"].score(hanging())
    assert ruled.score == pytest.approx(0.0, abs=1e-3)


def test_a_head_s_models_are_loaded_for_its_enabled_labels_alone() -> None:
    heads = [head(HeadKind.FACE, "smile")]
    assert ModelFamily.FACE_DETAIL in head_families(frozenset({"smile"}), heads)
    assert head_families(frozenset({"shrug"}), heads) == frozenset()


def test_what_is_no_head_is_one_line(tmp_path: Path) -> None:
    path = tmp_path / TRAINED
    write_heads([head(HeadKind.BODY, "shrug")], path)
    assert read_heads(path)[0].kind is HeadKind.BODY
    whole = path.read_text(encoding="utf-8")
    for wrong in ("[", whole.replace('"body"', '"face"', 1), whole.replace("shrug", "shrugs")):
        path.write_text(wrong, encoding="utf-8")
        with pytest.raises(ModelError) as caught:
            read_heads(path)
        assert "\n" not in str(caught.value)
    write_heads([head(HeadKind.BODY, "shrug")] * 2, path)
    with pytest.raises(ModelError, match="two heads of a kind"):
        read_heads(path)


def test_a_training_is_added_to_a_bundle_and_stays_in_what_is_made_of_it(tmp_path: Path) -> None:
    for kind in HeadKind:
        folder = tmp_path / kind.value
        folder.mkdir()
        write_heads([head(kind, HEAD_LABELS[kind][0])], folder / TRAINED)
        (folder / MODEL_CARD).write_text(f"# Model card: {kind}\n\nwords\n", encoding="utf-8")
    base = ModelBundle.read(taught_bundle(tmp_path / "mine", taught_label("vulcan")))
    export_bundle(tmp_path / "body", tmp_path / "one", base)
    first = ModelBundle.read(tmp_path / "one")
    assert [one.name for one in first.taught] == ["vulcan"]
    assert first.thresholds["shrug"] == 0.6
    export_bundle(tmp_path / "face", tmp_path / "two", first)
    export_bundle(tmp_path / "motion", tmp_path / "more", ModelBundle.read(tmp_path / "two"))
    both = ModelBundle.read(tmp_path / "more")
    assert {one.kind for one in both.heads} == set(HeadKind)
    assert both.model_card is not None
    card = both.model_card.read_text(encoding="utf-8")
    assert "# Model card: body" in card
    assert "# Model card: face" in card
    export_bundle(both, tmp_path / "three")
    assert ModelBundle.read(tmp_path / "three").heads == both.heads


def test_scores_of_a_row_sum_up_to_one() -> None:
    answer = head(HeadKind.FACE, "wink").scorer()
    rows = answer(np.zeros((3, HEAD_SIZES[HeadKind.FACE]), np.float32))
    assert rows.sum(axis=1) == pytest.approx(1.0)


def test_the_folder_of_a_training_has_one_network(tmp_path: Path) -> None:
    write_heads([head(HeadKind.BODY, "shrug"), head(HeadKind.FACE, "yawn")], tmp_path / TRAINED)
    with pytest.raises(ModelError, match="holds 2 networks, and a training makes one"):
        export_bundle(tmp_path, tmp_path / "away")
