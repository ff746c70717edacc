from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from reactions.landmark_types import Hand, ModelFamily, Observation, Side
from reactions.landmarks.model_store import ModelStore
from reactions.landmarks.scheduler import LandmarkScheduler
from reactions.mannequin import CAST, POSES, Scene, render
from reactions.training.photos import Photo
from reactions.training.sightings import Sightings, look, look_twice


@pytest.mark.models
def test_a_picture_is_read_with_care_and_then_as_a_stream_reads_it() -> None:
    picture = render(CAST["Mei"], POSES["victory"], Scene())
    scheduler = LandmarkScheduler(ModelStore(), frozenset({ModelFamily.HANDS}))
    still, streamed = look_twice(scheduler, picture)
    assert len(still.hands) == len(streamed.hands) == 1
    apart = np.abs(still.hands[0].points - streamed.hands[0].points)[:, :2].mean()
    assert 0 < apart < 5


@pytest.mark.models
def test_a_photo_is_looked_at_with_the_models_of_all_labels_and_kept(tmp_path: Path) -> None:
    Image.fromarray(render(CAST["Mei"], POSES["yawn"], Scene())).save(tmp_path / "a.png")
    photos = [Photo("drawn", "yawn", "a.png", "image")]
    (seen,) = look(tmp_path, photos, ModelStore(), tmp_path / "cache")
    assert seen.face is not None
    assert seen.face.detail is not None
    assert seen.face.detail.points.shape == (478, 3)
    (tmp_path / "a.png").unlink()
    (again,) = look(tmp_path, photos, ModelStore(), tmp_path / "cache")
    assert again.face is not None
    assert again.face.detail is not None
    np.testing.assert_array_equal(again.face.detail.points, seen.face.detail.points)


def test_sightings_say_which_hand_is_in_which_photo() -> None:
    rng = np.random.default_rng(0)
    hands = [
        Hand(rng.random((21, 3), np.float32), side, 0.75, 0.5) for side in (Side.LEFT, Side.RIGHT)
    ]
    seen = [
        Observation(640, 480, 0.0),
        Observation(320, 200, 0.0, tuple(hands)),
        Observation(64, 48, 0.0, (hands[1],)),
    ]
    sightings = Sightings.of(seen)
    assert sightings.photo.tolist() == [1, 1, 2]
    assert sightings.left.tolist() == [True, False, False]
    np.testing.assert_array_equal(sightings.points[2], hands[1].points)
