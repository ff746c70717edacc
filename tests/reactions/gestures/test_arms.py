from dataclasses import replace

import numpy as np
import pytest

from reactions.gestures.arms import (
    KEPT,
    ArmsReading,
    arms_crossed,
    arms_raised,
    hands_crossed,
    hands_on_head,
    palms_meet,
    read_arms,
    shrug,
)
from reactions.gestures.calibration import DECISION
from reactions.gestures.motion import Motion
from reactions.gestures.recognizer import Recognizer
from reactions.landmark_types import Body, Observation
from tests.reactions.gestures.figures import make_hand

SHOULDERS = 120.0
Spot = tuple[float, float]
MEASURES = (arms_raised, hands_on_head, arms_crossed, shrug)


def make_body(
    elbow: Spot, wrist: Spot, *, sure: float = 1.0, tilt: float = 0.0, shoulders: float = SHOULDERS
) -> Body:
    """A person whose arms are mirror images, in shoulder widths outwards and down."""
    points = np.zeros((33, 3))
    points[0, :2] = 0, -0.5
    for side, first in ((1, 11), (-1, 12)):
        points[first, :2] = side * 0.5, 0
        points[first + 2, :2] = side * elbow[0], elbow[1]
        points[first + 4, :2] = side * wrist[0], wrist[1]
        points[first + 8, :2] = side * wrist[0], wrist[1] - 0.2
    turn = np.array([[np.cos(tilt), np.sin(tilt)], [-np.sin(tilt), np.cos(tilt)]])
    points[:, :2] = points[:, :2] @ turn * shoulders + (320, 200)
    return Body(points.astype(np.float32), np.full(33, sure, np.float32), 0.95)


def see_body(body: Body | None, time: float = 0.0) -> Observation:
    return Observation(640, 360, time, body=body)


def read(elbow: Spot, wrist: Spot, **body: float) -> ArmsReading:
    made = make_body(elbow, wrist, **body)
    return read_arms(made, see_body(made))


POSED = {
    arms_raised: ((0.95, -0.6), (0.9, -1.4)),
    hands_on_head: ((1.2, -0.35), (0.45, -0.6)),
    arms_crossed: ((0.5, 0.7), (-0.3, 0.3)),
    shrug: ((0.75, 0.75), (1.15, 0.35)),
}


def test_arms_are_placed_in_shoulder_widths() -> None:
    reading = read((0.9, 0.5), (0.7, 1.1))
    for arm in reading.both:
        assert arm.elbow == pytest.approx((0.9, 0.5), abs=0.01)
        assert arm.wrist == pytest.approx((0.7, 1.1), abs=0.01)
    assert reading.nose == pytest.approx(0.5, abs=0.01)


def test_the_frame_tilts_with_the_shoulders() -> None:
    upright, tilted = read((0.9, 0.5), (0.7, 1.1)), read((0.9, 0.5), (0.7, 1.1), tilt=0.3)
    assert tilted.left.wrist == pytest.approx(upright.left.wrist, abs=0.01)


@pytest.mark.parametrize("measure", MEASURES)
def test_each_pose_is_itself_and_none_of_the_others(measure: object) -> None:
    for other, pose in POSED.items():
        assert (other(read(*pose)) > DECISION) is True
        if other is not measure:
            assert [one(read(*pose)) > DECISION for one in MEASURES if one is not other] == [
                False
            ] * 3


@pytest.mark.parametrize(
    ("elbow", "wrist"),
    [
        pytest.param((0.6, 0.8), (0.6, 1.4), id="hanging"),
        pytest.param((1.2, 0.3), (1.25, -0.3), id="flexed"),
        pytest.param((1.2, 0.1), (2.0, 0.0), id="stretched aside"),
        pytest.param((1.0, 0.5), (0.6, 1.1), id="on the hips"),
        pytest.param((0.4, 0.85), (-0.2, 1.35), id="crossed low"),
        pytest.param((0.85, 0.75), (0.5, 0.25), id="at the chin"),
        pytest.param((0.55, 0.75), (0.15, 0.4), id="holding a phone with both hands"),
    ],
)
def test_other_arms_are_none_of_them(elbow: Spot, wrist: Spot) -> None:
    assert [measure(read(elbow, wrist)) > DECISION for measure in MEASURES] == [False] * 4


@pytest.mark.parametrize("wrist", [(0.12, 0.3), (-0.06, 0.3)])
def test_hands_about_to_cross_are_crossed_arms_across_a_room_alone(wrist: Spot) -> None:
    assert arms_crossed(read((0.45, 0.7), wrist, shoulders=40.0)) > DECISION
    assert arms_crossed(read((0.45, 0.7), wrist)) < DECISION


def test_hands_held_together_between_wide_elbows_are_not_crossed_across_a_room() -> None:
    assert arms_crossed(read((0.55, 0.75), (0.15, 0.4), shoulders=40.0)) < DECISION


@pytest.mark.parametrize("measure", [arms_raised, arms_crossed, shrug])
def test_arms_out_of_sight_are_not_believed(measure: object) -> None:
    for one, pose in POSED.items():
        if one is measure:
            assert one(read(*pose, sure=0.2)) < DECISION


def test_hands_at_the_other_hands_side_are_crossed() -> None:
    reading = read((0.45, 0.8), (0.4, 0.4))
    left = (320 - 0.2 * SHOULDERS, 240.0), (320 - 0.5 * SHOULDERS, 220.0)
    right = (320 + 0.2 * SHOULDERS, 240.0), (320 + 0.5 * SHOULDERS, 220.0)
    assert hands_crossed(reading, [left, right]) > DECISION
    assert hands_crossed(reading, [left[::-1], right[::-1]]) < 0.2
    assert hands_crossed(reading, [left]) == 0


def test_palms_may_meet_in_the_middle_where_both_elbows_are_out() -> None:
    out, hanging = read((0.75, 0.8), (0.2, 0.4)), read((0.55, 0.8), (0.2, 0.4))
    assert palms_meet(out, (320, 220)) > DECISION
    assert palms_meet(out, (420, 220)) < DECISION
    assert palms_meet(hanging, (320, 220)) < DECISION


def test_a_reading_holds_until_the_body_is_read_again() -> None:
    recognizer = Recognizer(["arms_raised"])
    scores, motion = recognizer.recognize(see_body(make_body(*POSED[arms_raised])), None)
    assert scores[0].score > DECISION
    scores, motion = recognizer.recognize(see_body(None, KEPT - 0.1), motion)
    assert scores[0].score > DECISION
    later, _ = recognizer.recognize(see_body(None, KEPT + 0.1), motion)
    assert later == ()


def test_a_body_no_larger_than_a_hand_is_that_hand() -> None:
    body = make_body(*POSED[arms_raised])
    seen = replace(see_body(body), hands=(make_hand((300, 250), palm=SHOULDERS / 4),))
    assert Motion().follow(seen).arms is not None
    near = replace(seen, hands=(make_hand((300, 250), palm=SHOULDERS * 1.1),))
    assert Motion().follow(near).arms is None
    assert Motion().follow(seen).follow(replace(near, time=0.2, body=None)).arms is None


def test_no_body_scores_nothing() -> None:
    scores, motion = Recognizer(["shrug"]).recognize(see_body(None), Motion())
    assert scores == ()
    assert motion.arms is None
    assert replace(motion, mouth=()) == motion
