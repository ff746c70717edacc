"""Hands over time, drawn: what waves at which rate of sampling, and what only moves."""

import pickle
from collections.abc import Callable, Iterator
from math import pi, sin

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from reactions.gestures.calibration import DECISION
from reactions.gestures.motion import (
    HISTORY,
    MOST_HANDS,
    MOST_MOMENTS,
    Motion,
    speechless,
    steadiness,
    stretched,
    upright,
    wave,
)
from reactions.landmark_types import Hand, Side
from tests.reactions.gestures.figures import make_hand, see

PALM = 40.0
OPEN, CLOSED = (True,) * 4, (False,) * 4
HandAt = Callable[[float], Hand]


def watch(hand_at: HandAt, rate: float = 5.0, seconds: float = 3.0) -> Iterator[Motion]:
    """The motion after each sample of a hand that moves as ``hand_at`` (of seconds) says."""
    motion = Motion()
    for index in range(int(seconds * rate) + 1):
        time = 1 + index / rate
        motion = motion.follow(see(time, hand_at(index / rate)))
        yield motion


def swinging(frequency: float, phase: float = 0.0, reach: float = 0.8, **hand: object) -> HandAt:
    def at(time: float) -> Hand:
        swing = sin(2 * pi * frequency * time + phase)
        place = 300 + reach * PALM * swing, 250.0
        return make_hand(place, palm=PALM, lean=15 * reach * swing, **hand)  # type: ignore[arg-type]

    return at


def share_of_waves(motions: Iterator[Motion], after: float) -> float:
    late = [motion for motion in motions if motion.tracks[0].newest.time >= 1 + after]
    return float(np.mean([wave(motion.tracks[0]) >= DECISION for motion in late]))


@settings(max_examples=60, deadline=None)
@given(st.floats(1.0, 2.2), st.sampled_from([5, 8, 12, 15]), st.floats(0, 6.28))
def test_an_open_hand_swinging_aside_waves_at_any_rate_of_sampling(
    frequency: float, rate: float, phase: float
) -> None:
    motions = watch(swinging(frequency, phase), rate, 4.0)
    assert share_of_waves(motions, after=1.6) >= 0.8


@pytest.mark.parametrize("frequency", [2.6, 3.0])
def test_a_wave_beyond_the_nyquist_rate_is_still_a_wave(frequency: float) -> None:
    assert share_of_waves(watch(swinging(frequency), 5, 4.0), after=1.6) >= 0.8


def never_waves(hand_at: HandAt, rate: float = 5.0) -> bool:
    return all(wave(motion.tracks[0]) < DECISION for motion in watch(hand_at, rate))


def test_a_hand_held_still_does_not_wave() -> None:
    assert never_waves(lambda time: make_hand((300, 250)))


def test_a_trembling_hand_does_not_wave() -> None:
    assert never_waves(swinging(2.0, reach=0.15, straight=OPEN))


def test_a_hand_raised_into_the_picture_does_not_wave() -> None:
    assert never_waves(lambda time: make_hand((300 + 60 * time, max(200, 400 - 300 * time))))


def test_a_closed_hand_does_not_wave() -> None:
    assert never_waves(swinging(1.5, straight=CLOSED))


def test_a_hand_that_beats_time_up_and_down_does_not_wave() -> None:
    assert never_waves(lambda time: make_hand((300, 250 + 40 * sin(9 * time)), palm=PALM))


def test_a_level_hand_that_sweeps_does_not_wave() -> None:
    assert never_waves(lambda t: make_hand((300 + 40 * sin(9 * t), 250), palm=PALM, lean=80))


def test_a_hand_is_steady_until_it_swings_back() -> None:
    steady = [steadiness(motion.tracks[0]) for motion in watch(swinging(1.0), 10)]
    assert min(steady[:3]) > DECISION
    assert max(steady[12:]) < 0.3


def test_a_hand_that_comes_and_stays_is_steady() -> None:
    motions = watch(lambda time: make_hand((300 + 80 * min(time, 0.6), 250), palm=PALM))
    assert all(steadiness(motion.tracks[0]) > DECISION for motion in motions)


def test_two_hands_are_followed_apart_even_if_their_sides_flicker() -> None:
    motion = Motion()
    for index in range(8):
        sides = (Side.LEFT, Side.RIGHT) if index % 2 else (Side.RIGHT, Side.LEFT)
        left, right = make_hand((200, 250), side=sides[0]), make_hand((440, 250), side=sides[1])
        motion = motion.follow(see(index * 0.2, *((left, right) if index % 3 else (right, left))))
    assert len(motion.tracks) == 2
    assert all(len(track.moments) == 8 for track in motion.tracks)
    assert all(np.ptp([moment.center[0] for moment in t.moments]) < 5 for t in motion.tracks)


def test_a_hand_missed_in_one_sample_is_the_same_hand_afterwards() -> None:
    motion = Motion().follow(see(0.0, make_hand((300, 250))))
    motion = motion.follow(see(0.2)).follow(see(0.4, make_hand((310, 250))))
    assert [len(track.moments) for track in motion.tracks] == [2]


def test_a_hand_that_comes_back_later_is_a_new_one() -> None:
    motion = Motion().follow(see(0.0, make_hand((300, 250))))
    motion = motion.follow(see(2.0, make_hand((300, 250))))
    assert [len(track.moments) for track in motion.tracks] == [1]


def test_the_track_of_a_hand_ends_in_that_hand() -> None:
    hands = make_hand((200, 250), side=Side.LEFT), make_hand((440, 250))
    motion = Motion().follow(see(1.0, *hands))
    track = motion.track_of(hands[1], 1.0)
    assert track is not None
    assert track.side is Side.RIGHT
    assert motion.track_of(make_hand((20, 20)), 1.0) is None


@settings(deadline=None)
@given(st.lists(st.tuples(st.floats(0, 0.5), st.integers(0, 6)), max_size=120))
def test_motion_stays_small_and_travels_by_pickle(steps: list[tuple[float, int]]) -> None:
    motion, time = Motion(), 0.0
    for step, hands in steps:
        time += step
        shown = [make_hand((100.0 * i, 200)) for i in range(hands)]
        motion = motion.follow(see(time, *shown), mouth=0.1)
    assert len(motion.tracks) <= MOST_HANDS
    for track in motion.tracks:
        assert len(track.moments) <= MOST_MOMENTS
        assert track.moments[-1].time - track.moments[0].time <= HISTORY
    assert pickle.loads(pickle.dumps(motion)) == motion


def test_a_mouth_that_opens_and_shuts_talks_and_one_held_open_does_not() -> None:
    talking, held = Motion(), Motion()
    for index in range(10):
        talking = talking.follow(see(index * 0.2), mouth=0.4 if index % 2 else 0.1)
        held = held.follow(see(index * 0.2), mouth=0.4 if index > 3 else 0.05)
    assert speechless(talking) < 0.3
    assert speechless(held) > DECISION
    assert speechless(Motion()) > DECISION


def test_stretched_fingers_are_counted_and_uprightness_is_a_cosine() -> None:
    hand = make_hand((300, 250), straight=(True, True, False, False))
    assert stretched(hand.points) == 0.5
    assert upright(make_hand((300, 250), lean=60).points) == pytest.approx(0.5, abs=1e-6)
