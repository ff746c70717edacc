import json
import pickle
from pathlib import Path
from unittest.mock import patch

import numpy as np
import numpy.typing as npt
import pytest
from pydantic import ValidationError

from config.errors import ModelError
from config.reaction_rule import Kind
from config.reaction_table import load_reaction_table
from reactions.bundle import TAUGHT, ModelBundle, write_card
from reactions.bundle_label import with_bundle_labels
from reactions.geometry import Box
from reactions.gestures import features
from reactions.gestures.arms import ArmPlace, ArmsReading
from reactions.gestures.features import FEATURES
from reactions.gestures.recognizer import Recognizer
from reactions.labels import LABELS
from reactions.landmark_types import Hand, Observation, Side
from reactions.taught_labels import (
    VIEW_SIZES,
    LandmarkView,
    TaughtNetwork,
    arms_vector,
    read_taught,
)
from tests.reactions.gestures.figures import make_face
from tests.taught import taught_bundle, taught_label


class NoShapes:
    """Reads no hand shape."""

    def shapes(self, hand: Hand, features: npt.NDArray[np.float32]) -> dict[str, float]:
        return {}


def hand(side: Side) -> Hand:
    points = np.random.default_rng(3).uniform(100, 200, (21, 3)).astype(np.float32)
    if side is Side.LEFT:
        points[:, 0] = 640 - points[:, 0]
    return Hand(points, side, 1.0, 1.0)


def test_a_taught_label_is_scored_beside_the_vocabulary() -> None:
    spec = taught_label("vulcan").spec()
    seen = Observation(640, 480, 0.0, hands=(hand(Side.RIGHT),))
    scores, _ = Recognizer(["hand"], shapes=NoShapes(), taught=[spec]).recognize(seen, None)
    by_label = {score.label: score for score in scores}
    assert set(by_label) == {"hand", "vulcan"}
    assert by_label["vulcan"].score == pytest.approx(1 / (1 + np.exp(-5)), abs=1e-6)
    assert by_label["vulcan"].hand is Side.RIGHT


def test_both_hands_look_alike_to_a_network() -> None:
    rng = np.random.default_rng(0)
    hidden = tuple(map(tuple, rng.normal(size=(FEATURES + 1, 4)).tolist()))
    network = TaughtNetwork(hidden=hidden, out=(0.1, -0.2, 0.3, 0.1, 0.0))
    spec = taught_label("vulcan").model_copy(update={"network": network}).spec()
    recognizer = Recognizer([], shapes=NoShapes(), taught=[spec])
    scores = [
        recognizer.recognize(Observation(640, 480, 0.0, hands=(hand(side),)), None)[0][0].score
        for side in Side
    ]
    assert scores[0] == pytest.approx(scores[1], abs=1e-4)


def test_a_hand_is_measured_once_for_all_labels() -> None:
    specs = [
        taught_label(f"{name}_{view}", view).spec()
        for name in ("spread", "salute")
        for view in (LandmarkView.HAND, LandmarkView.HAND_AT_FACE)
    ]
    seen = Observation(640, 480, 0.0, tuple(map(hand, Side)), make_face())
    with patch.object(features, "hand_features", wraps=features.hand_features) as measure:
        scores, _ = Recognizer(["fist"], taught=specs).recognize(seen, None)
    assert len(scores) == 10
    assert measure.call_count == 2


@pytest.mark.parametrize("weight", [1e300, -1e300, 1e7])
def test_weights_that_overflow_are_refused(weight: float) -> None:
    with pytest.raises(ValidationError, match=r"hidden\.0\.0"):
        TaughtNetwork(hidden=((weight,), (0.0,)), out=(0.0, 0.0))
    with pytest.raises(ValidationError, match=r"out\.0"):
        TaughtNetwork(hidden=((0.0,), (0.0,)), out=(weight, 0.0))


def test_the_largest_weights_still_give_a_score() -> None:
    hidden = tuple((sign * 1e6,) * 64 for sign in (-1, 1, 1))
    answer = TaughtNetwork(hidden=hidden, out=(*(1e6, -1e6) * 32, 1e6)).scorer()
    scores = answer(np.array([[1e3, -1e3], [-1e3, 1e3]], np.float32))
    assert np.all((scores >= 0) & (scores <= 1))


def test_arms_have_a_vector_of_the_view_s_size() -> None:
    arm = ArmPlace((0.6, 0.5), (0.4, 0.2), (0.3, 0.1), 0.9, 0.8)
    reading = ArmsReading(0.0, arm, arm, 0.5, (0.0, 0.0), 1.0, Box(0, 0, 1, 1))
    assert arms_vector(reading).shape == (VIEW_SIZES[LandmarkView.ARMS],)


def test_a_taught_label_has_a_row_and_can_be_sent_to_workers() -> None:
    label = taught_label("vulcan", kind="sticker", sticker="party", outranks=("open_palm",))
    table = with_bundle_labels(load_reaction_table(LABELS, environ={}), [label])
    assert (table["vulcan"].kind, table["vulcan"].outranks) == (Kind.STICKER, ("open_palm",))
    assert list(table)[-1] == "vulcan"
    assert pickle.loads(pickle.dumps(label)) == label


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"name": "fist"}, "of the vocabulary"),
        ({"name": "No"}, "name"),
        ({"outranks": ("dab",)}, "'dab', which is no label"),
        ({"kind": "sticker"}, "no sticker"),
        ({"view": "arms"}, "other features"),
    ],
)
def test_a_label_that_can_t_be_meant_is_refused(changes: dict[str, object], message: str) -> None:
    values = taught_label("vulcan").model_dump() | changes
    with pytest.raises(ValidationError, match=message):
        type(taught_label("vulcan")).model_validate(values)


def test_layers_that_do_not_fit_are_refused() -> None:
    with pytest.raises(ValidationError, match="do not fit"):
        TaughtNetwork(hidden=((0.0, 0.0),), out=(0.0, 0.0))


def test_a_bundle_brings_its_taught_labels(tmp_path: Path) -> None:
    folder = taught_bundle(tmp_path / "taught-1", taught_label("vulcan"))
    bundle = ModelBundle.read(folder)
    assert [label.name for label in bundle.taught] == ["vulcan"]
    assert bundle.parent == "shipped"


@pytest.mark.parametrize("damage", ["{", '[{"name": "x"}]', "nan"])
def test_damaged_taught_labels_are_one_line(tmp_path: Path, damage: str) -> None:
    folder = taught_bundle(tmp_path / "taught-1", taught_label("vulcan"))
    file = folder / TAUGHT
    if damage == "nan":
        labels = json.loads(file.read_text())
        labels[0]["network"]["out"][0] = float("nan")
        damage = json.dumps(labels)
    file.write_text(damage)
    with pytest.raises(ModelError, match="bundle was made with"):
        ModelBundle.read(folder)
    write_card(folder)
    with pytest.raises(ModelError, match=r"taught\.json") as caught:
        ModelBundle.read(folder)
    assert "\n" not in str(caught.value)


def test_a_label_that_is_taught_twice_is_refused(tmp_path: Path) -> None:
    folder = taught_bundle(tmp_path / "taught-1", taught_label("vulcan"), taught_label("vulcan"))
    with pytest.raises(ModelError, match="taught twice"):
        read_taught(folder / TAUGHT)
