import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from reactions.landmarks.roi import (
    Positions,
    Roi,
    body_from_face,
    body_from_keypoints,
    face_from_landmarks,
    grown,
    hand_from_landmarks,
    hand_from_palm,
    letterbox,
    rotate_roi,
    turned_box,
)

places = st.floats(-500, 1500)
sizes = st.floats(1, 800)
angles = st.floats(-math.pi, math.pi)
rois = st.builds(Roi, places, places, sizes, sizes, angles)
CORNERS = np.array([[0, 0], [1, 0], [1, 1], [0, 1], [0.5, 0.5]], np.float32)


def points(*pairs: tuple[float, float]) -> Positions:
    return np.array(pairs, np.float32)


def turned(positions: Positions, angle: float) -> Positions:
    cos, sin = math.cos(angle), math.sin(angle)
    return positions @ np.array([[cos, sin], [-sin, cos]], np.float32)


@given(rois)
def test_points_of_the_picture_are_where_they_came_from_in_the_region(roi: Roi) -> None:
    inside = np.array([[0.2, 0.9, 0.3], [1.1, -0.2, 0]], np.float32)
    assert roi.from_picture(roi.to_picture(inside)) == pytest.approx(inside, abs=0.01)


@given(rois)
def test_the_middle_of_a_region_is_its_place(roi: Roi) -> None:
    assert roi.to_picture(CORNERS)[4] == pytest.approx((roi.x, roi.y), abs=0.01)


@given(rois)
def test_bounds_hold_the_corners_tightly(roi: Roi) -> None:
    corners = roi.to_picture(CORNERS[:4])
    left, top, right, bottom = roi.bounds()
    assert corners.min(axis=0) == pytest.approx((left, top), abs=0.05)
    assert corners.max(axis=0) == pytest.approx((right, bottom), abs=0.05)


def test_z_has_the_scale_of_the_region() -> None:
    placed = Roi(0, 0, 200, 100).to_picture(np.array([[0.5, 0.5, -0.25]], np.float32))
    assert placed[0, 2] == -50


@given(st.integers(1, 5000), st.integers(1, 5000), st.sampled_from([1.0, 1.5]))
def test_a_letterbox_just_holds_the_picture(width: int, height: int, aspect: float) -> None:
    left, top, right, bottom = letterbox(width, height, aspect).bounds()
    assert left <= 1e-6
    assert top <= 1e-6
    assert right >= width - 1e-6
    assert bottom >= height - 1e-6
    assert max(width / (right - left), height / (bottom - top)) == pytest.approx(1)


@given(angles, angles)
def test_turning_by_the_angle_brings_a_line_to_its_target(line: float, target: float) -> None:
    angle = rotate_roi((0, 0), (math.cos(line), -math.sin(line)), target)
    assert abs(angle) <= math.pi + 1e-9
    # Angles count clockwise on screen, so turning back by one adds to the mathematical angle.
    assert math.cos(line + angle - target) == pytest.approx(1)


@given(st.lists(st.tuples(places, places), min_size=3, max_size=20), angles)
def test_a_turned_box_holds_its_points(pairs: list[tuple[float, float]], angle: float) -> None:
    box = turned_box(points(*pairs), angle)
    relative = turned(points(*pairs) - points((box.x, box.y)), -angle)
    assert np.abs(relative[:, 0]).max() == pytest.approx(box.width / 2, abs=0.1)
    assert np.abs(relative[:, 1]).max() == pytest.approx(box.height / 2, abs=0.1)


@given(rois, rois)
def test_overlap_is_a_symmetric_fraction(a: Roi, b: Roi) -> None:
    assert 0 <= a.overlap(b) <= 1 + 1e-9
    assert a.overlap(b) == pytest.approx(b.overlap(a))
    assert a.overlap(a) == pytest.approx(1)


def test_half_a_shared_square_overlaps_a_third() -> None:
    assert Roi(0, 0, 10, 10).overlap(Roi(5, 0, 10, 10)) == pytest.approx(1 / 3)


def test_growing_moves_along_the_region_s_own_downward_axis() -> None:
    grew = grown(Roi(100, 100, 20, 40, math.pi / 2), scale=2, shift=-0.5)
    assert (grew.x, grew.y) == pytest.approx((120, 100))
    assert (grew.width, grew.height) == (80, 80)


def test_a_palm_upright_leads_to_a_region_above_its_wrist() -> None:
    keypoints = points((100, 200), (0, 0), (100, 150), (0, 0), (0, 0), (0, 0), (0, 0))
    roi = hand_from_palm(Roi(100, 180, 50, 50), keypoints)
    assert roi.angle == pytest.approx(0)
    assert (roi.x, roi.y) == pytest.approx((100, 155))
    assert roi.width == pytest.approx(130)


HAND = np.random.default_rng(7).normal(size=(21, 3)).astype(np.float32) * 40 + 300


@given(angles, places, places)
def test_a_hand_s_region_turns_and_moves_with_the_hand(angle: float, x: float, y: float) -> None:
    before = hand_from_landmarks(HAND)
    moved = HAND.copy()
    moved[:, :2] = turned(HAND[:, :2], angle) + np.array([x, y], np.float32)
    after = hand_from_landmarks(moved)
    middle = turned(points((before.x, before.y)), angle) + points((x, y))
    assert math.cos(after.angle - before.angle - angle) == pytest.approx(1, abs=1e-3)
    assert points((after.x, after.y)) == pytest.approx(middle, abs=0.5)
    assert after.width == pytest.approx(before.width, rel=0.01)


def test_a_face_s_region_is_its_upright_box_turned_with_its_eyes() -> None:
    mesh = np.zeros((468, 3), np.float32)
    mesh[:, :2] = np.random.default_rng(1).uniform(100, 200, size=(468, 2))
    mesh[33, :2], mesh[263, :2] = (120, 140), (180, 140)
    mesh[0, :2], mesh[1, :2] = (100, 100), (200, 180)
    roi = face_from_landmarks(mesh)
    assert roi.angle == pytest.approx(0)
    assert roi.width == roi.height
    assert roi.width == pytest.approx(1.5 * np.ptp(mesh[:, :2], axis=0).max())


def test_a_body_is_below_its_face() -> None:
    roi = body_from_face(Roi(320, 100, 80, 80, 0.2))
    assert (roi.x, roi.y, roi.width, roi.height) == pytest.approx((320, 284, 680, 680))
    assert roi.angle == 0


def test_a_body_s_region_is_a_circle_s_square_a_quarter_larger() -> None:
    roi = body_from_keypoints(points((100, 200), (100, 120)))
    assert (roi.x, roi.y, roi.width, roi.height) == pytest.approx((100, 200, 200, 200))
    assert roi.angle == pytest.approx(0)
