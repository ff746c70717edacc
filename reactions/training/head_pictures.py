"""Mannequins that show the labels of a head, and much else: what heads learn from by default."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Final

import numpy as np

from reactions.gestures.hand_classes import NONE
from reactions.landmark_types import RgbImage
from reactions.mannequin.drawn import DrawnMannequin
from reactions.mannequin.pose_file import catalogue_pose
from reactions.mannequin.poses import LOOKALIKES, POSES
from reactions.mannequin.render import render
from reactions.mannequin.variation import vary_arm
from reactions.trained_heads import HEAD_LABELS, HeadKind

SIZE: Final = (640, 360)
_OTHERS: Final = 3
"""Pictures that show no label, for each one that shows one."""
_NEVER: Final = frozenset({"away", "back", "face", "hand"})


@dataclass(frozen=True, slots=True)
class HeadPicture:
    """A picture to be, and what it shows."""

    name: str
    label: str
    """A label of the head, or none of them."""
    drawn: DrawnMannequin
    seed: int

    @property
    def person(self) -> str:
        """Whose it is."""
        return f"mannequin {self.drawn.person.name}"

    def pixels(self) -> RgbImage:
        """(360, 640, 3)"""
        shown = self.drawn
        return render(shown.person, shown.pose, shown.scene, *SIZE, seed=self.seed)


def head_pictures(kind: HeadKind, count: int, seed: int) -> Iterator[HeadPicture]:
    """``count`` pictures of each label of ``kind``, and ``_OTHERS`` times as many of other poses.
    The same ``seed`` gives the same ones."""
    labels = HEAD_LABELS[kind]
    others = [name for name in (*POSES, *LOOKALIKES) if name not in {*labels, *_NEVER}]
    rounds = [(label, label) for label in labels]
    for number in range(count):
        rng = np.random.default_rng([seed, 23, number])
        names = [(NONE, others[at]) for at in rng.integers(0, len(others), _OTHERS)]
        for place, (label, pose) in enumerate([*rounds, *names]):
            picture = np.random.default_rng([seed, 29, number, place])
            name = f"{number:05d}-{place:02d}-{pose}"
            yield HeadPicture(name, label, _drawn(pose, picture), number)


def _drawn(name: str, rng: np.random.Generator) -> DrawnMannequin:
    if name in POSES:
        shown = catalogue_pose(name).draw(rng)
    else:
        pose = LOOKALIKES[name]
        right, left = (vary_arm(arm, rng) for arm in (pose.right, pose.left))
        pose = replace(pose, right=right, left=left)
        shown = replace(catalogue_pose("neutral").draw(rng), pose=pose)
    # Faces are painted in one way a label: they differ in how far they go.
    face, low = shown.pose.face, rng.uniform(0.75, 1.1)
    face = replace(face, mouth_open=face.mouth_open * low, smile=face.smile * low)
    return replace(shown, pose=replace(shown.pose, face=face))
