"""Hands in photos and on mannequins, as the landmarks that our models find, with their labels."""

from dataclasses import dataclass
from pathlib import Path
from typing import Self

import numpy as np
import numpy.typing as npt

from config.errors import ModelError
from reactions.gestures.features import Landmarks
from reactions.gestures.hand_classes import CLASSES, NONE
from reactions.training.array_errors import UNREADABLE_ARRAYS
from reactions.training.photos import Photo
from reactions.training.sightings import Sightings

REAL_HANDS = Path(__file__).with_name("data") / "hands.npz"
"""Landmarks of photos under MIT and Apache-2.0; docs/training.md names them."""
RENDERED_HANDS = REAL_HANDS.with_name("rendered.npz")
"""Landmarks that our models find on mannequins; see ``reactions.training.render_dataset``."""
MANNEQUINS = "mannequins"
"""The source of these."""
FREE_SOURCES = frozenset({"emre_hand", "emre_body", "emre_body_crop", "subhi_hands", "anupam"})
"""Photo sources whose licence allows training on them."""
# Shots of one project, in the same rooms: held out together.
_SAME_PEOPLE = {"emre_body": "emre_hand", "emre_body_crop": "emre_hand"}
# Fidgets that pass through real gestures, and bodies whose fists are real: no look-alikes.
_NOT_NONE = frozenset({"neg_hand_fidget", "neg_body_misc"})
# In these photos a second hand far below the first hangs at the side.
_HANGING_IN = frozenset({"emre_hand"})
_FAR = 1.5


@dataclass(frozen=True, slots=True)
class RealHands:
    """Hands of real people, with what they show and where they are from."""

    points: Landmarks
    left: npt.NDArray[np.bool_]
    classes: npt.NDArray[np.int64]
    sources: npt.NDArray[np.str_]

    @classmethod
    def load(cls, path: Path = REAL_HANDS) -> Self:
        """Raises ModelError where there is no such file."""
        try:
            with np.load(path) as saved:
                points = saved["tenths"].astype(np.float32) / 10
                classes = np.array([CLASSES.index(name) for name in saved["names"].tolist()])
                return cls(points, saved["left"], classes[saved["classes"]], saved["sources"])
        except UNREADABLE_ARRAYS as error:
            raise ModelError("no landmarks of real hands", where=str(path)) from error

    def save(self, path: Path) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        # Tenths of a pixel are finer than the model, and compress well.
        tenths = np.round(self.points[:, :, :2] * 10).astype(np.int16)
        np.savez_compressed(
            path,
            tenths=tenths,
            left=self.left,
            classes=self.classes,
            names=np.array(CLASSES),
            sources=self.sources,
        )

    def pick(self, which: npt.NDArray[np.bool_]) -> "RealHands":
        """The hands that ``which`` (n,) marks."""
        return RealHands(
            self.points[which], self.left[which], self.classes[which], self.sources[which]
        )

    def joined(self, other: "RealHands") -> "RealHands":
        """These hands and the ``other`` ones."""
        return RealHands(
            np.concatenate([self.points[:, :, :2], other.points[:, :, :2]]),
            np.concatenate([self.left, other.left]),
            np.concatenate([self.classes, other.classes]),
            np.concatenate([self.sources, other.sources]),
        )

    @property
    def groups(self) -> npt.NDArray[np.str_]:
        """(n,): who must be held out together, so that no person is learnt and tested."""
        return np.array([_SAME_PEOPLE.get(str(name), str(name)) for name in self.sources])


def label_hands(photos: list[Photo], found: Sightings) -> RealHands:
    """What each hand that may be learnt from shows: the upper one its photo's label.

    A hand that hangs far below it shows nothing; of any other second hand we know nothing.
    """
    middle = found.points[:, :, :2].mean(axis=1)
    extent = np.ptp(found.points[:, :, :2], axis=1).max(axis=1)
    hangs = found.points[:, 9, 1] > found.points[:, 0, 1]
    rows, classes = [], []
    for i in np.unique(found.photo):
        photo = photos[int(i)]
        shape = photo.shape
        if photo.source not in FREE_SOURCES or shape is None or photo.label in _NOT_NONE:
            continue
        first, *others = sorted(np.flatnonzero(found.photo == i), key=lambda k: middle[k, 1])
        rows.append(first)
        classes.append(CLASSES.index(shape))
        for k in others if photo.source in _HANGING_IN else ():
            away = np.linalg.norm(middle[k] - middle[first]) / max(extent[k], extent[first])
            if hangs[k] and away > _FAR:
                rows.append(k)
                classes.append(CLASSES.index(NONE))
    picked = np.array(rows, np.int64)
    return RealHands(
        found.points[picked],
        found.left[picked],
        np.array(classes, np.int64),
        np.array([photos[int(i)].source for i in found.photo[picked]]),
    )
