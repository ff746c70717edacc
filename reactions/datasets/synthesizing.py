"""Pictures of mannequins that show a pose or objects, added to a data set, with their true boxes.

Picture ``n`` of a pose and a seed is the same whenever it is drawn: an interrupted synthesis goes
on where it ended.
"""

import hashlib
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final, Protocol

import numpy as np
from PIL import Image

from reactions.datasets.look import difference_hash
from reactions.datasets.records import LabelledBox, Origin, PictureRecord
from reactions.datasets.store import Dataset, content_name
from reactions.landmark_types import Points, RgbImage, Side
from reactions.mannequin.drawn import DrawnMannequin
from reactions.mannequin.object_scenes import draw_object_scene
from reactions.mannequin.object_trace import SeenObject
from reactions.mannequin.pose_file import catalogue_pose
from reactions.mannequin.render import landmarks, render_objects
from reactions.mannequin.things import CLUTTER, OBJECTS, ThingKind

WIDTH, HEIGHT = 640, 360
"""Pixels of a picture."""
ALL_OBJECTS: Final = "objects"
NO_OBJECTS: Final = "lookalikes"
_MARGIN: Final = 0.15
"""Around the joints of the hands, as a share of the longer side of what they take up."""
_QUALITY: Final = 92
"""Of the JPEG files."""
_SEEN: Final = 0.25
"""Of an object's pixels, so many must be seen for a box."""
_SMALLEST: Final = 8
"""Pixels of a box's shorter side."""
_SAVED: Final = 25
"""Pictures between two times that the manifest is written."""


@dataclass(frozen=True, slots=True)
class SynthesisReport:
    """Pictures that were drawn, and that were there already."""

    added: int
    known: int


class SceneRecipe(Protocol):
    """What draws people and scenes (``PoseRecipe``, ``ObjectRecipe``)."""

    @property
    def written(self) -> str:
        """All that tells it from other recipes."""
        ...

    def draw(self, rng: np.random.Generator) -> DrawnMannequin:
        """One picture to be."""
        ...


@dataclass(frozen=True, slots=True)
class ObjectRecipe:
    """Scenes at random with objects of ``kinds``, and clutter."""

    kinds: tuple[ThingKind, ...] = OBJECTS

    @property
    def written(self) -> str:
        return " ".join(self.kinds)

    def draw(self, rng: np.random.Generator) -> DrawnMannequin:
        """One scene."""
        return draw_object_scene(rng, self.kinds)


def shows_objects(label: str) -> bool:
    """Whether pictures of ``label`` are of objects: one of their kinds, ``objects`` for all, or
    ``lookalikes`` for what is none of them."""
    return label in {ALL_OBJECTS, NO_OBJECTS, *OBJECTS}


def recipe_of_label(label: str) -> SceneRecipe:
    """Scenes with objects, or the catalogue's pose; raises ConfigError for another ``label``."""
    if not shows_objects(label):
        return catalogue_pose(label)
    several = {ALL_OBJECTS: OBJECTS, NO_OBJECTS: CLUTTER}
    return ObjectRecipe(several[label] if label in several else (ThingKind(label),))


@dataclass(frozen=True, slots=True)
class Synthesis:
    """``pictures`` of ``recipe``, which show ``label``; another ``seed`` draws others."""

    recipe: SceneRecipe
    label: str
    pictures: int
    seed: int = 0
    objects: bool = False
    """Whether boxes are those of the objects in the picture, rather than the posing hands'."""

    def drawn(self) -> Iterator[tuple[str, DrawnMannequin]]:
        """The name of each picture, and what it shows. Another pose's pictures have other names."""
        pose = hashlib.sha256(self.recipe.written.encode()).hexdigest()[:8]
        for number in range(self.pictures):
            rng = np.random.default_rng([self.seed, number])
            yield f"{self.label}-{pose}-{self.seed}-{number:06d}.jpg", self.recipe.draw(rng)


def synthesize_pictures(
    work: Synthesis, dataset: Dataset, origin: Origin, move: Callable[[float, str], None]
) -> SynthesisReport:
    """Draw the pictures that ``dataset`` lacks; where ``origin`` names no person, the mannequin is
    one, so that `split_pictures` keeps its pictures together."""
    there = {
        record.name
        for record in dataset.records.values()
        if work.objects or record.labels or record.boxes
    }
    added = 0
    with tempfile.TemporaryDirectory(prefix="sidecar-dataset-") as folder:
        file = Path(folder) / "picture.jpg"
        try:
            for number, (name, shown) in enumerate(work.drawn()):
                if name not in there:
                    picture, seen = render_objects(
                        shown.person, shown.pose, shown.scene, WIDTH, HEIGHT, seed=number
                    )
                    Image.fromarray(picture).save(file, quality=_QUALITY)
                    record = _record(name, picture, shown, origin)
                    if work.objects:
                        record = replace(record, boxes=object_boxes(seen))
                    else:
                        record = _with_hands(record, shown, work.label)
                    dataset.put(replace(record, file=content_name(file)), file)
                    added += 1
                    if added % _SAVED == 0:
                        dataset.save()
                move((number + 1) / work.pictures, name)
        finally:
            dataset.save()
    return SynthesisReport(added, work.pictures - added)


def drawn_pictures(work: Synthesis) -> Iterator[tuple[RgbImage, LabelledBox | None]]:
    """The pictures of ``work``, each with the box around the hands that pose, if any does."""
    for number, (_, shown) in enumerate(work.drawn()):
        scene = (shown.person, shown.pose, shown.scene, WIDTH, HEIGHT)
        hands = landmarks(*scene)
        picture, _ = render_objects(*scene, seed=number)
        yield picture, box_around({side: hands[side] for side in shown.posing}, work.label)


def _record(name: str, picture: RgbImage, shown: DrawnMannequin, origin: Origin) -> PictureRecord:
    """The record, but for its file and what it shows."""
    person = f"mannequin {shown.person.name}"
    return PictureRecord(
        "",
        name,
        WIDTH,
        HEIGHT,
        f"{difference_hash(picture):016x}",
        origin=replace(origin, person=origin.person or person).cleaned(),
    )


def _with_hands(record: PictureRecord, shown: DrawnMannequin, label: str) -> PictureRecord:
    """``record`` with a box around the hands that pose; where none does, the label is the whole
    picture's."""
    hands = landmarks(shown.person, shown.pose, shown.scene, WIDTH, HEIGHT)
    box = box_around({side: hands[side] for side in shown.posing}, label)
    return replace(record, labels=(label,)) if box is None else replace(record, boxes=(box,))


def object_boxes(seen: Sequence[SeenObject]) -> tuple[LabelledBox, ...]:
    """Boxes around what is seen of each object; hardly seen ones are left out."""
    return tuple(
        LabelledBox(one.name, one.left, one.top, one.right, one.bottom)
        for one in seen
        if one.share >= _SEEN and min(one.right - one.left, one.bottom - one.top) >= _SMALLEST
    )


def box_around(hands: Mapping[Side, Points], label: str) -> LabelledBox | None:
    """One box around ``hands``, cut off at the picture's edge; None where nothing is inside."""
    if not hands:
        return None
    joints = np.concatenate([points[:, :2] for points in hands.values()])
    low, high = joints.min(axis=0), joints.max(axis=0)
    margin = _MARGIN * float((high - low).max())
    left, top = (max(float(value) - margin, 0.0) for value in low)
    right, bottom = (
        min(float(value) + margin, limit)
        for value, limit in zip(high, (WIDTH, HEIGHT), strict=True)
    )
    if right - left < 1 or bottom - top < 1:
        return None
    return LabelledBox(label, left, top, right, bottom)


def write_landmarks(work: Synthesis, path: Path) -> int:
    """Write the true joints of all posing hands to ``path``, an ``.npz`` as
    ``reactions.training.report --hands`` reads it; how many hands.

    As in pictures of a webcam's own view, x is mirrored; a mannequin is a source.
    """
    points: list[Points] = []
    people: list[str] = []
    for _, shown in work.drawn():
        hands = landmarks(shown.person, shown.pose, shown.scene, WIDTH, HEIGHT)
        for side in sorted(shown.posing):
            points.append(hands[side][:, :2] * (-1, 1) + (WIDTH, 0))
            people.append(f"mannequin {shown.person.name}")
    sources = sorted(set(people))
    with path.open("wb") as file:
        np.savez_compressed(
            file,
            points=np.array(points, np.float32).reshape(-1, 21, 2),
            label=np.zeros(len(points), np.int64),
            labels=np.array([work.label]),
            near=np.zeros(len(points), np.int64),
            nears=np.array([""]),
            source=np.array([sources.index(person) for person in people], np.int64),
            sources=np.array(sources),
        )
    return len(points)
