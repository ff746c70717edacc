"""The models must see people in the mannequins: a sample of tones, distances and sides."""

from dataclasses import replace

import numpy as np
import pytest

from reactions.landmark_types import ModelFamily, Observation, Sample, Side
from reactions.landmarks.model_store import ModelStore
from reactions.landmarks.scheduler import LandmarkScheduler
from reactions.mannequin import CAST, FAR, MEDIUM, MONK, NEAR, POSES, Scene, landmarks, render

pytestmark = pytest.mark.models

SHOWN = ("open_palm", "raised_hand", "victory", "pointing_up", "ily", "fist", "ok_hand", "call_me")
VIEWS = ((1, NEAR, 20), (4, MEDIUM, 0), (6, FAR, -20), (9, MEDIUM, 20))
"""Monk tone, distance, yaw."""


@pytest.fixture(scope="module")
def scheduler() -> LandmarkScheduler:
    return LandmarkScheduler(ModelStore(), {ModelFamily.FACE, ModelFamily.HANDS})


def observe(
    scheduler: LandmarkScheduler, label: str, tone: int, scene: Scene, side: Side
) -> Observation:
    person = replace(list(CAST.values())[tone % len(CAST)], skin=MONK[tone])
    pose = POSES[label] if side is Side.RIGHT else POSES[label].mirrored()
    picture = render(person, pose, scene)
    return scheduler.observe(Sample(picture, 0.0), None)[0]


@pytest.mark.parametrize("label", SHOWN)
def test_a_shown_hand_is_found_on_its_side_where_it_is(
    scheduler: LandmarkScheduler, label: str
) -> None:
    for i, (tone, distance, yaw) in enumerate(VIEWS):
        side = (Side.RIGHT, Side.LEFT)[i % 2]
        scene = Scene(yaw=yaw, distance=distance)
        seen = observe(scheduler, label, tone, scene, side)
        assert seen.face is not None
        assert [hand.side for hand in seen.hands] == [side], (label, tone, distance, yaw)
        pose = POSES[label] if side is Side.RIGHT else POSES[label].mirrored()
        person = list(CAST.values())[tone % len(CAST)]
        truth = landmarks(person, pose, scene)[side][:, :2]
        off = np.linalg.norm(seen.hands[0].points[:, :2] - truth, axis=1).mean()
        assert off < 0.2 * np.ptp(truth, axis=0).max()


@pytest.mark.parametrize("label", ["neutral", "smile", "surprised"])
@pytest.mark.parametrize("tone", [0, 3, 6, 9])
def test_a_face_is_found_in_any_expression(
    scheduler: LandmarkScheduler, label: str, tone: int
) -> None:
    for yaw in (-20, 20):
        seen = observe(scheduler, label, tone, Scene(yaw=yaw), Side.RIGHT)
        assert seen.face is not None
        assert seen.face.presence > 0.9
