"""What suggests a motion."""

from reactions.gestures.bursts import hand_in_motion
from reactions.gestures.motion import HandTrack, Moment, Motion
from reactions.landmark_types import Side


def hand(*tips: tuple[float, float], step: float = 0.2) -> HandTrack:
    """A hand of 100 pixels whose fingertips were at ``tips``, ``step`` seconds apart."""
    moments = tuple(
        Moment(number * step, (0.0, 0.0), place, 100.0, 1.0, 1.0)
        for number, place in enumerate(tips)
    )
    return HandTrack(Side.LEFT, moments)


def test_no_hand_and_a_hand_at_rest_suggest_nothing() -> None:
    assert not hand_in_motion(Motion())
    assert not hand_in_motion(Motion((hand((0, 0), (10, 5), (0, 0)),)))


def test_fingertips_that_move_by_half_a_palm_suggest_a_motion_in_any_direction() -> None:
    assert hand_in_motion(Motion((hand((0, 0), (60, 0)),)))
    assert hand_in_motion(Motion((hand((0, 60), (0, 0)),)))


def test_a_swing_in_small_steps_counts_and_one_long_ago_does_not() -> None:
    steps = [(10.0 * number, 0.0) for number in range(7)]
    assert hand_in_motion(Motion((hand(*steps, step=1 / 15),)))
    assert not hand_in_motion(Motion((hand((0, 0), (60, 0), (60, 0), (60, 0), (60, 0)),)))


def test_a_hand_that_is_gone_suggests_nothing() -> None:
    gone = hand((0, 0), (60, 0))
    here = hand((0, 0), (0, 0), (0, 0))
    assert not hand_in_motion(Motion((here, gone)))
