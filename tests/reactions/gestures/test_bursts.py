"""What suggests a motion."""

from reactions.gestures.bursts import hand_in_motion, head_in_motion
from reactions.gestures.face_motion import FaceMotion, HeadMoment
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


def head(*angles: tuple[float, float]) -> Motion:
    """A head whose pitch and yaw were ``angles`` degrees, 0.2 s apart."""
    moments = tuple(HeadMoment(number * 0.2, *pair) for number, pair in enumerate(angles))
    return Motion(face=FaceMotion(moments))


def test_a_head_that_turns_by_a_swing_suggests_a_motion() -> None:
    assert head_in_motion(head((0, 0), (6, 0)))
    assert head_in_motion(head((0, 0), (0, 8)))
    assert not head_in_motion(head((0, 0), (1, 2), (2, 4), (3, 6), (4, 8)))
    assert not head_in_motion(Motion())
