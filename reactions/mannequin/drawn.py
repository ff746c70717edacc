"""A picture of a mannequin before it is rendered."""

from dataclasses import dataclass

from reactions.landmark_types import Side
from reactions.mannequin.person import Person
from reactions.mannequin.pose import Pose
from reactions.mannequin.scene import Scene


@dataclass(frozen=True, slots=True)
class DrawnMannequin:
    """One picture to be: ``render(person, pose, scene)``."""

    person: Person
    pose: Pose
    scene: Scene
    posing: frozenset[Side]
    """The hands that do something."""
