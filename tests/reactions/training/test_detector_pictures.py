from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from config.errors import DatasetError
from reactions.datasets.records import LabelledBox, PictureRecord, Split
from reactions.datasets.store import Dataset, changing_dataset, content_name, open_dataset
from reactions.landmarks.default_boxes import BoxLayer, default_boxes_of, placed_boxes
from reactions.training.detector_pictures import (
    IGNORED,
    NOTHING,
    BoxedExample,
    BoxedPicture,
    box_classes,
    boxed_pictures,
    digest_of,
    drawn_example,
    match,
    overlaps,
    plain_example,
    upright_picture,
)

RED = LabelledBox("mug", 40, 20, 60, 60)


def add(folder: Path, *splits: Split) -> Dataset:
    """A data set of 100x80 pictures with a red mug, one for each of ``splits``."""
    with changing_dataset(folder, create=True) as dataset:
        for number, split in enumerate(splits):
            pixels = np.full((80, 100, 3), number, np.uint8)
            pixels[20:60, 40:60] = (250, 0, 0)
            file = folder.parent / f"{number}.png"
            Image.fromarray(pixels).save(file)
            record = PictureRecord(
                content_name(file), file.name, 100, 80, "0" * 16, (RED,), split=split
            )
            dataset.put(record, file)
        dataset.save()
    return open_dataset(folder)


def picture(folder: Path) -> BoxedPicture:
    return boxed_pictures([add(folder, Split.TRAIN)], ["mug"])[0]


def red(example: BoxedExample) -> tuple[float, float, float, float]:
    """Where the red is: y, x, height, width; 0-1."""
    pixels = example.pixels.astype(int)
    rows, columns = np.nonzero(pixels[..., 0] - pixels[..., 1] > 60)
    height, width = example.pixels.shape[:2]
    top, bottom = rows.min() / height, (rows.max() + 1) / height
    left, right = columns.min() / width, (columns.max() + 1) / width
    return (top + bottom) / 2, (left + right) / 2, bottom - top, right - left


def test_pictures_for_tests_are_left_out_and_those_for_validation_held_out(tmp_path: Path) -> None:
    dataset = add(tmp_path / "set", Split.TRAIN, Split.VALIDATION, Split.TEST)
    found = boxed_pictures([dataset], box_classes([dataset]))
    assert {one.name: one.held_out for one in found} == {"0.png": False, "1.png": True}


def test_without_splits_some_pictures_are_held_out(tmp_path: Path) -> None:
    found = boxed_pictures([add(tmp_path / "set", *[Split.NONE] * 40)], ["mug"])
    assert 0 < sum(one.held_out for one in found) < 15


def test_boxes_of_other_labels_are_left_out(tmp_path: Path) -> None:
    with pytest.raises(DatasetError, match="no boxes to learn from"):
        boxed_pictures([add(tmp_path / "set", Split.TRAIN)], ["phone"])


def test_other_boxes_are_other_data(tmp_path: Path) -> None:
    one = picture(tmp_path / "set")
    moved = BoxedPicture(one.path, one.name, one.boxes + 1, one.classes)
    assert digest_of([one]) != digest_of([moved])


def test_the_whole_picture_is_letterboxed_with_its_box(tmp_path: Path) -> None:
    example = plain_example(picture(tmp_path / "set"), 128, 64)
    assert example.pixels.shape == (64, 128, 3)
    assert example.boxes[0] == pytest.approx([0.5, 0.5, 0.5, 0.125], abs=1e-5)
    assert red(example) == pytest.approx(example.boxes[0].tolist(), abs=0.04)


@pytest.mark.parametrize("seed", range(12))
def test_a_box_moves_with_what_it_shows(tmp_path: Path, seed: int) -> None:
    source = picture(tmp_path / "set")
    example = drawn_example(source, 128, 64, np.random.default_rng(seed))
    for box in example.boxes:
        assert red(example) == pytest.approx(box.tolist(), abs=0.08)


def test_the_same_chance_draws_the_same_example(tmp_path: Path) -> None:
    source = picture(tmp_path / "set")
    one, again = (drawn_example(source, 64, 64, np.random.default_rng(3)) for _ in range(2))
    assert (one.pixels == again.pixels).all()
    assert (one.boxes == again.boxes).all()


DEFAULTS = default_boxes_of([BoxLayer(4, 4, ((0.25, 0.25), (0.5, 0.25)))])


def example(*boxes: tuple[float, float, float, float]) -> BoxedExample:
    classes = np.arange(len(boxes))
    return BoxedExample(np.zeros((8, 8, 3), np.uint8), np.array(boxes, np.float32), classes)


def test_default_boxes_learn_the_object_that_they_fit() -> None:
    codes, learns = match(example((0.375, 0.375, 0.25, 0.25)), DEFAULTS)
    fits = np.flatnonzero(learns >= 0)
    assert learns[10] == 0
    assert IGNORED not in learns[fits]
    placed = placed_boxes(codes[fits], DEFAULTS[fits])
    assert placed == pytest.approx(np.array([[(0.25, 0.25), (0.5, 0.5)]] * len(fits)), abs=1e-5)


def test_an_object_that_nothing_fits_has_a_box_of_its_own() -> None:
    _, learns = match(example((0.4, 0.4, 0.05, 0.05), (0.6, 0.6, 0.9, 0.9)), DEFAULTS)
    assert {0, 1} <= set(learns.tolist())


def test_a_long_object_that_few_boxes_fit_has_its_nearest_ones() -> None:
    long = example((0.5, 0.375, 0.6, 0.14))
    _, learns = match(long, DEFAULTS)
    near = overlaps(DEFAULTS, long.boxes)[:, 0]
    assert (near.max() < 0.5, (learns >= 0).sum()) == (True, 2)
    assert near[learns >= 0].min() >= 0.35


def test_without_objects_all_boxes_learn_nothing() -> None:
    codes, learns = match(example(), DEFAULTS)
    assert (learns == NOTHING).all()
    assert not codes.any()


def test_half_a_box_overlaps_by_half() -> None:
    whole, half = np.array([[0.5, 0.5, 0.4, 0.4]]), np.array([[0.5, 0.4, 0.4, 0.2]])
    assert overlaps(whole, half)[0, 0] == pytest.approx(0.5)


def test_boxes_fit_a_picture_that_its_exif_data_turns(tmp_path: Path) -> None:
    upright = np.zeros((80, 100, 3), np.uint8)
    upright[20:60, 40:60] = (250, 0, 0)
    turned = Image.Exif()
    turned[0x0112] = 6  # The camera was held upright.
    file = tmp_path / "turned.png"
    Image.fromarray(np.ascontiguousarray(np.rot90(upright))).save(file, exif=turned)
    boxes = np.array([(RED.left, RED.top, RED.right, RED.bottom)], np.float32)
    one = BoxedPicture(file, "turned", boxes, np.zeros(1, np.int64))
    assert upright_picture(one).size == (100, 80)
    example = plain_example(one, 100, 80)
    assert red(example) == pytest.approx(tuple(example.boxes[0]), abs=0.02)


def test_pictures_that_can_t_be_learnt_from_are_one_line(tmp_path: Path) -> None:
    dataset = add(tmp_path / "set", Split.TRAIN, Split.TRAIN)
    with pytest.raises(DatasetError, match="holds no boxes to learn from"):
        boxed_pictures([add(tmp_path / "held", Split.VALIDATION)], ["mug"])
    first, second = boxed_pictures([dataset], ["mug"])
    first.path.write_bytes(first.path.read_bytes()[:90])
    with pytest.raises(DatasetError, match=r"\.png can't be read"):
        plain_example(first, 64, 64)
    second.path.unlink()
    with pytest.raises(DatasetError, match=r"\.png is missing"):
        boxed_pictures([dataset], ["mug"])
