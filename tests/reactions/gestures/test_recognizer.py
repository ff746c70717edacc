from collections.abc import Mapping
from dataclasses import replace

import numpy as np
import numpy.typing as npt
import pytest

from reactions.gestures.calibration import DECISION
from reactions.gestures.motion import Motion
from reactions.gestures.recognizer import Recognizer
from reactions.labels import LABELS, LabelScore
from reactions.landmark_types import Hand, Observation, Quality, Side
from tests.reactions.gestures.figures import HEIGHT, WIDTH, make_face, make_hand, see
from tests.reactions.gestures.test_arms import make_body, see_body


class Shapes:
    """Reads every left hand as an open palm and every right one as a thumb."""

    def shapes(self, hand: Hand, features: npt.NDArray[np.float32]) -> Mapping[str, float]:
        shown = "open_palm" if hand.side is Side.LEFT else "thumbs_up"
        return {"open_palm": 0.01, "thumbs_up": 0.01, "none": 0.01} | {shown: 0.97}


def recognize(
    observation: Observation, labels: tuple[str, ...] = tuple(LABELS), motion: Motion | None = None
) -> list[LabelScore]:
    scores, _ = Recognizer(labels, shapes=Shapes()).recognize(observation, motion)
    return list(scores)


def best(scores: list[LabelScore]) -> dict[str, float]:
    return {score.label: score.score for score in reversed(scores)}


def test_labels_outside_the_vocabulary_are_refused() -> None:
    with pytest.raises(ValueError, match="dab"):
        Recognizer(["smile", "dab"])


def test_nothing_seen_scores_nothing() -> None:
    assert recognize(Observation(WIDTH, HEIGHT, 0.0, quality=Quality.BLACK)) == []


def test_only_the_asked_labels_are_scored() -> None:
    seen = see(0.0, make_hand((500, 300)), face=make_face())
    labels = {score.label for score in recognize(seen, ("smile", "thumbs_up"))}
    assert labels == {"smile", "thumbs_up"}


def test_scores_come_best_first_and_within_0_and_1() -> None:
    scores = [score.score for score in recognize(see(0.0, make_hand((500, 300)), face=make_face()))]
    assert scores == sorted(scores, reverse=True)
    assert all(0 <= score <= 1 for score in scores)


def test_a_person_of_whom_only_the_body_is_found_is_not_away() -> None:
    assert best(recognize(see_body(None)))["away"] == 1
    body = replace(make_body((0.6, 0.6), (0.6, 1.2)), presence=0.99)
    assert "away" not in best(recognize(see_body(body)))
    assert best(recognize(see_body(replace(body, presence=0.93))))["away"] == 1


def test_a_body_that_left_with_its_face_is_away_at_once() -> None:
    recognizer = Recognizer(("away",), shapes=Shapes())
    body = make_body((0.6, 0.6), (0.6, 1.2))
    _, memory = recognizer.recognize(replace(see_body(body), face=make_face()), None)
    scores, _ = recognizer.recognize(see_body(None, time=0.2), memory)
    assert best(list(scores))["away"] == 1


def test_a_palm_held_forward_before_the_chest_is_not_pressed_to_another() -> None:
    body = make_body((0.9, 0.8), (0.05, 0.55))
    pressed = replace(make_hand((320, 270), side=Side.RIGHT), presence=0.9)
    pressed.points[:, 0] = 320 + (pressed.points[:, 0] - 320) * 0.6
    forward = Hand(pressed.points, Side.LEFT, 0.98, pressed.presence)
    scores = {
        hand.side: best(recognize(replace(see_body(body), hands=(hand,)), ("namaste",)))["namaste"]
        for hand in (pressed, forward)
    }
    assert scores[Side.RIGHT] > DECISION
    assert scores[Side.LEFT] < DECISION


def test_the_sure_edge_of_one_hand_is_not_pressed_to_another() -> None:
    body = make_body((0.9, 0.8), (0.05, 0.55))
    edge = make_hand((320, 270), side=Side.RIGHT)
    edge.points[:, 0] = 320 + (edge.points[:, 0] - 320) * 0.4
    scores = [
        best(recognize(replace(see_body(body), hands=(replace(edge, presence=sure),))))["namaste"]
        for sure in (0.8, 0.98)
    ]
    assert scores[0] > DECISION > scores[1]


def test_presence_is_the_models_own_confidence() -> None:
    hand, face = make_hand((500, 300)), make_face()
    scores = best(recognize(see(0.0, hand, face=face)))
    assert scores["face"] == face.presence
    assert scores["hand"] == hand.presence


def test_a_calm_face_without_hands_is_neutral() -> None:
    assert best(recognize(see(0.0, face=make_face())))["neutral"] > DECISION


def test_hands_in_the_picture_are_not_neutral() -> None:
    assert best(recognize(see(0.0, make_hand((500, 300)), face=make_face())))["neutral"] == 0


def test_each_hand_is_scored_with_its_own_box_and_side() -> None:
    left, right = make_hand((150, 300), side=Side.LEFT), make_hand((500, 300))
    seen = see(0.0, left, right)
    top = {score.label: score for score in reversed(recognize(seen))}
    assert top["open_palm"].hand is Side.LEFT
    assert top["open_palm"].box == seen.box(left.points)
    assert top["thumbs_up"].hand is Side.RIGHT
    assert top["thumbs_up"].box == seen.box(right.points)


def test_a_face_label_has_the_faces_box() -> None:
    seen = see(0.0, face=make_face(width=0.68, drop=0.15))
    (smile,) = recognize(seen, ("smile",))
    assert seen.face is not None
    assert smile.box == seen.box(seen.face.points)
    assert smile.score > DECISION


def test_a_hand_over_the_mouth_hides_a_smile() -> None:
    face = make_face(width=0.68, drop=0.15)
    assert best(recognize(see(0.0, make_hand((320, 250)), face=face)))["smile"] < 0.2


def test_a_hand_at_the_chin_is_thinking_in_the_place_of_the_face() -> None:
    hand = make_hand((350, 277), palm=45, lean=-20, straight=(False,) * 4)
    seen = see(0.0, hand, face=make_face())
    ((thinking,), _) = Recognizer(["thinking"]).recognize(seen, None)
    assert thinking.score > DECISION
    assert seen.face is not None
    assert thinking.box == seen.box(seen.face.points)
    assert thinking.hand is Side.RIGHT


def test_a_distant_face_is_not_surprised() -> None:
    near, far = (
        make_face(width=0.44, drop=0.3, opening=0.22, brows=0.36, lids=0.42, unit=unit)
        for unit in (60, 38)
    )
    recognizer = Recognizer(["surprised"])
    scores = [recognizer.recognize(see(face=face), None)[0][0].score for face in (near, far)]
    assert scores[0] > DECISION > scores[1]


def test_a_hand_that_shows_a_sign_at_the_chin_is_not_thinking() -> None:
    hand = make_hand((350, 277), palm=45, lean=-20, straight=(False,) * 4)
    scores, _ = Recognizer(["thinking"], shapes=Shapes()).recognize(
        see(0.0, hand, face=make_face()), None
    )
    assert scores[0].score < 0.5


def test_a_still_picture_shows_no_wave() -> None:
    assert best(recognize(see(0.0, make_hand((500, 300)))))["wave"] < 0.2


def test_a_waving_hand_is_no_open_palm() -> None:
    recognizer, motion = Recognizer(["wave", "open_palm"], shapes=Shapes()), None
    for index in range(12):
        hand = make_hand((300 + 40 * (index % 2), 250), side=Side.LEFT)
        scores, motion = recognizer.recognize(see(index * 0.2, hand), motion)
    assert best(list(scores))["wave"] > DECISION
    assert best(list(scores))["open_palm"] < 0.2


def test_a_hand_whose_thumb_reaches_as_far_as_its_fingers_is_no_open_palm() -> None:
    hand = make_hand((300, 300), side=Side.LEFT)
    assert best(recognize(see(0.0, hand)))["open_palm"] > 0.95
    hand.points[4] = hand.points[0] + (90, 0, 0)
    assert best(recognize(see(0.0, hand)))["open_palm"] < 0.2


def test_a_talking_mouth_is_not_surprised() -> None:
    wide = make_face(width=0.5, drop=0.27, opening=0.22, brows=0.32, lids=0.38)
    shut = make_face(brows=0.32, lids=0.38)
    recognizer, motion = Recognizer(["surprised"]), None
    for index in range(8):
        face = wide if index % 2 else shut
        scores, motion = recognizer.recognize(see(index * 0.2, face=face), motion)
        if index == 1:
            assert scores[0].score > DECISION
    assert scores[0].score < DECISION


def test_a_hand_that_hides_the_face_lies_on_the_face_of_before() -> None:
    recognizer = Recognizer(["facepalm"], shapes=Shapes())
    _, motion = recognizer.recognize(see(0.0, face=make_face()), None)
    hand = make_hand((320, 190), palm=60)
    scores, motion = recognizer.recognize(see(0.2, hand), motion)
    assert best(list(scores))["facepalm"] > DECISION
    late, _ = recognizer.recognize(see(4.0, hand), motion)
    assert not late


def test_a_face_behind_a_hand_is_not_the_one_that_is_remembered() -> None:
    recognizer = Recognizer(["facepalm"], shapes=Shapes())
    hand = make_hand((320, 190), palm=60)
    _, motion = recognizer.recognize(see(0.0, hand, face=make_face()), None)
    assert motion.bare is None
    _, motion = recognizer.recognize(see(0.2, face=make_face()), motion)
    assert motion.bare is not None


@pytest.mark.parametrize("wrist", [(320, 190), (500, 300)])
def test_a_hand_is_sighted_once_on_a_face_that_is_seen(wrist: tuple[float, float]) -> None:
    recognizer = Recognizer(["facepalm"], shapes=Shapes())
    _, motion = recognizer.recognize(see(0.0, face=make_face()), None)
    seen = see(0.2, make_hand(wrist, palm=60), face=make_face())
    for motion_before in (None, motion):
        scores, _ = recognizer.recognize(seen, motion_before)
        assert [score.hand for score in scores] == [Side.RIGHT]


def test_a_facepalm_is_the_better_of_the_face_now_and_before() -> None:
    recognizer = Recognizer(["facepalm"], shapes=Shapes())
    _, motion = recognizer.recognize(see(0.0, face=make_face()), None)
    squeezed = see(0.2, make_hand((320, 190), palm=60), face=make_face(at=(320.0, 240.0)))
    still, _ = recognizer.recognize(squeezed, None)
    scores, _ = recognizer.recognize(squeezed, motion)
    assert len(scores) == 1
    assert scores[0].score > DECISION > still[0].score


def test_a_face_of_a_sample_of_another_size_is_not_remembered() -> None:
    recognizer = Recognizer(["facepalm"], shapes=Shapes())
    _, motion = recognizer.recognize(see(0.0, face=make_face()), None)
    hand = make_hand((320, 190), palm=60)
    scores, motion = Recognizer(["facepalm"]).recognize(
        Observation(WIDTH // 2, HEIGHT // 2, 0.2, (hand,)), motion
    )
    assert not scores
    assert motion.bare is None


def test_no_face_is_remembered_where_no_label_needs_it() -> None:
    recognizer = Recognizer([label for label in LABELS if label != "facepalm"], shapes=Shapes())
    _, motion = recognizer.recognize(see(0.0, face=make_face()), None)
    assert motion.bare is None
