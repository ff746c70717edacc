"""Motions that are drawn by chance, as sequences of samples: what a network of them learns from."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

import numpy as np

from reactions.gestures.hand_classes import NONE
from reactions.landmark_types import Observation
from reactions.mannequin.choreography import ease
from reactions.mannequin.pose import Pose, blend_poses
from reactions.mannequin.variation import SceneRanges, draw_scene
from reactions.trained_heads import HEAD_LABELS, HeadKind
from reactions.training.motion_acts import MOTION_ACTS, OTHER_ACTS, Act
from reactions.training.motion_landmarks import MannequinBuild, MannequinTracker, Misses

OTHERS: Final = 8
"""Sequences that show no label, for one of each label."""
PEOPLE: Final = 24
"""Mannequins that differ in build."""
SURE: Final = 1.2
"""Seconds of a motion after which a window shows it; before, it is neither that nor none."""
_RATES: Final = (5.0, 5.0, 6.0, 8.0, 10.0, 15.0)
_ROOM: Final = SceneRanges(distance=(58, 170))
_ACT: Final = 2.6
_DRAWN: Final = 1.0
"""Seconds of each sequence, at least, and up to so many more."""


@dataclass(frozen=True, slots=True)
class LabelledSample:
    """One sample of a sequence."""

    observation: Observation
    label: str | None
    """What the window that ends with it shows; None where it is between none and a label."""


@dataclass(frozen=True, slots=True)
class MotionSequence:
    """A choreography to be, and what it shows."""

    name: str
    label: str
    number: int
    """Which of the acts that show no label it is."""
    person: int
    seed: tuple[int, ...]

    def samples(self) -> Iterator[LabelledSample]:
        """The samples, oldest first: some rest, the way to the act, and the act."""
        rng = np.random.default_rng(self.seed)
        draw = MOTION_ACTS[self.label] if self.label in MOTION_ACTS else OTHER_ACTS[self.number]
        act, rest = draw(rng), OTHER_ACTS[0](rng)
        begun = rng.random() < 0.4
        lead, way = (0.0, 0.0) if begun else rng.uniform((0.4, 0.25), (1.4, 0.7)).tolist()
        mirrored = bool(rng.random() < 0.5)
        end = lead + way + _ACT + _DRAWN * float(rng.random())
        build = MannequinBuild.draw(np.random.default_rng([self.seed[0], 31, self.person]))
        misses = Misses(float(rng.uniform(0, 0.15)), float(rng.uniform(0, 0.03)))
        tracker = MannequinTracker(build, draw_scene(rng, _ROOM), misses, rng)
        rate = _RATES[rng.integers(len(_RATES))]
        time = float(rng.uniform(0, 1 / rate))
        while time < end:
            pose = _pose(rest, act, time, lead, way)
            observation = tracker.see(pose.mirrored() if mirrored else pose, 1.0 + time)
            yield LabelledSample(observation, self._label_at(time - lead - way, way))
            time += float(rng.uniform(0.9, 1.1)) / rate

    def _label_at(self, into: float, way: float) -> str | None:
        if self.label == NONE or into < -way / 2:
            return NONE
        return self.label if into >= SURE else None


def _pose(rest: Act, act: Act, time: float, lead: float, way: float) -> Pose:
    if time >= lead + way:
        return act(time - lead - way)
    return blend_poses(rest(time), act(0.0), ease((time - lead) / way))


def draw_sequences(count: int, seed: int) -> Iterator[MotionSequence]:
    """``count`` sequences of each label, and ``OTHERS`` times as many of anything else. The same
    ``seed`` gives the same ones."""
    labels = HEAD_LABELS[HeadKind.MOTION]
    for number in range(count):
        for place in range(len(labels) + OTHERS):
            label = labels[place] if place < len(labels) else NONE
            other = (number * OTHERS + place - len(labels)) % len(OTHER_ACTS)
            name = f"{number:05d}-{place:02d}-{label}"
            rounds = number * (len(labels) + OTHERS) + place
            person = (number * 7 + place) % PEOPLE
            yield MotionSequence(name, label, other, person, (seed, 37, rounds))
