"""When a bundle's detector looks, and what it is given."""

import numpy as np
import pytest

from reactions.geometry import Box
from reactions.landmark_types import FoundObject, ModelFamily, RgbImage, Sample
from reactions.landmarks.model_store import ModelStore
from reactions.landmarks.object_detector import EVERY_OBJECTS
from reactions.landmarks.scheduler import LandmarkScheduler


class CountingFinder:
    """Finds the same mug in each picture, and counts."""

    def __init__(self) -> None:
        self.looks = 0

    def find(self, picture: RgbImage) -> tuple[FoundObject, ...]:
        self.looks += 1
        return (FoundObject("mug", 0.9, Box(0.2, 0.2, 0.1, 0.1)),)


def picture(number: int) -> RgbImage:
    return np.random.default_rng(number).integers(40, 200, (90, 160, 3), np.uint8)


def looked(
    count: int, rate: float, families: frozenset[ModelFamily] | None = None
) -> tuple[CountingFinder, list[bool]]:
    finder, tracks, found = CountingFinder(), None, []
    scheduler = LandmarkScheduler(ModelStore(), frozenset({ModelFamily.DETECTOR}), objects=finder)
    for number in range(count):
        sample = Sample(picture(number), number / rate, families=families)
        observation, tracks = scheduler.observe(sample, tracks)
        found.append(observation.objects is not None)
    return finder, found


def test_it_looks_at_the_first_sample_and_at_one_in_five() -> None:
    finder, found = looked(11, rate=5)
    assert [number for number, there in enumerate(found) if there] == [0, 5, 10]
    assert finder.looks == 3
    assert EVERY_OBJECTS == 5


def test_more_samples_a_second_cost_no_more_looks() -> None:
    assert looked(31, rate=15)[0].looks == pytest.approx(3, abs=1)


def test_it_does_not_look_where_objects_are_of_no_interest() -> None:
    assert looked(4, rate=5, families=frozenset({ModelFamily.HANDS}))[0].looks == 0


def test_without_a_detector_nothing_is_looked_for() -> None:
    scheduler = LandmarkScheduler(ModelStore(), frozenset())
    observation, _ = scheduler.observe(Sample(picture(1), 0.0), None)
    assert observation.objects is None
