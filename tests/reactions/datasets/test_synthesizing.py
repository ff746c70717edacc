from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from config.errors import ConfigError
from reactions.datasets.records import Origin
from reactions.datasets.store import Dataset, changing_dataset, open_dataset
from reactions.datasets.synthesizing import (
    HEIGHT,
    WIDTH,
    ObjectRecipe,
    Synthesis,
    SynthesisReport,
    box_around,
    object_boxes,
    recipe_of_label,
    shows_objects,
    synthesize_pictures,
    write_landmarks,
)
from reactions.landmark_types import Side
from reactions.mannequin.object_trace import SeenObject
from reactions.mannequin.pose_file import ArmRanges, PoseRecipe, PosingHand
from reactions.mannequin.things import CLUTTER, ThingKind
from reactions.training.recorded_hands import RecordedHands

VICTORY = Synthesis(PoseRecipe(like="victory"), "victory", 3, seed=4)


def add(work: Synthesis, folder: Path) -> SynthesisReport:
    with changing_dataset(folder, create=True) as dataset:
        return synthesize_pictures(work, dataset, Origin(licence="MIT"), lambda *_: None)


def contents(dataset: Dataset) -> set[str]:
    return set(dataset.records)


def test_pictures_have_a_box_around_the_hand_that_poses(tmp_path: Path) -> None:
    assert add(VICTORY, tmp_path) == SynthesisReport(3, 0)
    dataset = open_dataset(tmp_path)
    shown = dict(VICTORY.drawn())
    for record in dataset.records.values():
        with Image.open(dataset.path(record)) as picture:
            assert picture.size == (record.width, record.height) == (WIDTH, HEIGHT)
        (box,) = record.boxes
        assert box.label == "victory"
        assert 0 <= box.left < box.right <= WIDTH
        assert 0 <= box.top < box.bottom <= HEIGHT
        assert record.origin == Origin(
            person=f"mannequin {shown[record.name].person.name}", licence="MIT"
        )


def test_a_synthesis_goes_on_where_it_ended(tmp_path: Path) -> None:
    add(Synthesis(VICTORY.recipe, "victory", 2, seed=4), tmp_path / "two")
    assert add(VICTORY, tmp_path / "two") == SynthesisReport(1, 2)
    add(VICTORY, tmp_path / "once")
    assert contents(open_dataset(tmp_path / "two")) == contents(open_dataset(tmp_path / "once"))


def test_an_interrupted_synthesis_keeps_what_it_drew(tmp_path: Path) -> None:
    def stop(share: float, what: str) -> None:
        raise KeyboardInterrupt

    with changing_dataset(tmp_path, create=True) as dataset, pytest.raises(KeyboardInterrupt):
        synthesize_pictures(VICTORY, dataset, Origin(), stop)
    assert len(open_dataset(tmp_path).records) == 1


def test_another_pose_under_the_same_label_is_drawn(tmp_path: Path) -> None:
    add(Synthesis(PoseRecipe(like="victory"), "hand", 1), tmp_path)
    assert add(Synthesis(PoseRecipe(like="fist"), "hand", 1), tmp_path) == SynthesisReport(1, 0)


def test_a_face_labels_the_whole_picture(tmp_path: Path) -> None:
    add(Synthesis(PoseRecipe(like="smile"), "smile", 1), tmp_path)
    (record,) = open_dataset(tmp_path).records.values()
    assert (record.boxes, record.labels) == ((), ("smile",))


def test_hands_outside_the_picture_have_no_box() -> None:
    assert box_around({Side.LEFT: np.full((21, 3), -50, np.float32)}, "fist") is None


def test_landmarks_are_read_by_the_report(tmp_path: Path) -> None:
    both = Synthesis(PoseRecipe(like="heart_hands"), "heart_hands", 2)
    assert write_landmarks(both, tmp_path / "hands.npz") == 4
    hands = RecordedHands.load(tmp_path / "hands.npz")
    assert hands.labels == ("heart_hands",)
    assert hands.points.shape == (4, 21, 2)
    # Mirrored, the left hand, which comes first, looks like a right one.
    assert hands.left.tolist() == [False, True] * 2


def test_pictures_of_objects_have_their_true_boxes(tmp_path: Path) -> None:
    work = Synthesis(recipe_of_label("objects"), "objects", 3, seed=2, objects=True)
    assert add(work, tmp_path) == SynthesisReport(3, 0)
    records = open_dataset(tmp_path).records.values()
    labels = {box.label for record in records for box in record.boxes}
    assert labels <= {"mug", "phone", "glass", "book", "glasses"}
    assert labels
    assert all(record.labels == () for record in records)
    assert add(work, tmp_path) == SynthesisReport(0, 3)


def test_a_pose_that_holds_a_phone_has_its_box(tmp_path: Path) -> None:
    recipe = PoseRecipe(like="phone_at_ear", right=ArmRanges(holds="phone"))
    add(Synthesis(recipe, "phone", 1, objects=True), tmp_path)
    (record,) = open_dataset(tmp_path).records.values()
    assert "phone" in {box.label for box in record.boxes}


def test_hardly_seen_and_tiny_objects_have_no_box() -> None:
    seen = (
        SeenObject("mug", 10, 10, 60, 60, 0.2),
        SeenObject("phone", 10, 10, 60, 16, 1.0),
        SeenObject("book", 10, 10, 60, 60, 0.9),
    )
    assert [box.label for box in object_boxes(seen)] == ["book"]


def test_a_label_of_the_catalogue_is_a_pose_and_an_object_is_a_scene() -> None:
    assert recipe_of_label("fist") == PoseRecipe(like="fist", side=PosingHand.EITHER)
    assert recipe_of_label("phone") == ObjectRecipe((ThingKind.PHONE,))
    assert recipe_of_label("lookalikes") == ObjectRecipe(CLUTTER)
    assert shows_objects("mug")
    assert not shows_objects("fist")
    with pytest.raises(ConfigError, match="no pose for 'fone'"):
        recipe_of_label("fone")
