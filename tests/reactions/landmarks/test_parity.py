"""Our landmarks against those of MediaPipe 0.10.21's own solutions, on drawn people."""

import os
from collections.abc import Callable, Sequence

import numpy as np
import numpy.typing as npt
import pytest

from reactions.landmark_types import Hand, RgbImage, Side
from reactions.landmarks.body import BodyDetector, BodyFollower, BodyLandmarker
from reactions.landmarks.face import FaceDetector, FaceFollower, FaceMesh
from reactions.landmarks.hands import HandFollower, HandLandmarker, PalmDetector
from reactions.landmarks.model_manifest import HAND_LITE, POSE_FULL, POSE_LITE
from reactions.landmarks.model_store import ModelStore
from tests.reactions.landmarks.freeze_parity import Reference, ask, thaw
from tests.reactions.landmarks.parity_scenes import parity_scenes

LIMIT = 0.01
"""Mean distance of the landmarks, by the longer side of the object's box."""
INTERPRETER = "SIDECAR_MEDIAPIPE_PYTHON"

Points = npt.NDArray[np.float32]
Errors = list[tuple[float, str]]

SCENES = parity_scenes()
pytestmark = pytest.mark.models


@pytest.fixture(scope="module")
def store() -> ModelStore:
    return ModelStore()


@pytest.fixture(scope="module")
def pictures() -> dict[str, RgbImage]:
    return {scene.name: scene.picture() for scene in SCENES}


@pytest.fixture(
    scope="module",
    params=[pytest.param(thaw, id="frozen"), pytest.param(ask, id="live")],
)
def reference(request: pytest.FixtureRequest) -> Reference:
    source: Callable[..., Reference] = request.param
    if source is thaw:
        return frozen_for_these_mannequins()
    python = os.environ.get(INTERPRETER)
    if python is None:
        pytest.skip(f"set {INTERPRETER} to a Python with mediapipe 0.10.21 to compare live")
    return ask(python)


def frozen_for_these_mannequins() -> Reference:
    frozen = thaw()
    for scene in SCENES:
        before = frozen[f"{scene.name}/thumbnail"]
        if np.abs(scene.thumbnail().astype(float) - before).max() > 4:
            pytest.fail(f"{scene.name} is drawn otherwise now: freeze again (docs/landmarks.md)")
    return frozen


def error(ours: Points, theirs: Points) -> float:
    """Mean distance of the points by the longer side of their box."""
    distances = np.linalg.norm(ours[:, :2] - theirs[:, :2], axis=1)
    return float(distances.mean() / np.ptp(theirs[:, :2], axis=0).max())


def nearest(hands: Sequence[Hand], points: Points) -> Hand:
    return min(hands, key=lambda hand: error(hand.points, points))


def assert_close(errors: Errors) -> None:
    mean = np.mean([error for error, _ in errors])
    assert mean <= LIMIT, f"mean error {mean:.2%}; worst: {sorted(errors)[-3:]}"


def test_hands_agree_in_number_place_and_side(
    store: ModelStore,
    pictures: dict[str, RgbImage],
    reference: Reference,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    # Searching in parts of the picture is ours alone.
    for regions in ("hand_search_regions", "turned_looks", "close_ups"):
        monkeypatch.setattr(f"reactions.landmarks.hands.{regions}", lambda *_: [])
    follower = HandFollower(PalmDetector(store), HandLandmarker(store, HAND_LITE))
    errors: Errors = []
    for name, picture in pictures.items():
        theirs, right = reference[f"{name}/hands"], reference[f"{name}/right"]
        ours, _ = follower.follow(picture, None)
        assert len(ours) == len(theirs), name
        for points, is_right in zip(theirs, right, strict=True):
            hand = nearest(ours, points)
            errors.append((error(hand.points, points), name))
            assert hand.side is (Side.RIGHT if is_right else Side.LEFT), name
    assert_close(errors)


def test_faces_agree(
    store: ModelStore, pictures: dict[str, RgbImage], reference: Reference
) -> None:
    follower = FaceFollower(FaceDetector(store), FaceMesh(store))
    errors: Errors = []
    for name, picture in pictures.items():
        for points in reference[f"{name}/face"]:
            ours, _ = follower.follow(picture, None)
            assert ours, name
            errors.append((error(ours.points, points), name))
    assert_close(errors)


@pytest.mark.parametrize(("key", "model"), [("body_full", POSE_FULL), ("body_lite", POSE_LITE)])
def test_bodies_agree(
    store: ModelStore, pictures: dict[str, RgbImage], reference: Reference, key: str, model: str
) -> None:
    if not store.has(model):
        pytest.skip(f"{model} could not be fetched on this machine")
    follower = BodyFollower(BodyDetector(store), BodyLandmarker(store, model))
    errors: Errors = []
    for name, picture in pictures.items():
        for points in reference[f"{name}/{key}"]:
            ours, _ = follower.follow(picture, None)
            assert ours, name
            seen = points[:, 2] > 0.5
            errors.append((error(ours.points[seen], points[seen]), name))
    assert_close(errors)


def test_scenes_have_hands_faces_and_bodies() -> None:
    frozen = thaw()
    assert {scene.name for scene in SCENES} == {name.split("/")[0] for name in frozen}
    for key, least in (("hands", 8), ("face", 10), ("body_full", 10), ("body_lite", 10)):
        found = sum(len(values) for name, values in frozen.items() if name.endswith(f"/{key}"))
        assert found >= least, key
