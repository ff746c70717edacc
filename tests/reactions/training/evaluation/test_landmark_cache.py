from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest

from reactions.landmark_types import Body, Face, Hand, Observation, Points, Quality, Side
from reactions.training.evaluation.landmark_cache import (
    LandmarkCache,
    read_observations,
    write_observations,
)


def seen() -> Sequence[Observation]:
    rng = np.random.default_rng(0)

    def points(n: int) -> Points:
        return rng.normal(size=(n, 3)).astype(np.float32)

    hand = Hand(points(21), Side.LEFT, 0.9, 0.8)
    body = Body(points(33), np.ones(33, np.float32), 0.7)
    return [
        Observation(640, 360, 0.0, (hand,), Face(points(468), 0.99), body),
        Observation(640, 360, 0.2, quality=Quality.BLACK),
    ]


def test_observations_come_back_as_they_were(tmp_path: Path) -> None:
    write_observations(tmp_path / "a.npz", seen())
    first, second = read_observations(tmp_path / "a.npz")
    (hand,) = first.hands
    assert hand.side is Side.LEFT
    assert np.all(hand.points == seen()[0].hands[0].points)
    assert first.face is not None
    assert first.face.points.shape == (468, 3)
    assert first.body is not None
    assert first.body.visibility.shape == (33,)
    assert (second.hands, second.face) == ((), None)
    assert second.quality is Quality.BLACK


def test_what_is_kept_is_not_made_again(tmp_path: Path) -> None:
    made: list[int] = []

    def make() -> Sequence[Observation]:
        made.append(1)
        return seen()

    for _ in range(2):
        assert len(LandmarkCache(tmp_path).observations("a", make)) == 2
    assert len(LandmarkCache(tmp_path).observations("b", make)) == 2
    assert len(made) == 2


@pytest.mark.parametrize("kept", [0, 100])
def test_a_file_that_was_cut_short_is_made_again(tmp_path: Path, kept: int) -> None:
    LandmarkCache(tmp_path).observations("a", seen)
    (path,) = tmp_path.rglob("*.npz")
    path.write_bytes(path.read_bytes()[:kept])
    assert len(LandmarkCache(tmp_path).observations("a", seen)) == 2


def test_without_a_folder_nothing_is_kept() -> None:
    assert len(LandmarkCache(None).observations("a", seen)) == 2
