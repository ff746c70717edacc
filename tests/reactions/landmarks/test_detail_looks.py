import numpy as np
import pytest

from reactions.landmark_types import FaceDetail, Points, RgbImage
from reactions.landmarks.detail_looks import (
    EVERY,
    DetailTrail,
    eye_patches,
    gapes,
    is_due,
    is_lively,
    is_narrow,
    may_gape,
    mouth_opening,
    unlike,
)
from reactions.landmarks.sample_pace import sample_pace
from tests.reactions.gestures.figures import make_face


def face(opening: float) -> Points:
    """A face whose mouth opens so far, by its width."""
    return make_face(width=0.5, opening=0.5 * opening).points


def eyes(seed: int = 3) -> bytes:
    return np.random.default_rng(seed).integers(0, 200, 2 * 32 * 16, np.uint8).tobytes()


SEEN = DetailTrail(unread=1, eyes=eyes())


def test_a_mouth_is_measured_by_its_width() -> None:
    assert mouth_opening(face(0.4)) == pytest.approx(0.4, abs=0.01)


@pytest.mark.parametrize("always", [True, False])
def test_an_open_mouth_is_looked_at(always: bool) -> None:
    assert is_due(face(0.5), eyes(), SEEN, always=always)


def test_an_open_mouth_is_looked_at_no_more_often_than_usual() -> None:
    once = DetailTrail(0, eyes=eyes()).passed(0.4)
    assert not is_due(face(0.5), eyes(), once, always=True)
    assert is_due(face(0.5), eyes(), once.passed(0.4).passed(0.4), always=True)


def test_a_still_face_is_left_alone_for_a_while() -> None:
    assert not is_due(face(0.0), eyes(), SEEN, always=True)
    assert is_due(face(0.0), eyes(), DetailTrail(EVERY, eyes=eyes()), always=True)


def test_a_first_face_is_looked_at_where_eyes_are_wanted() -> None:
    assert is_due(face(0.0), eyes(), DetailTrail(), always=True)
    assert not is_due(face(0.0), b"", DetailTrail(), always=False)


def test_eyes_that_change_are_looked_at() -> None:
    assert is_due(face(0.0), eyes(4), SEEN, always=True)


def test_what_was_lively_is_looked_at_again() -> None:
    assert is_due(face(0.0), eyes(), DetailTrail(1, lively=True, eyes=eyes()), always=True)


def test_light_does_not_change_eyes() -> None:
    brighter = (np.frombuffer(eyes(), np.uint8) // 2 + 60).astype(np.uint8).tobytes()
    assert unlike(eyes(), brighter) < 0.05


def test_one_eye_that_changes_is_enough() -> None:
    half = len(eyes()) // 2
    assert unlike(eyes(), eyes()[:half] + eyes(4)[half:]) > 0.5


def test_eyes_of_another_size_are_others() -> None:
    assert unlike(eyes(), b"") == 2.0


@pytest.mark.parametrize(("blink", "lively"), [(0.1, False), (0.7, True)])
def test_a_shut_eye_is_lively(blink: float, lively: bool) -> None:
    shapes = np.zeros(52, np.float32)
    shapes[9] = blink
    assert is_lively(FaceDetail(face(0.0), shapes)) is lively


def test_a_mouth_that_is_wide_open_is_lively() -> None:
    assert is_lively(FaceDetail(face(0.5)))


def test_eye_patches_follow_the_head() -> None:
    picture: RgbImage = np.full((360, 640, 3), 180, np.uint8)
    points = make_face(at=(300.0, 150.0)).points
    for x, y, _ in points[[159, 386]].astype(int):
        picture[y - 3 : y + 4, x - 3 : x + 4] = 20
    moved = np.roll(picture, 40, axis=1)
    shifted = points + np.array([40, 0, 0], np.float32)
    assert unlike(eye_patches(picture, points), eye_patches(moved, shifted)) < 0.01
    assert unlike(eye_patches(picture, points), eye_patches(moved, points)) > 0.35


def test_a_burst_of_fifteen_a_second_is_looked_at_as_often_as_usual() -> None:
    trail = DetailTrail(0, eyes=eyes())
    for _ in range(3):
        trail = trail.passed(sample_pace(11 / 15 - 10 / 15))
    assert trail.unread < 1
    assert is_due(face(0.5), eyes(), trail, always=True)


def blinking(left: float, right: float) -> FaceDetail:
    shapes = np.zeros(52, np.float32)
    shapes[9], shapes[10] = left, right
    return FaceDetail(face(0.0), shapes)


def test_eyes_that_may_be_shut_are_read_again_soon() -> None:
    trail = DetailTrail.of(blinking(0.3, 0.3), eyes())
    assert not is_due(face(0.0), eyes(), trail.passed().passed(), always=True)
    assert is_due(face(0.0), eyes(), trail.passed().passed().passed(), always=True)


def test_eyes_that_were_about_shut_are_read_again_soon_though_one_reading_opens_them() -> None:
    trail = DetailTrail.of(blinking(0.3, 0.3), eyes())
    looks = 0
    while is_due(face(0.0), eyes(), trail.passed().passed().passed(), always=True):
        trail, looks = DetailTrail.of(blinking(0.1, 0.1), eyes(), trail), looks + 1
    assert looks == 4


def test_both_eyes_must_be_narrow() -> None:
    assert is_narrow(blinking(0.3, 0.3))
    assert not is_narrow(blinking(0.1, 0.3))
    assert not is_narrow(FaceDetail(face(0.0)))


def test_a_mouth_that_was_open_may_gape_where_it_seems_shut() -> None:
    shut, talked = FaceDetail(face(0.0)), DetailTrail(1, wide=True, unstretched=6)
    assert may_gape(shut, talked)
    assert not may_gape(FaceDetail(face(0.5)), talked)
    assert not may_gape(shut, DetailTrail(1, wide=True, unstretched=2))


def test_any_shut_mouth_may_gape_now_and_then() -> None:
    shut = FaceDetail(face(0.0))
    assert may_gape(shut, DetailTrail(1, unstretched=15))
    assert not may_gape(shut, DetailTrail(1, unstretched=14))


def test_a_mouth_that_gaped_where_only_the_long_region_shows_it_is_looked_at() -> None:
    gaping = FaceDetail(face(0.8))
    trail = DetailTrail.of(gaping, b"", long=True).passed()
    assert gapes(gaping)
    assert is_due(face(0.0), b"", trail, always=False)
