"""Careful readings of the hands in a stream."""

import pickle
from dataclasses import dataclass, field, replace

import numpy as np
import pytest

from reactions.landmark_types import Hand, RgbImage, Side
from reactions.landmarks.careful_hands import CarefulHands
from reactions.landmarks.held_hand import CREDIT, EVERY, PER_SAMPLE, READINGS, HeldHand
from reactions.landmarks.roi import hand_from_landmarks
from reactions.mannequin import CAST, POSES, Scene, landmarks

PICTURE: RgbImage = np.zeros((360, 640, 3), np.uint8)


def hand(pose: str = "victory") -> Hand:
    points = landmarks(CAST["Mei"], POSES[pose], Scene())[Side.RIGHT]
    return Hand(points.astype(np.float32), Side.RIGHT, 0.9, 0.9)


def moved(shown: Hand, right: float, down: float = 0.0) -> Hand:
    return replace(shown, points=shown.points + np.array([right, down, 0], np.float32))


def thumb_bent(shown: Hand, by: float) -> Hand:
    """``shown`` with the tip of its thumb ``by`` pixels further down."""
    points = shown.points.copy()
    points[4, 1] += by
    return replace(shown, points=points)


def turned(shown: Hand, around: Hand | None = None) -> Hand:
    """``shown`` turned by a quarter, about the middle of it or of ``around``."""
    middle = (around or shown).points[9] * np.array([1, 1, 0], np.float32)
    quarter = np.array([[0, 1, 0], [-1, 0, 0], [0, 0, 1]], np.float32)
    return replace(shown, points=(shown.points - middle) @ quarter + middle)


@dataclass
class Exact:
    """Reads ``seen`` wherever a hand is, and counts how often."""

    seen: Hand | None
    at: list[int] = field(default_factory=list)
    sample: int = 0

    def readings(self, picture: RgbImage, hand: Hand) -> list[Hand]:
        self.at.append(self.sample)
        return [] if self.seen is None else [self.seen, self.seen]

    def refine(self, picture: RgbImage, hand: Hand) -> Hand:
        return self.seen or hand


def stream(exact: Exact, shown: list[Hand], pace: float = 1.0) -> list[Hand]:
    careful, held, seen = CarefulHands(exact), tuple[HeldHand, ...](), []
    for number, each in enumerate(shown):
        exact.sample = number
        (known,), held = careful.read(PICTURE, [each], held, pace)
        seen.append(known)
    return seen


def test_a_hand_that_is_held_is_read_carefully_once_in_five_seconds() -> None:
    exact = Exact(hand())
    stream(exact, [hand()] * (2 * EVERY))
    assert exact.at == [1, 1 + EVERY]


def test_samples_that_come_sooner_bring_no_more_careful_readings() -> None:
    exact = Exact(hand())
    stream(exact, [hand()] * (2 * EVERY), pace=1 / 3)
    assert exact.at == [1]


def test_a_careful_reading_stands_for_the_samples_that_show_the_same() -> None:
    shown = hand()
    exact = thumb_bent(shown, 12)
    seen = stream(Exact(exact), [shown] * 6)
    assert seen[0] is shown
    for each in seen[1:]:
        bent = each.points[4, 1] - shown.points[4, 1]
        assert bent == pytest.approx(8, abs=0.1)
        np.testing.assert_allclose(each.points[5:], shown.points[5:], atol=0.1)


def test_a_careful_reading_moves_and_turns_with_its_hand() -> None:
    shown = hand()
    exact = thumb_bent(shown, 12)
    (_, here, there) = stream(Exact(exact), [shown, shown, moved(shown, 30, -20)])
    np.testing.assert_allclose(there.points, moved(here, 30, -20).points, atol=0.1)
    (_, here, there) = stream(Exact(exact), [shown, shown, turned(shown)])
    np.testing.assert_allclose(there.points, turned(here, shown).points, atol=0.1)


def test_another_shape_ends_it_at_once() -> None:
    shown, other = hand("victory"), hand("fist")
    seen = stream(Exact(thumb_bent(shown, 12)), [shown, shown, other])
    assert np.array_equal(seen[2].points, other.points)


def test_a_thumb_that_folds_is_another_shape_which_is_read_carefully() -> None:
    shown = hand()
    folded = thumb_bent(shown, 0.3 * hand_from_landmarks(shown.points).height)
    exact = Exact(shown)
    stream(exact, [shown, shown, shown, folded, folded])
    assert exact.at == [1, 3]


def test_a_hand_that_moves_fast_is_not_read_carefully() -> None:
    exact = Exact(hand())
    stream(exact, [moved(hand(), 40.0 * (n % 2)) for n in range(20)])
    assert exact.at == []


def test_where_the_two_readings_differ_much_several_are_averaged() -> None:
    shown = hand()
    exact = Exact(thumb_bent(shown, 60))
    stream(exact, [shown] * (EVERY - 1))
    assert len(exact.at) == READINGS


def test_a_hand_that_changes_all_the_time_is_read_carefully_within_a_credit() -> None:
    exact, samples = Exact(hand()), 200
    shapes = [hand("victory"), hand("victory"), hand("fist"), hand("fist")]
    stream(exact, shapes * (samples // 4))
    assert 3 < len(exact.at) <= CREDIT + samples * PER_SAMPLE


def test_a_careful_reading_that_sees_no_hand_changes_nothing() -> None:
    exact = Exact(None)
    seen = stream(exact, [hand()] * 4)
    assert exact.at
    assert all(np.array_equal(each.points, hand().points) for each in seen)


def test_a_careful_reading_tells_the_side_too() -> None:
    exact = replace(hand(), side=Side.LEFT, side_score=0.99)
    assert stream(Exact(exact), [replace(hand(), side_score=0.6)] * 2)[1].side is Side.LEFT


def test_a_careful_first_reading_stands_from_then_on() -> None:
    shown = hand()
    exact = Exact(thumb_bent(shown, 12))
    careful = CarefulHands(exact)
    (first,), held = careful.first(PICTURE, [shown])
    assert first is exact.seen
    (second,), _ = careful.read(PICTURE, [shown], held, 1.0)
    np.testing.assert_allclose(second.points, first.points, atol=0.1)
    assert exact.at == []


def test_each_of_two_hands_has_a_reading_of_its_own() -> None:
    one, two = hand("victory"), moved(hand("fist"), 200)
    careful = CarefulHands(Exact(one))
    _, held = careful.first(PICTURE, [one])
    seen, held = careful.read(PICTURE, [two, one], held, 1.0)
    assert [state.readings for state in held] == [0, 1]
    assert np.array_equal(seen[0].points, two.points)


def test_the_state_of_a_hand_takes_little_space() -> None:
    _, (state,) = CarefulHands(Exact(hand())).first(PICTURE, [hand()])
    packed = pickle.dumps(state)
    assert len(packed) < 1200
    assert pickle.loads(packed) == state
