import numpy as np

from reactions.landmark_types import Face
from reactions.landmarks.held_face import STILL, HeldFace, keeps_still
from reactions.landmarks.roi import Roi

REGION = Roi(300.0, 200.0, 200.0, 200.0)


def test_a_face_comes_back_within_a_tenth_of_a_pixel() -> None:
    points = np.random.default_rng(1).uniform(200, 400, (468, 3)).astype(np.float32)
    points[:, 2] -= 300
    held = HeldFace.of(Face(points, 0.97), REGION).face(REGION)
    assert held.presence == 0.97
    assert np.abs(held.points - points).max() < 0.1


def test_a_face_that_moves_or_grows_does_not_keep_still() -> None:
    step = 1.5 * STILL * REGION.width
    assert keeps_still(REGION, REGION.moved(0.3 * step, 0.3 * step))
    assert not keeps_still(REGION, REGION.moved(0, step))
    assert not keeps_still(REGION, Roi(300.0, 200.0, 200.0 + step, 200.0 + step))
