import pickle

import numpy as np

from reactions.landmark_types import Face
from reactions.packed_face import PackedFace


def test_a_face_comes_back_within_a_tenth_of_a_pixel() -> None:
    points = np.random.default_rng(1).uniform(200, 400, (468, 3)).astype(np.float32)
    points[:, 2] -= 300
    packed = PackedFace.of(Face(points, 0.97))
    assert packed.face.presence == 0.97
    assert np.abs(packed.face.points - points).max() < 0.1
    assert len(pickle.dumps(packed)) < 3000


def test_a_face_without_width_comes_back() -> None:
    points = np.full((468, 3), 7.0, np.float32)
    np.testing.assert_array_equal(PackedFace.of(Face(points, 1.0)).face.points, points)
