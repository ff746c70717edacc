import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from reactions.gestures.calibration import DECISION
from reactions.gestures.expressions import at_a_desk, calm, read_face, smile, surprised
from tests.reactions.gestures.figures import UNIT, Matrix, make_face, rotation

turns = st.builds(
    rotation, yaw=st.floats(-35, 35), pitch=st.floats(-25, 25), roll=st.floats(-40, 40)
)


def test_a_face_is_measured_in_distances_between_its_eyes() -> None:
    reading = read_face(make_face(width=0.6, drop=0.2, opening=0.12, brows=0.3, lids=0.4))
    assert reading.mouth_width == pytest.approx(0.6, abs=0.01)
    assert reading.corner_drop == pytest.approx(0.2, abs=0.01)
    assert reading.mouth_open == pytest.approx(0.12, abs=0.01)
    assert reading.mouth_round == pytest.approx(0.2, abs=0.02)
    assert reading.brow_height == pytest.approx(0.3, abs=0.01)
    assert reading.eye_open == pytest.approx(0.4, abs=0.01)
    assert reading.scale == pytest.approx(UNIT, rel=0.01)


@settings(deadline=None)
@given(turns, st.floats(25, 120), st.floats(0, 640), st.floats(0, 360))
def test_measures_survive_turning_moving_and_coming_nearer(
    turned: Matrix, unit: float, x: float, y: float
) -> None:
    still = read_face(make_face(opening=0.1))
    other = read_face(make_face(opening=0.1, turned=turned, unit=unit, at=(x, y)))
    assert other.smiling == pytest.approx(still.smiling, abs=0.01)
    assert other.mouth_round == pytest.approx(still.mouth_round, abs=0.01)
    assert other.eye_open == pytest.approx(still.eye_open, abs=0.01)


@settings(deadline=None)
@given(st.floats(-40, 40))
def test_a_turned_head_has_its_yaw(yaw: float) -> None:
    assert abs(read_face(make_face(turned=rotation(yaw=yaw))).yaw) == pytest.approx(
        abs(yaw), abs=0.5
    )


def test_a_face_at_rest_is_calm_and_nothing_else() -> None:
    reading = read_face(make_face())
    assert calm(reading) > DECISION
    assert smile(reading) < 0.2
    assert surprised(reading) < 0.2


def test_corners_apart_and_up_are_a_smile() -> None:
    reading = read_face(make_face(width=0.68, drop=0.15))
    assert smile(reading) > 0.95
    assert calm(reading) < 0.2


def test_a_round_open_mouth_under_raised_brows_is_surprise() -> None:
    reading = read_face(make_face(width=0.5, drop=0.27, opening=0.22, brows=0.32, lids=0.38))
    assert surprised(reading) > 0.9
    assert smile(reading) < 0.2


def test_an_open_mouth_alone_is_not_surprise() -> None:
    assert surprised(read_face(make_face(width=0.52, drop=0.3, opening=0.25))) < DECISION


def test_a_yawn_is_not_surprise() -> None:
    reading = read_face(make_face(width=0.61, drop=0.3, opening=0.33, brows=0.34, lids=0.23))
    assert surprised(reading) < 0.3


def test_raised_brows_alone_are_not_surprise() -> None:
    assert surprised(read_face(make_face(brows=0.36, lids=0.42))) < 0.2


def test_a_face_is_at_a_desk_by_its_share_of_the_picture() -> None:
    reading = read_face(make_face(unit=60))
    assert at_a_desk(reading, 640, 360) > DECISION
    assert at_a_desk(reading, 1280, 720) < DECISION
    assert at_a_desk(read_face(make_face(unit=30)), 320, 180) > DECISION


def test_a_laugh_is_a_smile_and_not_surprise() -> None:
    reading = read_face(make_face(width=0.7, drop=0.16, opening=0.25, brows=0.3, lids=0.36))
    assert smile(reading) > 0.9
    assert surprised(reading) < 0.2


def test_a_profile_shows_no_smile() -> None:
    away = make_face(width=0.68, drop=0.15, turned=rotation(yaw=60))
    assert smile(read_face(away)) < 0.2


def test_a_face_far_away_shows_no_smile() -> None:
    assert smile(read_face(make_face(width=0.68, drop=0.15, unit=14))) < 0.2
