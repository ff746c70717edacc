from pathlib import Path

import numpy as np
import pytest

from config.errors import ModelError
from reactions.landmarks.interpreter import Interpreter, Range
from reactions.landmarks.model_manifest import FACE_MESH, HAND_LITE
from reactions.landmarks.model_store import ModelStore

MESH = ((1, 1, 1, 1404), (1, 1, 1, 1))


def test_a_file_that_is_no_model_is_named(tmp_path: Path) -> None:
    path = tmp_path / "model.tflite"
    path.write_bytes(b"nothing of the kind" * 100)
    with pytest.raises(ModelError, match="can't load") as caught:
        Interpreter(path, Range.UNIT, ())
    assert caught.value.where == str(path)


@pytest.mark.models
def test_outputs_come_in_the_order_asked_for() -> None:
    path = ModelStore().path(FACE_MESH)
    picture = np.random.default_rng(0).integers(0, 255, size=(192, 192, 3), dtype=np.uint8)
    mesh, flag = Interpreter(path, Range.UNIT, MESH).run(picture)
    flag_first, mesh_last = Interpreter(path, Range.UNIT, MESH[::-1]).run(picture)
    assert np.array_equal(mesh, mesh_last)
    assert np.array_equal(flag, flag_first)


@pytest.mark.models
def test_outputs_outlive_the_next_run() -> None:
    session = Interpreter(ModelStore().path(FACE_MESH), Range.UNIT, MESH)
    before, _ = session.run(np.zeros((192, 192, 3), np.uint8))
    kept = before.copy()
    session.run(np.full((192, 192, 3), 200, np.uint8))
    assert np.array_equal(before, kept)


@pytest.mark.models
def test_an_output_that_the_model_lacks_is_an_error() -> None:
    with pytest.raises(ModelError, match="no output of shape"):
        Interpreter(ModelStore().path(HAND_LITE), Range.UNIT, ((1, 63), (1, 64)))
