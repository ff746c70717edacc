"""Slots of people besides the main one, with faces that the tests place."""

from collections.abc import Sequence
from itertools import pairwise

import numpy as np
import pytest

from reactions.landmark_types import Face, RgbImage
from reactions.landmarks.people import (
    KEPT,
    MOST_PEOPLE,
    SEARCH_EVERY,
    SEARCH_LOST,
    PeopleFollower,
)
from reactions.landmarks.roi import Roi, face_from_landmarks
from reactions.landmarks.track_state import PeopleTrail

PICTURE = np.zeros((360, 640, 3), np.uint8)


def mesh(x: float, y: float, width: float = 60.0) -> Face:
    """A face of 468 points around ``x``, ``y``."""
    around = np.linspace(0, 2 * np.pi, 468)
    points = np.stack([np.cos(around) * width / 2, np.sin(around) * width / 2, around * 0], 1)
    return Face(np.asarray(points + np.array([x, y, 0]), np.float32), 1.0)


def region(x: float, y: float, width: float = 60.0) -> Roi:
    return face_from_landmarks(mesh(x, y, width).points)


class Room:
    """Implements ``Faces`` and ``FaceReader``: faces are where ``places`` says."""

    def __init__(self, *places: tuple[float, float]) -> None:
        self.places = list(places)
        self.width = 60.0
        self.searches = 0

    def find(self, picture: RgbImage, region_: Roi | None = None) -> list[Roi]:
        self.searches += 1
        return [region(x, y, self.width) for x, y in self.places]

    def read(self, picture: RgbImage, roi: Roi) -> Face | None:
        near = [(x, y) for x, y in self.places if abs(roi.x - x) < 40 and abs(roi.y - y) < 60]
        return mesh(*near[0], self.width) if near else None


class Stream:
    """Samples at five a second, the main face where the first place is."""

    def __init__(self, room: Room) -> None:
        self.room = room
        self.follower = PeopleFollower(room, room)
        self.trail = PeopleTrail()
        self.time = 0.0

    def run(
        self, samples: int, main: tuple[float, float] | None = (160.0, 150.0)
    ) -> Sequence[set[int]]:
        """The slots of the others in each sample."""
        slots = []
        for _ in range(samples):
            self.time += 0.2
            there = None if main is None else region(*main)
            people, self.trail = self.follower.follow(PICTURE, there, self.trail, self.time)
            slots.append({one.slot for one in people})
        return slots


MAIN, SECOND, THIRD = (160.0, 150.0), (460.0, 150.0), (320.0, 150.0)


def test_one_person_costs_one_search_in_so_many_samples() -> None:
    stream = Stream(Room(MAIN))
    assert stream.run(3 * SEARCH_EVERY + 3) == [set()] * (3 * SEARCH_EVERY + 3)
    assert stream.room.searches == 3


def test_a_second_person_is_found_and_then_read_without_any_search() -> None:
    stream = Stream(Room(MAIN, SECOND))
    assert stream.run(SEARCH_EVERY + 1)[-1] == {1}
    searches = stream.room.searches
    assert stream.run(SEARCH_EVERY)[-1] == {1}
    assert stream.room.searches == searches


def test_a_person_who_is_lost_for_a_moment_comes_back_to_the_same_slot() -> None:
    room = Room(MAIN, SECOND, THIRD)
    stream = Stream(room)
    assert stream.run(SEARCH_EVERY + 1)[-1] == {1, 2}
    room.places.remove(SECOND)
    assert stream.run(2)[-1] == {2}
    room.places.append((SECOND[0] + 20, SECOND[1]))
    assert stream.run(SEARCH_LOST + 1)[-1] == {1, 2}


def test_a_slot_is_free_again_when_its_person_is_gone_for_long() -> None:
    room = Room(MAIN, SECOND)
    stream = Stream(room)
    stream.run(SEARCH_EVERY + 1)
    room.places.remove(SECOND)
    stream.run(round(KEPT * 5) + 12)
    room.places.append((320.0, 250.0))
    assert stream.run(SEARCH_EVERY + 1)[-1] == {1}


def test_the_main_face_that_becomes_anothers_takes_their_slot() -> None:
    room = Room(MAIN, SECOND)
    stream = Stream(room)
    stream.run(SEARCH_EVERY + 1)
    room.places.remove(MAIN)
    stream.run(1, None)
    stream.run(1, SECOND)
    assert stream.trail.slot == 1
    assert [one.slot for one in stream.trail.lost] == [0]
    room.places.append(MAIN)
    assert stream.run(SEARCH_EVERY + 1, SECOND)[-1] == {0}


def test_faces_in_the_background_are_no_ones() -> None:
    room = Room(MAIN, SECOND)
    room.width = 20.0
    assert Stream(room).run(SEARCH_EVERY + 1)[-1] == set()


@pytest.mark.parametrize("crowd", [4, 6])
def test_at_most_four_people_are_followed_with_a_slot_each(crowd: int) -> None:
    places = [MAIN, *((320.0 + 75 * n, 150.0) for n in range(crowd - 1))]
    for one, next_ in pairwise(places):
        assert next_[0] - one[0] > 60
    assert Stream(Room(*places)).run(SEARCH_EVERY + 1)[-1] == set(range(1, MOST_PEOPLE))


def test_without_a_main_face_no_one_is_searched() -> None:
    stream = Stream(Room(MAIN, SECOND))
    assert stream.run(2 * SEARCH_EVERY, None)[-1] == set()
    assert stream.room.searches == 0
