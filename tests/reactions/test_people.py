"""Whose hand is whose, and two mannequins in one picture through the whole of recognition."""

from collections.abc import Iterable

import numpy as np
import pytest

from config.reaction_table import load_reaction_table
from reactions.labels import LABELS
from reactions.landmark_types import Face, Hand, Observation, OtherPerson, Sample, Side
from reactions.landmarks.model_store import ModelStore
from reactions.people import by_person
from reactions.pipeline import Detection, Memory, RecognitionPipeline
from reactions.policy import Policy
from reactions.reaction_event import ReactionEvent, ReactionStage
from tests.reactions.two_people import side_by_side

SIGNS = {"thumbs_up", "victory"}


def face(x: float, y: float, height: float = 100.0) -> Face:
    """A face whose middle is at ``x``, ``y``."""
    corners = np.array([[-0.35, -0.5, 0], [0.35, 0.5, 0]]) * height + [x, y, 0]
    return Face(np.asarray(corners, np.float32), 1.0)


def hand(x: float, y: float, palm: float = 55.0) -> Hand:
    """A hand with its wrist at ``x``, ``y``."""
    points = np.zeros((21, 3), np.float32)
    points[:] = (x, y, 0)
    points[9, 1] -= palm
    return Hand(points, Side.LEFT, 1.0, 1.0)


def seen(*hands: Hand, main: Face | None, other: Face) -> Observation:
    return Observation(640, 360, 0.0, hands, main, others=(OtherPerson(1, other),))


def test_one_persons_observation_stays_as_it_is() -> None:
    alone = Observation(640, 360, 0.0, (hand(500, 300),), face(160, 100))
    assert by_person(alone) == ((0, alone),)


def test_each_hand_goes_to_the_nearest_shoulders() -> None:
    left, right = hand(150, 220), hand(480, 200)
    people = dict(by_person(seen(left, right, main=face(160, 100), other=face(480, 100))))
    assert people[0].hands == (left,)
    assert people[1].hands == (right,)
    assert people[1].face is not None
    assert people[1].others == ()


def test_between_two_people_the_size_of_the_hand_decides() -> None:
    large, small = hand(320, 190, palm=80), hand(320, 190, palm=30)
    people = dict(by_person(seen(large, small, main=face(220, 100, 140), other=face(420, 100, 60))))
    assert people[0].hands == (large,)
    assert people[1].hands == (small,)


def test_a_hand_before_the_main_face_is_not_given_to_another() -> None:
    hiding, theirs = hand(160, 120), hand(470, 220)
    people = dict(by_person(seen(hiding, theirs, main=None, other=face(480, 100))))
    assert people[0].hands == (hiding,)
    assert people[1].hands == (theirs,)


@pytest.fixture(scope="module")
def pipeline() -> RecognitionPipeline:
    return RecognitionPipeline(ModelStore(), {"face", "thumbs_up", "victory"})


def streamed(
    pipeline: RecognitionPipeline,
    poses: Iterable[tuple[str | None, str | None]],
    memory: Memory | None = None,
    start: int = 0,
) -> list[Detection]:
    """A detection for each pair of poses, at five samples a second."""
    found: list[Detection] = []
    for number, pair in enumerate(poses, start):
        sample = Sample(side_by_side(*pair, seed=number), number / 5)
        found.append(pipeline.detect(sample, memory))
        memory = found[-1].memory
    return found


def people_of(detection: Detection) -> dict[int, float]:
    """The middle of each person's face, by slot."""
    return {
        one.person: one.box.center[0]
        for one in detection.scores
        if one.label == "face" and one.score > 0.5
    }


@pytest.mark.models
def test_two_people_show_different_signs_at_the_same_time(pipeline: RecognitionPipeline) -> None:
    calm = [("neutral", "neutral")] * 28
    found = streamed(pipeline, calm + [("thumbs_up", "victory")] * 8)
    table = load_reaction_table(LABELS, environ={})
    policy = Policy({label: rule for label, rule in table.items() if label in SIGNS})
    events: list[ReactionEvent] = []
    for number, detection in enumerate(found):
        events += policy.observe("tile", detection.scores, number / 5)
    where = people_of(found[-1])
    left, right = sorted(where, key=lambda slot: where[slot])
    started = {(one.label, one.person) for one in events if one.stage is ReactionStage.STARTED}
    assert started == {("thumbs_up", left), ("victory", right)}
    assert len(found[-1].other_faces) == 1
    for one in events:
        assert (one.box.center[0] < 0.5) is (one.label == "thumbs_up")


@pytest.mark.models
def test_slots_stay_when_a_person_hides_for_a_moment_and_when_the_other_leaves(
    pipeline: RecognitionPipeline,
) -> None:
    found = streamed(pipeline, [("neutral", "neutral")] * 28)
    before = people_of(found[-1])
    assert len(before) == 2
    (left,) = [slot for slot, x in before.items() if x < 0.5]
    (right,) = before.keys() - {left}
    away = streamed(pipeline, [(None, "neutral")] * 4, found[-1].memory, 28)
    assert set(people_of(away[-1])) == {right}
    back = streamed(pipeline, [("neutral", "neutral")] * 20, away[-1].memory, 32)
    assert people_of(back[-1]) == pytest.approx(before, abs=0.02)
    assert set(people_of(streamed(pipeline, [("neutral", None)] * 8, back[-1].memory, 52)[-1])) == {
        left
    }


@pytest.mark.models
def test_a_still_picture_has_one_person(pipeline: RecognitionPipeline) -> None:
    (found,) = streamed(pipeline, [("thumbs_up", "victory")])
    assert {score.person for score in found.scores} == {0}
