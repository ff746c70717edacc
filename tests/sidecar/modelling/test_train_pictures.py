from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from reactions.datasets.records import LabelledBox, Origin, PictureRecord
from reactions.datasets.store import changing_dataset, open_dataset
from reactions.datasets.synthesizing import Synthesis, synthesize_pictures
from reactions.gestures.hand_classifier import HandShapeClassifier
from reactions.landmark_types import Hand, Observation, Side
from reactions.landmarks.model_store import ModelStore
from reactions.mannequin.pose_file import PoseRecipe
from reactions.taught_labels import LandmarkView
from sidecar.modelling.teach import TeachOptions, read_examples
from sidecar.modelling.train_pictures import (
    hand_shape_of,
    label_picture_hands,
    read_dataset_hands,
)


def record(*labels: str, boxes: tuple[LabelledBox, ...] = ()) -> PictureRecord:
    return PictureRecord("0" * 64 + ".png", "a.png", 200, 100, "0" * 16, boxes, labels)


def observation(*middles: tuple[float, float]) -> Observation:
    """Hands around ``middles`` in a picture that was read at half its size."""
    hands = []
    for x, y in middles:
        points = np.zeros((21, 3), np.float32)
        points[:, :2] = (x / 2, y / 2)
        hands.append(Hand(points, Side.LEFT, 1.0, 1.0))
    return Observation(100, 50, 0.0, tuple(hands))


def test_the_hand_in_a_box_shows_what_the_box_says() -> None:
    boxes = (LabelledBox("fist", 100, 0, 200, 100), LabelledBox("tea", 0, 50, 50, 100))
    seen = observation((150, 20), (20, 80), (80, 20))
    found = list(label_picture_hands(record(boxes=boxes), seen))
    assert [(hand.shape, hand.points[0][0]) for hand in found] == [("fist", 75.0), ("none", 10.0)]
    assert all(hand.left for hand in found)


def test_a_whole_picture_s_label_is_that_of_its_upper_hand() -> None:
    found = list(label_picture_hands(record("ok"), observation((20, 80), (30, 10))))
    assert [(hand.shape, hand.points[0][1]) for hand in found] == [("ok_hand", 5.0)]
    assert list(label_picture_hands(record("fist", "rock"), observation((20, 80)))) == []
    assert list(label_picture_hands(record(), observation((20, 80)))) == []


@pytest.mark.parametrize(
    ("label", "shape"),
    [
        ("fist_back", "fist"),
        ("drinking_tea", "none"),
        ("neg_back_of_hand", "none"),
        ("raised_hand", None),
        ("mixed", None),
    ],
)
def test_a_label_says_what_its_hand_shows(label: str, shape: str | None) -> None:
    assert hand_shape_of(label) == shape


@pytest.fixture
def fists(tmp_path: Path) -> Path:
    """A data set of one picture of a mannequin called Ada."""
    work = Synthesis(PoseRecipe(like="fist"), "fist", 1)
    with changing_dataset(tmp_path / "set", create=True) as dataset:
        synthesize_pictures(work, dataset, Origin(person="Ada"), lambda *_: None)
    return tmp_path / "set"


@pytest.mark.models
def test_a_person_of_two_data_sets_is_one_and_is_not_named(fists: Path, tmp_path: Path) -> None:
    hands = read_dataset_hands([fists, fists], ModelStore(), tmp_path / "cache")
    assert len(hands.points) >= 2
    assert set(hands.sources.tolist()) == {"data set, person 1"}


@pytest.mark.models
def test_boxes_of_one_picture_teach_as_one(fists: Path) -> None:
    with changing_dataset(fists) as dataset:
        (record,) = dataset.records.values()
        dataset.put(replace(record, boxes=(*record.boxes, *record.boxes)))
        dataset.save()
    options = TeachOptions("fist", LandmarkView.HAND)
    read = read_examples(options, fists, None, ModelStore(), HandShapeClassifier(), lambda *_: None)
    assert len(open_dataset(fists).records) == read.pictures == 1
    assert {example.picture for example in read.shown} == {0}
