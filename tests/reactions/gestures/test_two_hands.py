from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest

from reactions.gestures.calibration import DECISION
from reactions.gestures.motion import Motion, claps
from reactions.gestures.recognizer import Recognizer
from reactions.gestures.two_hands import (
    HandPair,
    aslant,
    edge_on,
    heart_hands,
    namaste,
    timeout_sign,
)
from reactions.labels import LabelScore
from reactions.landmark_types import Hand, Side
from tests.reactions.gestures.figures import make_hand, see

PALM = 40.0


class ThumbsUp:
    """Reads every hand as a thumb up, the left one less surely."""

    def shapes(self, hand: Hand, features: npt.NDArray[np.float32]) -> Mapping[str, float]:
        sure = 0.8 if hand.side is Side.LEFT else 0.95
        return {"thumbs_up": sure, "open_palm": 0.01, "ok_hand": 0.01}


def pair(left: Hand, right: Hand) -> HandPair:
    seen = see(0.0, left, right)
    context = Recognizer(["hand"]).measure(seen, Motion())
    return HandPair.of(*context.hands)


def mirrored(hand: Hand, about: float) -> Hand:
    points = hand.points.copy()
    points[:, 0] = 2 * about - points[:, 0]
    return Hand(points, Side.LEFT, hand.side_score, hand.presence)


def both(*, at: float, **hand: Any) -> HandPair:
    """A right hand whose wrist is ``at`` pixels from the middle, and its mirror image."""
    right = make_hand((320 - at, 300), palm=PALM, **hand)
    return pair(mirrored(right, 320), right)


def half_heart(at: float, *, hooked: bool = True) -> Hand:
    """A hand whose thumb and index finger end at ``at`` pixels from the middle."""
    hand = make_hand((250, 300), palm=PALM)
    points = hand.points
    points[4, :2] = 320 - at, 270
    points[6, :2] = (290, 215) if hooked else (300, 255)
    points[8, :2] = 320 - at, 238
    return hand


def score(scores: tuple[LabelScore, ...], label: str) -> LabelScore | None:
    return next((each for each in scores if each.label == label), None)


def test_two_thumbs_up_are_as_sure_as_the_less_sure_one() -> None:
    seen = see(0.0, make_hand((150, 300), side=Side.LEFT), make_hand((500, 300)))
    scores, _ = Recognizer(["double_thumbs_up"], shapes=ThumbsUp()).recognize(seen, None)
    double = score(scores, "double_thumbs_up")
    assert double is not None
    assert double.score == pytest.approx(0.8)
    assert double.hand is None
    assert double.box.width > 0.5


def test_one_thumb_up_is_not_two() -> None:
    seen = see(0.0, make_hand((500, 300)))
    scores, _ = Recognizer(["double_thumbs_up"], shapes=ThumbsUp()).recognize(seen, None)
    assert score(scores, "double_thumbs_up") is None


def test_thumbs_and_hooked_index_fingers_that_meet_make_a_heart() -> None:
    right = half_heart(4)
    assert heart_hands(pair(mirrored(right, 320), right)) > DECISION


def test_straight_index_fingers_make_a_triangle_and_fingers_apart_nothing() -> None:
    straight, apart = half_heart(4, hooked=False), half_heart(40)
    assert heart_hands(pair(mirrored(straight, 320), straight)) < DECISION
    assert heart_hands(pair(mirrored(apart, 320), apart)) < 0.2


def test_two_upright_hands_palm_to_palm_greet() -> None:
    right = make_hand((315, 300), palm=PALM)
    right.points[:, 0] = 315 + (right.points[:, 0] - 315) * 0.3
    assert namaste(pair(mirrored(right, 320), right)) > DECISION


def test_steepled_hands_and_hands_apart_do_not_greet() -> None:
    assert namaste(both(at=60, lean=35)) < 0.2
    assert namaste(both(at=90)) < 0.2


def test_a_hand_seen_from_its_edge_differs_from_one_seen_from_the_front() -> None:
    front = make_hand((300, 300), palm=PALM)
    edge = Hand(front.points.copy(), front.side, 0.9, 0.9)
    edge.points[:, 0] = 300 + (edge.points[:, 0] - 300) * 0.4
    assert edge_on(edge) > DECISION
    assert edge_on(front) < 0.2


def test_pressed_hands_from_aside_are_narrower_than_a_shown_palm() -> None:
    shown = make_hand((300, 300), palm=PALM)
    turned = Hand(shown.points.copy(), shown.side, 0.9, 0.9)
    turned.points[:, 0] = 300 + (turned.points[:, 0] - 300) * 0.6
    assert aslant(turned) > DECISION > edge_on(turned)
    assert aslant(shown) < DECISION


def crossbar(lean: float = 90, up: float = 0.0) -> Hand:
    """A flat hand that lies level with its middle above (320, 220)."""
    return make_hand((265, 215 - up), palm=PALM, lean=lean)


def test_a_flat_hand_on_the_tips_of_the_other_is_a_timeout() -> None:
    post = make_hand((320, 300), palm=PALM)
    assert timeout_sign(pair(crossbar(), post)) > DECISION
    assert timeout_sign(pair(post, crossbar())) > DECISION


@pytest.mark.parametrize(
    "bar", [crossbar(up=60), crossbar(lean=20), make_hand((120, 215), palm=PALM, lean=90)]
)
def test_hands_that_make_no_t_are_no_timeout(bar: Hand) -> None:
    assert timeout_sign(pair(bar, make_hand((320, 300), palm=PALM))) < DECISION


def clapped(gaps: list[float]) -> float:
    """What claps make of hands whose palms are so many palm lengths apart, five times a second."""
    moved = Motion()
    for index, gap in enumerate(gaps):
        right = make_hand((320 - gap * PALM * 0.65, 300), palm=PALM)
        moved = moved.follow(see(index * 0.2, mirrored(right, 320), right))
    return claps(moved)


def test_hands_that_meet_and_part_again_and_again_clap() -> None:
    assert clapped([0.6, 3.0, 0.6, 3.0, 0.6, 3.0, 0.6]) > DECISION


@pytest.mark.parametrize(
    "gaps", [[0.6] * 8, [3.0, 4.5, 3.0, 4.5, 3.0, 4.5, 3.0], [0.6, 3.0, 3.0, 3.0, 3.0, 3.0, 3.0]]
)
def test_hands_that_rest_or_stay_apart_do_not_clap(gaps: list[float]) -> None:
    assert clapped(gaps) < DECISION


def watched(at: list[float], *, both_in: range) -> Motion:
    """The motion of clapping hands so far from the middle, pixels; outside the samples ``both_in``
    the right one is seen alone."""
    moved = Motion()
    for index, gap in enumerate(at):
        right = make_hand((320 - gap, 300), palm=PALM)
        hands = (mirrored(right, 320), right) if index in both_in else (right,)
        moved = moved.follow(see(index * 0.2, *hands))
    return moved


def test_of_clapping_hands_one_suffices_once_both_were_seen() -> None:
    swinging = [16.0, 60.0] * 4
    assert claps(watched(swinging, both_in=range(2))) > DECISION
    assert claps(watched(swinging, both_in=range(0))) < DECISION


def test_a_hand_that_is_lost_and_found_beside_another_does_not_clap() -> None:
    moved = Motion()
    right = make_hand((280, 300), palm=PALM)
    for index in range(10):
        hands = (right,) if index % 4 > 1 else (mirrored(right, 340), right)
        moved = moved.follow(see(index * 0.2, *hands))
    assert claps(moved) < DECISION


def test_two_readings_of_one_hand_are_no_pair() -> None:
    hand = make_hand((300, 300), palm=PALM)
    again = replace(hand, points=hand.points + np.float32(5))
    scores, motion = Recognizer(["namaste", "double_victory"]).recognize(
        see(0.0, hand, again), Motion()
    )
    assert all(score.score < DECISION for score in scores)
    assert motion.pair is None
