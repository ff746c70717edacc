from dataclasses import replace

import numpy as np
import pytest

from reactions.gestures import eyes
from reactions.gestures.calibration import DECISION
from reactions.gestures.eyes import LATELY, YAWN_LASTS, DetailReading, laugh, wink
from reactions.gestures.motion import Motion
from reactions.gestures.recognizer import Recognizer
from reactions.landmark_types import Face, FaceDetail
from reactions.landmarks.detail_looks import BLINKS
from tests.reactions.gestures.figures import Matrix, make_face, rotation, see

OPEN, SHUT = 0.05, 0.7


def eyes_closed(reading: DetailReading, after: float = 0.0) -> float:
    return eyes.eyes_closed(reading, reading.time + after)


def yawn(reading: DetailReading, after: float = 0.0) -> float:
    return eyes.yawn(reading, reading.time + after)


def no_yawn(reading: DetailReading) -> float:
    return eyes.no_yawn(reading, reading.time)


def read(
    *,
    width: float = 0.56,
    drop: float = 0.23,
    opening: float = 0.02,
    lids: float = 0.30,
    right: float | None = None,
    blinks: tuple[float, float] = (OPEN, OPEN),
    turned: Matrix | None = None,
    before: DetailReading | None = None,
    after: float = 0.2,
) -> DetailReading:
    """A fine reading of a schematic face; ``right`` is the opening of the right eye alone."""
    face = make_face(width=width, drop=drop, opening=opening, lids=lids, turned=turned)
    points = np.vstack([face.points, np.zeros((10, 3), np.float32)])
    if right is not None:
        middle = (points[159] + points[145]) / 2
        points[[159, 145]] = middle + (points[[159, 145]] - middle) * (right / lids)
    shapes = np.zeros(52, np.float32)
    shapes[10], shapes[9] = blinks
    time = before.time + after if before else 1.0
    reading = DetailReading.of(Face(face.points, 1.0, FaceDetail(points, shapes)), time, before)
    assert reading
    return reading


def test_a_face_without_a_fine_reading_has_none() -> None:
    assert DetailReading.of(make_face(), 1.0) is None


def test_a_gaping_mouth_is_a_yawn_and_no_surprise() -> None:
    reading = read(width=0.54, drop=0.4, opening=0.4, lids=0.2)
    assert yawn(reading) > 0.95
    assert no_yawn(reading) < 0.3


def test_a_round_mouth_under_wide_eyes_is_no_yawn() -> None:
    reading = read(width=0.48, drop=0.3, opening=0.25, lids=0.44)
    assert yawn(reading) < 0.3
    assert no_yawn(reading) > DECISION


def test_a_laugh_is_wide_and_no_yawn() -> None:
    reading = read(width=0.7, drop=0.26, opening=0.35, lids=0.25)
    assert laugh(reading) > 0.9
    assert yawn(reading) < 0.3


def test_a_smile_that_shows_teeth_is_no_laugh() -> None:
    assert laugh(read(width=0.72, drop=0.13, opening=0.15)) < 0.3


def test_a_talking_mouth_neither_laughs_nor_yawns() -> None:
    reading = read(width=0.55, drop=0.26, opening=0.2)
    assert max(laugh(reading), yawn(reading)) < 0.3


def test_both_lids_down_are_closed_eyes_and_no_wink() -> None:
    reading = read(lids=0.1, blinks=(SHUT, SHUT))
    assert eyes_closed(reading) > 0.95
    assert wink(reading) < 0.3


def test_eyes_that_waver_are_judged_by_their_mean() -> None:
    reading = read(lids=0.15, blinks=(0.6, 0.6))
    for blink in (0.2, 0.6, 0.6, 0.2):
        reading = read(lids=0.15, blinks=(blink, blink), before=reading)
        assert eyes_closed(reading) > DECISION


def test_a_blink_of_open_eyes_shuts_none() -> None:
    reading = read()
    for _ in range(4):
        reading = read(before=reading)
    assert eyes_closed(read(lids=0.1, blinks=(SHUT, SHUT), before=reading)) < 0.3


def test_a_blink_counts_for_as_long_as_it_is_seen() -> None:
    blink = read(lids=0.1, blinks=(SHUT, SHUT), before=read(), after=0.6)
    opened = read(before=blink)
    assert eyes_closed(opened, after=1.0) < 0.3


def test_a_yawn_that_was_read_before_the_newest_reading_is_over_soon() -> None:
    yawning = read(width=0.54, drop=0.4, opening=0.4, lids=0.2)
    assert yawn(read(before=yawning), after=YAWN_LASTS) < 0.1


def test_old_readings_of_lids_count_no_more() -> None:
    shut = read(lids=0.1, blinks=(SHUT, SHUT))
    assert eyes_closed(read(before=shut, after=LATELY + 0.1)) < 0.1


def test_a_yawn_lasts_while_the_mesh_shuts_its_mouth_for_a_moment() -> None:
    yawning = read(width=0.54, drop=0.4, opening=0.4, lids=0.2)
    assert yawn(read(before=yawning, after=YAWN_LASTS - 0.1)) > 0.95
    assert yawn(read(before=yawning, after=YAWN_LASTS + 0.1)) < 0.1


def test_a_mouth_that_gaped_a_second_ago_is_not_surprised() -> None:
    once = read(width=0.54, drop=0.4, opening=0.4, lids=0.2)
    twice = read(width=0.54, drop=0.4, opening=0.4, lids=0.2, before=once)
    assert no_yawn(once) < 0.3
    assert no_yawn(read(width=0.48, opening=0.2)) > DECISION
    assert no_yawn(read(width=0.48, opening=0.2, before=twice, after=LATELY - 0.3)) < 0.3


def test_one_reading_of_a_gaping_mouth_among_others_makes_no_yawn_of_surprise() -> None:
    surprised = read(width=0.48, opening=0.2)
    outlier = read(width=0.54, drop=0.4, opening=0.4, lids=0.2, before=surprised)
    assert no_yawn(outlier) > DECISION
    assert no_yawn(read(width=0.48, opening=0.2, before=outlier)) > DECISION


def test_eyes_that_a_smile_makes_narrow_are_open() -> None:
    assert eyes_closed(read(width=0.7, drop=0.14, lids=0.16, blinks=(0.28, 0.3))) < 0.5


def test_a_broad_smile_shuts_no_eyes() -> None:
    laughing = read(width=0.74, drop=0.12, lids=0.1, blinks=(SHUT, SHUT))
    assert eyes_closed(laughing) < 0.3


@pytest.mark.parametrize("pitch", [20, 30])
def test_lids_of_a_head_that_looks_down_say_nothing(pitch: float) -> None:
    down = read(lids=0.1, blinks=(SHUT, SHUT), turned=rotation(pitch=pitch))
    up = read(lids=0.1, blinks=(SHUT, SHUT), turned=rotation(pitch=-pitch))
    assert min(eyes_closed(down), eyes_closed(up)) < 0.1
    assert max(eyes_closed(down), eyes_closed(up)) > 0.9


def test_eyes_that_squint_or_look_down_under_lowered_brows_are_not_shut() -> None:
    shut = read(lids=0.1, blinks=(SHUT, SHUT))
    assert eyes_closed(replace(shut, frown=0.14)) > 0.9
    assert eyes_closed(replace(shut, frown=0.45)) < 0.5


def test_one_lid_down_is_a_wink_and_not_closed_eyes() -> None:
    reading = read(right=0.1, blinks=(SHUT, OPEN))
    assert wink(reading) > 0.95
    assert eyes_closed(reading) < 0.3


def test_a_turned_face_does_not_wink() -> None:
    assert wink(read(right=0.1, blinks=(SHUT, OPEN), turned=rotation(yaw=35))) < 0.3


def test_eyes_that_were_not_asked_for_are_not_judged() -> None:
    face = make_face(lids=0.1)
    points = np.vstack([face.points, np.zeros((10, 3), np.float32)])
    reading = DetailReading.of(Face(face.points, 1.0, FaceDetail(points)), 1.0)
    assert reading
    assert eyes_closed(reading) == wink(reading) == 0


def test_shut_eyes_last_until_the_next_look_and_a_yawn_does_not() -> None:
    face = make_face(lids=0.1)
    points = np.vstack([face.points, np.zeros((10, 3), np.float32)])
    shapes = np.zeros(52, np.float32)
    shapes[BLINKS] = SHUT
    looked = replace(face, detail=FaceDetail(points, shapes))
    recognizer, motion = Recognizer(["eyes_closed", "yawn"]), Motion()
    held, judged = set(), set()
    for index in range(20):
        time = round(index * 0.2, 1)
        scores, motion = recognizer.recognize(see(time, face=face if index else looked), motion)
        held |= {time for each in scores if each.label == "eyes_closed" and each.score > DECISION}
        judged |= {time for each in scores if each.label == "yawn"}
    assert (max(held), max(judged)) == (3.2, 2.0)
