import numpy as np
import pytest

from reactions.landmark_types import Face, Hand, Observation, Side
from reactions.training.evaluation.skin_tone import (
    ApparentTone,
    apparent_tone,
    tone_of,
    typology_angle,
)


@pytest.mark.parametrize(
    ("colour", "tone"),
    [
        ((246, 237, 228), ApparentTone.LIGHT),
        ((214, 172, 130), ApparentTone.INTERMEDIATE),
        ((191, 149, 104), ApparentTone.TAN),
        ((96, 65, 52), ApparentTone.DARK),
    ],
)
def test_a_tone_follows_from_lightness_and_yellow(
    colour: tuple[int, int, int], tone: ApparentTone
) -> None:
    assert tone_of(np.array(colour, np.float64)) is tone


def test_the_angle_is_that_of_colorimetry() -> None:
    # L* 70 and b* 20: atan(20 / 20).
    assert typology_angle(np.array([199.0, 164.0, 135.0])) == pytest.approx(45, abs=2)


def test_the_face_counts_before_the_hand_and_a_hand_alone_by_its_palm() -> None:
    picture = np.full((100, 200, 3), 250, np.uint8)
    picture[:, 100:] = (60, 40, 30)
    bright = np.full((468, 3), 50, np.float32)
    dark = np.full((21, 3), 150, np.float32)
    dark[:, 1] = 50
    hand, face = Hand(dark, Side.LEFT, 0.9, 0.9), Face(bright, 0.9)
    both = Observation(200, 100, 0.0, (hand,), face)
    assert apparent_tone(picture, both) is ApparentTone.LIGHT
    assert apparent_tone(picture, Observation(200, 100, 0.0, (hand,))) is ApparentTone.DARK
    assert apparent_tone(picture, Observation(200, 100, 0.0)) is None
