from itertools import pairwise

import pytest

from reactions.landmarks.body_schedule import (
    CREDIT,
    RESTING,
    STIRRED,
    UNHINTED,
    BodyTrail,
    body_looks,
)
from reactions.landmarks.roi import Roi
from reactions.landmarks.sample_pace import sample_pace


def readings(changes: list[float], pace: float = 1.0, *, hinted: bool = True) -> list[int]:
    """The samples in which the body is read, where so much of the picture changes in each."""
    trail, read = BodyTrail(), []
    for index, changed in enumerate(changes):
        trail = trail.after(changed, pace)
        if trail.is_due(hinted=hinted):
            trail = trail.read(None)
            read.append(index)
    return read


def test_the_first_sample_is_read_and_then_one_in_ten_of_a_calm_picture() -> None:
    assert readings([0.0] * 31) == [0, RESTING, 2 * RESTING, 3 * RESTING]


def test_a_calm_body_without_a_hint_at_arms_is_read_each_five_seconds() -> None:
    assert UNHINTED == 25
    assert readings([0.0] * 51, hinted=False) == [0, UNHINTED, 2 * UNHINTED]


@pytest.mark.parametrize("hinted", [True, False])
def test_a_body_is_read_soon_after_something_moved(hinted: bool) -> None:
    assert readings([0.0] * 5 + [STIRRED, 0.0, 0.0], hinted=hinted)[-1] == 5


def test_a_restless_picture_is_read_once_in_five_samples() -> None:
    read = readings([0.2] * 200)
    assert 200 * 0.2 <= len(read) <= 200 * 0.2 + CREDIT + 1


def test_more_samples_a_second_cost_no_more_readings() -> None:
    assert readings([0.0] * 51, pace=0.4) == [0, 25, 50]
    assert len(readings([0.2] * 400, pace=0.5)) <= 200 * 0.2 + CREDIT + 1


@pytest.mark.parametrize("rate", [15, 20, 25, 30])
def test_a_body_is_read_each_two_seconds_at_any_rate(rate: int) -> None:
    times = [index / rate for index in range(2 * rate + 1)]
    trail = BodyTrail().after(0.0).read(None)
    for before, now in pairwise(times):
        assert not trail.is_due()
        trail = trail.after(0.0, sample_pace(now - before))
    assert trail.is_due()


def test_the_first_search_of_a_picture_without_face_and_hand_takes_each_part() -> None:
    parts = body_looks(640, 360)
    assert BodyTrail().looks(640, 360, alone=True) == (None, *parts)
    assert BodyTrail().looks(640, 360, alone=False) == (None,)


def test_later_searches_take_the_whole_and_the_parts_in_turn() -> None:
    trail, looks = BodyTrail(), []
    for _ in range(7):
        trail = trail.read(None)
        (look,) = trail.looks(640, 360, alone=True)
        looks.append(look)
    parts = body_looks(640, 360)
    assert looks == [parts[0], None, parts[1], None, parts[2], None, parts[0]]


@pytest.mark.parametrize(("width", "height"), [(640, 360), (480, 640)])
def test_parts_of_a_picture_reach_its_ends(width: int, height: int) -> None:
    boxes = [part.bounds() for part in body_looks(width, height)]
    assert min(left for left, *_ in boxes) <= 0
    assert max(right for _, _, right, _ in boxes) >= width
    assert min(top for _, top, *_ in boxes) <= 0
    assert max(bottom for *_, bottom in boxes) >= height


def test_a_body_that_was_found_is_looked_for_in_the_whole_first() -> None:
    trail = BodyTrail().read(None).read(Roi(1, 1, 9, 9)).read(None)
    assert trail.looks(640, 360, alone=True) == (None,)
