from collections.abc import Callable
from dataclasses import replace
from math import pi, sin

import pytest

from reactions.gestures.calibration import DECISION
from reactions.gestures.expressions import read_face
from reactions.gestures.face_motion import ABSENT, HISTORY, FaceMotion, came_back, nod, shake
from reactions.landmark_types import Face
from tests.reactions.gestures.figures import make_face, rotation

Path = Callable[[float], float]
STEP = 0.2


def still(_: float) -> float:
    return 0.0


def swinging(amplitude: float, hertz: float, phase: float = 0.0) -> Path:
    return lambda time: amplitude * sin(2 * pi * (hertz * time + phase))


def watch(
    pitch: Path = still, yaw: Path = still, seconds: float = 3.0, opening: float = 0.02
) -> FaceMotion:
    """The motion of a head that turns like this, sampled five times a second."""
    motion = FaceMotion()
    for index in range(int(seconds / STEP) + 1):
        time = index * STEP
        turned = rotation(pitch=pitch(time), yaw=yaw(time))
        face = make_face(turned=turned, opening=opening)
        motion = motion.follow(time, face, read_face(face))
    return motion


@pytest.mark.parametrize("hertz", [1.0, 1.4, 1.8])
@pytest.mark.parametrize("phase", [0.0, 0.3])
def test_a_head_that_bows_twice_nods(hertz: float, phase: float) -> None:
    motion = watch(pitch=swinging(8, hertz, phase))
    assert nod(motion) > DECISION
    assert shake(motion) < 0.3


@pytest.mark.parametrize("hertz", [1.3, 1.6, 2.0])
def test_a_head_that_turns_to_both_sides_twice_is_shaken(hertz: float) -> None:
    motion = watch(yaw=swinging(12, hertz, 0.1))
    assert shake(motion) > DECISION
    assert nod(motion) < 0.3


def test_a_head_that_moves_with_an_open_mouth_talks() -> None:
    assert nod(watch(pitch=swinging(8, 1.4), opening=0.15)) < 0.3
    assert shake(watch(yaw=swinging(12, 1.4), opening=0.15)) < 0.3


def test_a_look_at_the_keyboard_is_no_nod() -> None:
    def down_and_up(time: float) -> float:
        return 18.0 if 1.0 < time < 2.2 else 0.0

    assert nod(watch(pitch=down_and_up)) < 0.3


def test_a_look_to_one_side_is_no_shake() -> None:
    assert shake(watch(yaw=swinging(25, 0.25))) < 0.3


@pytest.mark.parametrize("phase", [0.0, 0.1, 0.2, 0.3, 0.4])
def test_a_head_that_sways_to_and_fro_neither_nods_nor_shakes(phase: float) -> None:
    assert shake(watch(yaw=swinging(12, 1.0, phase))) < DECISION
    assert nod(watch(pitch=swinging(9, 0.75, phase))) < DECISION


def test_small_swings_are_noise() -> None:
    motion = watch(pitch=swinging(1.8, 1.5), yaw=swinging(2.5, 1.3))
    assert max(nod(motion), shake(motion)) < 0.3


def test_a_head_that_rolls_around_neither_nods_nor_shakes() -> None:
    motion = watch(pitch=swinging(9, 1.2), yaw=swinging(9, 1.2, 0.25))
    assert max(nod(motion), shake(motion)) < 0.4


def test_a_motion_keeps_two_seconds() -> None:
    moments = watch(seconds=10).moments
    assert moments[-1].time - moments[0].time <= HISTORY


def absent_for(seconds: float, presence: float = 0.0) -> FaceMotion:
    face = make_face()
    motion = FaceMotion().follow(0.0, face, read_face(face))
    unsure = Face(face.points, presence) if presence else None
    for time in (STEP, STEP + seconds / 2):
        motion = motion.follow(time, unsure, read_face(unsure) if unsure else None)
    return motion.follow(STEP + seconds, face, read_face(face))


def test_who_was_away_for_long_comes_back_for_a_moment() -> None:
    motion = absent_for(ABSENT + 1)
    assert came_back(motion, ABSENT + 2) == 1
    assert came_back(motion, ABSENT + 5) == 0


def test_a_short_absence_is_none() -> None:
    assert came_back(absent_for(ABSENT - 1), ABSENT) == 0


def test_a_face_that_may_be_none_brings_no_one_back() -> None:
    assert came_back(absent_for(ABSENT + 1, presence=0.65), ABSENT + 2) == 1


def test_a_first_face_has_not_come_back() -> None:
    assert came_back(watch(), 3.0) == 0


def test_a_fine_reading_is_kept_for_two_seconds() -> None:
    face = make_face()
    motion = watch()
    assert motion.detail is None
    old = replace(motion, detail=None, missed=0.0)
    assert old.follow(20.0, face, read_face(face)).returned == 20.0
