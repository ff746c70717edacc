"""Files of a detector of objects, made by TensorFlow: which ones are taken, and how read."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from config.errors import ModelError
from reactions.landmarks.object_detector import DetectorInput, ObjectDetector
from reactions.training.detector_network import DetectorShape, make_network
from reactions.training.detector_run import as_lite
from tests.reactions.training.extra import NEEDS_TRAINING

pytestmark = NEEDS_TRAINING
SHAPE = DetectorShape(64, 64, alpha=0.2, channels=8)
BOXES = sum(one.rows * one.columns * len(one.shapes) for one in SHAPE.layers())
CLASSES = ("book", "glass", "mug", "phone")


def wants(classes: Sequence[str] = CLASSES, width: int = 64) -> DetectorInput:
    return DetectorInput(width, 64, SHAPE.layers(), tuple(classes))


def converted(path: Path, shape: tuple[int, ...], answer: Callable[[Any], Any]) -> Path:
    """A model whose input has ``shape``, and that answers what ``answer`` makes of its sum."""
    import tensorflow as tf

    @tf.function(input_signature=[tf.TensorSpec(shape, tf.float32)])  # type: ignore[untyped-decorator]
    def run(picture: Any) -> Any:
        return answer(tf.reduce_sum(picture))

    converter = tf.lite.TFLiteConverter.from_concrete_functions([run.get_concrete_function()])
    path.write_bytes(converter.convert())
    return path


def answers(total: Any, classes: int = 4, boxes: int = BOXES) -> Any:
    import tensorflow as tf

    return tf.zeros((1, boxes, 4)) + total, tf.zeros((1, boxes, classes)) + total


def test_boxes_and_classes_are_not_mixed_up_where_there_are_four_classes(tmp_path: Path) -> None:
    network = make_network(SHAPE, len(CLASSES), None, seed=3)
    (tmp_path / "four.tflite").write_bytes(as_lite(network))
    detector = ObjectDetector(tmp_path / "four.tflite", wants())
    picture = np.random.default_rng(0).integers(0, 255, (64, 64, 3), np.uint8)
    codes, logits = detector._session.run(picture)
    wanted = network(picture[None] / np.float32(127.5) - 1, training=False)
    for found, right in zip((codes, logits), wanted, strict=True):
        assert np.abs(found - np.asarray(right)).max() < 0.02


@pytest.mark.parametrize(
    ("shape", "classes", "boxes", "message"),
    [
        ((1, 64, 64), 4, BOXES, r"input is float32 of shape \(1, 64, 64\)"),
        ((1, 64, 64, 1), 4, BOXES, r"of shape \(1, 64, 64, 1\), no picture"),
        ((1, 64, 96, 3), 4, BOXES, "takes 96x64 pixels, not 64x64"),
        ((1, 64, 64, 3), 3, BOXES, "no output of shape"),
        ((1, 64, 64, 3), 4, BOXES + 1, "no output of shape"),
    ],
)
def test_a_model_of_other_shapes_is_one_line(
    tmp_path: Path, shape: tuple[int, ...], classes: int, boxes: int, message: str
) -> None:
    file = converted(tmp_path / "x.tflite", shape, lambda total: answers(total, classes, boxes))
    with pytest.raises(ModelError, match=message):
        ObjectDetector(file, wants())


def test_a_model_that_answers_whole_numbers_is_one_line(tmp_path: Path) -> None:
    import tensorflow as tf

    def whole(total: Any) -> Any:
        return tuple(tf.cast(part, tf.int32) for part in answers(total))

    file = converted(tmp_path / "x.tflite", (1, 64, 64, 3), whole)
    with pytest.raises(ModelError, match="no output of shape"):
        ObjectDetector(file, wants())
