import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from reactions.landmark_types import Body, Hand, RgbImage, Side
from reactions.landmarks.body import (
    BodyDetector,
    BodyFollower,
    BodyLandmarker,
    hand_regions,
    missed_hand,
    refined,
)
from reactions.landmarks.body_schedule import body_looks
from reactions.landmarks.interpreter import Tensor
from reactions.landmarks.model_manifest import POSE_FULL
from reactions.landmarks.model_store import ModelStore
from reactions.landmarks.roi import Roi
from reactions.mannequin import CAST, FAR, POSES, Scene, render

PICTURE: RgbImage = np.zeros((360, 640, 3), np.uint8)


def plainly_refined(points: Tensor, heat: Tensor) -> Tensor:
    """MediaPipe's refine_landmarks_from_heatmap calculator, point by point."""
    rows, columns, _ = heat.shape
    out = points.copy()
    for n, (x, y, _z) in enumerate(points):
        column, row = int(x * columns), int(y * rows)
        if not (0 <= column < columns and 0 <= row < rows):
            continue
        total = drawn_x = drawn_y = best = 0.0
        for r in range(max(0, row - 3), min(rows, row + 4)):
            for c in range(max(0, column - 3), min(columns, column + 4)):
                value = 1 / (1 + math.exp(-float(heat[r, c, n])))
                total += value
                best = max(best, value)
                drawn_x += c * value
                drawn_y += r * value
        if best >= 0.5 and total > 0:
            out[n, 0], out[n, 1] = drawn_x / columns / total, drawn_y / rows / total
    return out


@settings(max_examples=50)
@given(st.integers(0, 2**32 - 1), st.floats(-6, 3))
def test_refining_all_points_at_once_is_refining_each(seed: int, level: float) -> None:
    rng = np.random.default_rng(seed)
    points = rng.uniform(-0.2, 1.2, size=(12, 3)).astype(np.float32)
    points = points[(points[:, :2] > 0).all(axis=1)]  # int() of the plain one rounds up below 0
    heat = (rng.normal(size=(16, 24, len(points))) * 2 + level).astype(np.float32)
    assert refined(points, heat) == pytest.approx(plainly_refined(points, heat), abs=1e-4)


def test_a_cold_heat_map_moves_nothing() -> None:
    points = np.array([[0.5, 0.5, 0.1]], np.float32)
    assert (refined(points, np.full((64, 64, 1), -5, np.float32)) == points).all()


def body_with_hands(*fingers: tuple[float, float], seen: float = 0.9) -> Body:
    """Shoulders 100 pixels apart, and the index fingers of left and right hand."""
    points = np.zeros((33, 3), np.float32)
    points[11, :2], points[12, :2] = (370, 100), (270, 100)
    points[19, :2], points[20, :2] = fingers
    return Body(points, np.full(33, seen, np.float32), 1.0)


def hand_around(x: float, y: float) -> Hand:
    points = np.zeros((21, 3), np.float32)
    points[:, :2] = x, y
    return Hand(points, Side.LEFT, 1.0, 1.0)


def test_hands_are_looked_for_inwards_and_above_the_fingers_too() -> None:
    regions = hand_regions(body_with_hands((340, 200), (-50, 200)), 640, 360)
    assert [(region.x, region.y) for region in regions] == [
        (340, 200), (340, 180), (320, 180), (340, 200)
    ]  # fmt: skip


def test_a_body_shows_the_hand_that_is_not_among_the_known_ones() -> None:
    body = body_with_hands((400, 200), (240, 210))
    missed = missed_hand(body, [hand_around(400, 190)], 640, 360)
    assert missed is not None
    assert (missed.x, missed.y) == (240, 210)
    assert missed_hand(body, [hand_around(400, 190), hand_around(240, 200)], 640, 360) is None
    hidden = body_with_hands((400, 200), (240, 210), seen=0.3)
    assert missed_hand(hidden, [hand_around(400, 190)], 640, 360) is None


class World:
    """A body, or none: both models see it, and count their runs."""

    def __init__(self, *, present: bool, presence: float = 0.9) -> None:
        self.present, self.presence = present, presence
        self.searches = 0

    def find(self, picture: RgbImage, region: Roi | None = None) -> list[Roi]:
        self.searches += 1
        return [Roi(320, 300, 400, 400)]

    def read(
        self, picture: RgbImage, roi: Roi, *, roughly: bool = False
    ) -> tuple[Body, Roi] | None:
        body = Body(np.zeros((33, 3), np.float32), np.ones(33, np.float32), self.presence)
        return (body, roi) if self.present else None


def test_a_body_in_view_is_read_without_looking_for_it() -> None:
    world = World(present=True)
    follower = BodyFollower(world, world)
    _, region = follower.follow(PICTURE, None)
    body, _ = follower.follow(PICTURE, region)
    assert body
    assert world.searches == 1


def test_a_body_where_it_was_guessed_to_be_is_not_looked_for() -> None:
    world = World(present=True)
    body, region = BodyFollower(world, world).follow(PICTURE, None, Roi(300, 250, 500, 500))
    assert body
    assert region == Roi(300, 250, 500, 500)
    assert world.searches == 0


def test_a_body_that_is_not_where_it_was_guessed_to_be_is_looked_for() -> None:
    world = World(present=False)
    assert BodyFollower(world, world).follow(PICTURE, None, Roi(0, 0, 9, 9)) == (None, None)
    assert world.searches == 1


def test_a_lost_body_is_looked_for_in_the_same_sample() -> None:
    world = World(present=False)
    assert BodyFollower(world, world).follow(PICTURE, Roi(0, 0, 9, 9)) == (None, None)
    assert world.searches == 1


@pytest.mark.parametrize(("presence", "kept"), [(0.98, True), (0.9, False)])
def test_a_body_in_a_part_of_the_picture_must_be_certain(presence: float, kept: bool) -> None:
    world = World(present=True, presence=presence)
    part = Roi(320, 180, 320, 320)
    body, _ = BodyFollower(world, world).follow(PICTURE, None, None, [part])
    assert bool(body) is kept


@pytest.mark.models
def test_a_body_across_the_room_is_found_in_a_part_of_the_picture() -> None:
    store = ModelStore()
    drawn = render(CAST["Noor"], POSES["neutral"], Scene(distance=FAR), 320, 240)
    picture = np.tile(drawn[:1, :1], (720, 960, 1))
    picture[240:480, 320:640] = drawn
    follower = BodyFollower(BodyDetector(store), BodyLandmarker(store, POSE_FULL))
    whole, _ = follower.follow(picture, None)
    part, _ = follower.follow(picture, None, None, body_looks(960, 720))
    assert whole is None
    assert part


@pytest.mark.models
def test_a_drawn_body_has_its_left_shoulder_on_the_picture_s_right() -> None:
    store = ModelStore()
    follower = BodyFollower(BodyDetector(store), BodyLandmarker(store, POSE_FULL))
    picture = render(CAST["Noor"], POSES["neutral"], Scene(distance=FAR))
    first, region = follower.follow(picture, None)
    second, _ = follower.follow(picture, region)
    assert first
    assert second
    left, right = second.points[11], second.points[12]
    assert left[0] > right[0] + 50
    assert min(second.visibility[11:13]) > 0.9
