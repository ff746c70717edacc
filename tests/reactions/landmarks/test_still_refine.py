"""Hands of a still picture, read a second time."""

import numpy as np
import pytest

from reactions.landmark_types import Hand, Side
from reactions.landmarks.hands import HandLandmarker, PalmDetector
from reactions.landmarks.model_manifest import HAND_LITE
from reactions.landmarks.model_store import ModelStore
from reactions.landmarks.roi import letterbox
from reactions.landmarks.still_refine import StillRefiner, mean_hand
from reactions.mannequin import CAST, POSES, Scene, landmarks, render

SHAPE = np.random.default_rng(3).uniform(-30, 30, size=(21, 3)).astype(np.float32)


def test_the_mean_of_readings_is_on_the_side_that_is_surer() -> None:
    right, left = Hand(SHAPE, Side.RIGHT, 0.6, 0.9), Hand(SHAPE + 2, Side.LEFT, 0.9, 0.7)
    mean = mean_hand([right, left])
    assert mean.side is Side.LEFT
    assert mean.side_score == pytest.approx(0.65)
    assert mean.presence == pytest.approx(0.8)
    np.testing.assert_allclose(mean.points, SHAPE + 1, atol=1e-5)


@pytest.mark.models
def test_a_second_reading_is_nearer_to_the_truth() -> None:
    store, scene, pose = ModelStore(), Scene(), POSES["victory"]
    palms, reader, refiner = (
        PalmDetector(store),
        HandLandmarker(store, HAND_LITE),
        StillRefiner(store),
    )
    first, second = 0.0, 0.0
    for person in list(CAST.values())[:4]:
        picture = render(person, pose, scene)
        truth = landmarks(person, pose, scene)[Side.RIGHT][:, :2]
        hand = reader.read(picture, palms.find(picture, letterbox(640, 360)).hands[0])
        assert hand
        first += float(np.linalg.norm(hand.points[:, :2] - truth, axis=1).mean())
        again = refiner.refine(picture, hand)
        assert again.side is Side.RIGHT
        second += float(np.linalg.norm(again.points[:, :2] - truth, axis=1).mean())
    assert second < first


@pytest.mark.models
def test_a_mirrored_hand_has_the_other_side_and_unmirrored_landmarks() -> None:
    store = ModelStore()
    reader = HandLandmarker(store, HAND_LITE)
    picture = render(CAST["Mei"], POSES["open_palm"], Scene())
    roi = PalmDetector(store).find(picture, letterbox(640, 360)).hands[0]
    plain, mirrored = reader.read(picture, roi), reader.read(picture, roi, mirrored=True)
    assert plain
    assert mirrored
    assert plain.side is mirrored.side is Side.RIGHT
    extent = float(np.ptp(plain.points[:, 1]))
    assert np.abs(plain.points - mirrored.points)[:, :2].mean() < 0.05 * extent


@pytest.mark.models
def test_where_the_second_reading_sees_no_hand_the_first_one_stays() -> None:
    picture = render(CAST["Mei"], POSES["neutral"], Scene())
    points = SHAPE / 3 + np.array([20, 20, 0], np.float32)
    hand = Hand(points.astype(np.float32), Side.RIGHT, 0.9, 0.9)
    assert StillRefiner(ModelStore()).refine(picture, hand) is hand
