"""Mannequins that move without being drawn: their landmarks, and what the samples show."""

from dataclasses import replace

import numpy as np
import pytest

from reactions.gestures.expressions import read_face
from reactions.landmark_types import Face
from reactions.mannequin.pose import Pose
from reactions.mannequin.scene import Scene
from reactions.trained_heads import HEAD_LABELS, HeadKind
from reactions.training.motion_acts import OTHER_ACTS
from reactions.training.motion_landmarks import MannequinBuild, MannequinTracker, Misses
from reactions.training.motion_sequences import OTHERS, SURE, draw_sequences

LABELS = HEAD_LABELS[HeadKind.MOTION]


def face_of(pose: Pose) -> Face:
    tracker = MannequinTracker(
        MannequinBuild(steady=0.0), Scene(), Misses(), np.random.default_rng(0)
    )
    face = tracker.see(pose, 0.0).face
    assert face is not None
    return face


def test_the_mesh_turns_with_the_head() -> None:
    rest = read_face(face_of(Pose()))
    nodding = read_face(face_of(Pose(head=(0, 15, 0))))
    aside = read_face(face_of(Pose(head=(20, 0, 0))))
    assert abs(nodding.pitch - rest.pitch) == pytest.approx(15, abs=4)
    assert abs(aside.yaw - rest.yaw) == pytest.approx(20, abs=5)


def test_an_open_mouth_is_read_as_open() -> None:
    pose = Pose()
    talking = replace(pose, face=replace(pose.face, mouth_open=0.4))
    assert read_face(face_of(pose)).mouth_round < 0.05
    assert read_face(face_of(talking)).mouth_round > 0.15


def test_a_seed_gives_the_same_sequences() -> None:
    first, again = (list(draw_sequences(2, 3)) for _ in range(2))
    assert first == again
    one, other = (list(sequences[0].samples()) for sequences in (first, again))
    assert [each.label for each in one] == [each.label for each in other]
    pairs = zip(one, other, strict=True)
    hands = [(a.observation.hands, b.observation.hands) for a, b in pairs]
    assert all((a.points == b.points).all() for p, q in hands for a, b in zip(p, q, strict=True))
    assert next(draw_sequences(1, 4)) != first[0]


def test_each_label_is_drawn_and_other_acts_in_turn() -> None:
    sequences = list(draw_sequences(2, 0))
    shown = [one.label for one in sequences]
    assert all(shown.count(label) == 2 for label in LABELS)
    assert shown.count("none") == 2 * OTHERS
    others = {one.number for one in sequences if one.label == "none"}
    assert others == set(range(len(OTHER_ACTS)))


def test_a_window_shows_a_motion_only_after_it_went_on_for_a_while() -> None:
    for sequence in draw_sequences(2, 0):
        samples = list(sequence.samples())
        labels = [each.label for each in samples]
        if sequence.label == "none":
            assert set(labels) == {"none"}
            continue
        assert sequence.label in labels
        first = next(each for each in samples if each.label == sequence.label)
        began = samples[0].observation.time
        assert first.observation.time - began >= SURE - 0.25
