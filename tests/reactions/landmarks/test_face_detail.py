import numpy as np
import pytest
from PIL import Image

from reactions.landmark_types import ModelFamily, Observation, Sample
from reactions.landmarks.detail_looks import BLINKS, mouth_opening
from reactions.landmarks.model_store import ModelStore
from reactions.landmarks.scheduler import LandmarkScheduler
from reactions.mannequin import CAST, POSES, Scene, render

pytestmark = pytest.mark.models

FACE = {ModelFamily.FACE}
DETAIL = FACE | {ModelFamily.FACE_DETAIL}
EYES = DETAIL | {ModelFamily.BLENDSHAPES}


def see(pose: str, families: set[ModelFamily]) -> Observation:
    picture = render(CAST["Kofi"], POSES[pose], Scene())
    return LandmarkScheduler(ModelStore(), families).observe(Sample(picture, 0.0), None)[0]


@pytest.mark.parametrize("families", [FACE, DETAIL])
def test_a_shut_mouth_is_not_read_finely(families: set[ModelFamily]) -> None:
    face = see("neutral", families).face
    assert face
    assert face.detail is None


def test_an_open_mouth_is_read_finely_without_blendshapes() -> None:
    face = see("yawn", DETAIL).face
    assert face
    assert face.detail
    assert face.detail.blendshapes is None
    assert mouth_opening(face.detail.points) > 0.5
    apart = np.abs(face.detail.points[:468, :2] - face.points[:, :2]).mean()
    assert apart < 0.05 * np.ptp(face.points[:, 0])


@pytest.mark.parametrize(("pose", "shut"), [("neutral", False), ("eyes_closed", True)])
def test_blendshapes_tell_shut_eyes(pose: str, shut: bool) -> None:
    face = see(pose, EYES).face
    assert face
    assert face.detail
    assert face.detail.blendshapes is not None
    assert face.detail.blendshapes.shape == (52,)
    assert bool((face.detail.blendshapes[BLINKS] > 0.4).all()) is shut


@pytest.mark.parametrize("who", ["Amara", "Priya"])
def test_a_mouth_that_gapes_beyond_the_usual_region_is_read_in_a_longer_one(who: str) -> None:
    drawn = Image.fromarray(render(CAST[who], POSES["yawn"], Scene()))
    longer = np.asarray(drawn.resize((384, 360)))
    seen, _ = LandmarkScheduler(ModelStore(), EYES).observe(Sample(longer, 0.0), None)
    assert seen.face
    assert seen.face.detail
    assert mouth_opening(seen.face.points) < 0.1
    assert mouth_opening(seen.face.detail.points) > 0.8
