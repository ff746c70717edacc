import hashlib

import numpy as np
import pytest

from config.errors import ModelError
from reactions.landmarks.model_manifest import (
    FILES,
    PALM_SQUARE,
    PALM_WIDE,
    POSE_FULL,
    POSE_LITE,
    Edited,
)
from reactions.landmarks.model_store import ModelStore
from reactions.landmarks.prune import KEPT_OUTPUTS, check_pruned, prune
from reactions.landmarks.tflite_edit import Flatbuffer, outputs_of
from reactions.landmarks.wide_palm_model import check_widened, widen


@pytest.fixture(scope="module")
def store() -> ModelStore:
    return ModelStore()


def original(store: ModelStore, name: str) -> bytes:
    origin = FILES[name].origin
    assert isinstance(origin, Edited)
    if not store.has(origin.original):
        pytest.skip(f"{origin.original} could not be fetched on this machine")
    return store.path(origin.original).read_bytes()


@pytest.mark.parametrize("junk", [b"", b"TFL3", b"no model at all", bytes(64)])
def test_junk_is_no_model(junk: bytes) -> None:
    with pytest.raises(ModelError, match=r"not a \.tflite"):
        Flatbuffer(junk)


@pytest.mark.models
@pytest.mark.parametrize("name", [POSE_FULL, POSE_LITE, PALM_WIDE])
def test_editing_gives_the_very_bytes_that_are_pinned(store: ModelStore, name: str) -> None:
    origin = FILES[name].origin
    assert isinstance(origin, Edited)
    edited = origin.edit(original(store, name))
    assert hashlib.sha256(edited).hexdigest() == FILES[name].sha256


@pytest.mark.models
@pytest.mark.parametrize("name", [POSE_FULL, POSE_LITE])
def test_a_pruned_model_says_bit_by_bit_what_its_original_says(
    store: ModelStore, name: str
) -> None:
    whole = original(store, name)
    pruned = prune(whole)
    assert Flatbuffer(pruned).operators < Flatbuffer(whole).operators
    for seed in range(3):
        picture = np.random.default_rng(seed).random((1, 256, 256, 3), dtype=np.float32)
        before, after = outputs_of(whole, picture), outputs_of(pruned, picture)
        assert len(after) == len(KEPT_OUTPUTS)
        for place, values in zip(KEPT_OUTPUTS, after, strict=True):
            assert np.array_equal(before[place], values)


@pytest.mark.models
def test_the_check_refuses_a_model_that_says_something_else(store: ModelStore) -> None:
    whole = original(store, POSE_FULL)
    pruned = bytearray(prune(whole))
    middle = len(pruned) // 2
    pruned[middle : middle + 20_000] = bytes(20_000)
    with pytest.raises(ModelError):
        check_pruned(whole, bytes(pruned))


@pytest.mark.models
def test_the_wide_detector_differs_in_three_heights_only(store: ModelStore) -> None:
    square = original(store, PALM_WIDE)
    wide = widen(square)
    check_widened(square, wide)
    with pytest.raises(ModelError, match="three heights"):
        check_widened(square, wide[:-1] + bytes([wide[-1] ^ 1]))


@pytest.mark.models
def test_only_a_detector_with_upsampling_is_widened(store: ModelStore) -> None:
    with pytest.raises(ModelError):
        widen(store.path("face_landmark").read_bytes())
    assert PALM_SQUARE in FILES
