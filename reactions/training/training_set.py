"""The hands of one epoch of training, drawn from everything that there is to train on.

Each epoch draws hands again from four sources and varies them, so that none comes twice the same.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Self

import numpy as np
import numpy.typing as npt

from reactions.gestures.features import Features, hand_features
from reactions.gestures.hand_classes import CLASSES, NONE
from reactions.training.augment import Variation, vary
from reactions.training.compose import Composer
from reactions.training.corrections import corrected
from reactions.training.dataset import RENDERED_HANDS, RealHands
from reactions.training.folds import assign_folds
from reactions.training.recorded_hands import PEOPLES_HANDS, RecordedHands
from reactions.training.synthetic import Batch, draw_hands

SHARES = {"people": 0.46, "composed": 0.06, "synthetic": 0.30, "mannequins": 0.10, "photos": 0.08}
"""Of the hands in an epoch."""
_NONE_SHARE = 0.45
"""Of the people's hands."""
_DRAWN_NONE_SHARE = 0.5
"""Of the synthetic hands."""
_POOL = 150_000
_RARITY = 0.75
"""0: every hand counts the same; 1: every person does."""
_PEOPLE = Variation(turn=15, bones=0.08, squeeze=0.15)
# Our own models found these as they are: they need less variation to be what is met in a meeting.
_FOUND = Variation(turn=8, bones=0.04, squeeze=0.08)


Classes = npt.NDArray[np.bool_]
"""(n, classes): which of ``CLASSES`` are right for each hand."""
NO_FOLD = -1
"""The fold of hands that are held out of nothing."""


@dataclass(frozen=True, slots=True)
class Epoch:
    """The hands of one epoch, ready to fit."""

    features: Features
    right: Classes
    fold: npt.NDArray[np.int64]
    """(n,): the fold that holds each hand out, or NO_FOLD."""


@dataclass(frozen=True, slots=True)
class TrainingHands:
    """All hands that epochs are drawn from."""

    people: RecordedHands
    photos: RealHands
    mannequins: RealHands
    synthetic: Batch
    people_fold: npt.NDArray[np.int64]
    """(people's hands,)"""
    photo_fold: npt.NDArray[np.int64]
    """(photos' hands,)"""

    @classmethod
    def load(cls, seed: int, folds: int, synthetic: int = _POOL) -> Self:
        """What the repository holds, and ``synthetic`` hands drawn by ``seed``.

        Each person, and each group of photos, is held out by one of ``folds``. Raises ModelError
        where a file of hands is missing.
        """
        people, photos = RecordedHands.load(PEOPLES_HANDS), RealHands.load()
        _, group = np.unique(photos.groups, return_inverse=True)
        return cls(
            people,
            photos,
            RealHands.load(RENDERED_HANDS),
            draw_hands(synthetic, _DRAWN_NONE_SHARE, np.random.default_rng([seed, 0])),
            assign_folds(people, folds)[people.source],
            group % folds,
        )

    def thinned(self, step: int) -> Self:
        """The same with each ``step``-th of the people's hands only."""
        kept = np.arange(len(self.people.points)) % step == 0
        return replace(self, people=self.people.pick(kept), people_fold=self.people_fold[kept])


def right_classes(hands: RecordedHands) -> Classes:
    """What each recorded hand may be called.

    One that is near a shape may be called that shape or ``none``; one near ``rock`` may be ``ily``
    too, since the two differ by the thumb alone.
    """
    right = _known(hands.labels, NONE)[hands.label]
    near = _known(hands.nears, None)[hands.near]
    near[:, CLASSES.index("ily")] |= near[:, CLASSES.index("rock")]
    other = right[:, CLASSES.index(NONE)]
    right[other] |= near[other]
    return right


def _known(names: tuple[str, ...], otherwise: str | None) -> Classes:
    """(names, classes): the class of each name; of a name that is no class ``otherwise``'s."""
    rows = [
        [each == (name if name in CLASSES else otherwise) for each in CLASSES] for name in names
    ]
    return np.array(rows, np.bool_).reshape(-1, len(CLASSES))


def draw_epochs(hands: TrainingHands, count: int, rng: np.random.Generator) -> Iterator[Epoch]:
    """Endless epochs of about ``count`` hands, in the parts that ``SHARES`` says."""
    right = right_classes(corrected(hands.people))
    composer = Composer.of(hands.people, hands.people_fold, _people_chances(hands.people))
    while True:
        drawn = [
            _draw_people(hands, right, round(count * SHARES["people"]), rng),
            _draw_composed(composer, round(count * SHARES["composed"]), rng),
            _draw_found(hands.photos, hands.photo_fold, round(count * SHARES["photos"]), rng),
            _draw_found(hands.mannequins, None, round(count * SHARES["mannequins"]), rng),
            _draw_synthetic(hands.synthetic, round(count * SHARES["synthetic"]), rng),
        ]
        yield Epoch(
            np.concatenate([part.features for part in drawn]),
            np.concatenate([part.right for part in drawn]),
            np.concatenate([part.fold for part in drawn]),
        )


def _draw_people(
    hands: TrainingHands, right: Classes, count: int, rng: np.random.Generator
) -> Epoch:
    people = hands.people
    chance = _people_chances(people)
    # What is near a shape counts as none here.
    classes = np.where(right[:, -1], len(CLASSES) - 1, right.argmax(axis=1))
    picked = rng.choice(len(chance), count, p=_balanced(chance, classes))
    points = vary(people.points[picked], rng, _PEOPLE)
    features = hand_features(points, people.left[picked])
    return Epoch(features, right[picked], hands.people_fold[picked])


def _draw_composed(composer: Composer, count: int, rng: np.random.Generator) -> Epoch:
    hands = composer.compose(2 * count, rng)
    picked = rng.choice(len(hands.fold), count)
    names = hands.labels[picked].tolist()
    classes = [CLASSES.index(name if name in CLASSES else NONE) for name in names]
    points = vary(hands.points[picked], rng, _PEOPLE)
    features = hand_features(points, np.zeros(count, np.bool_))
    return Epoch(features, _one_right(np.array(classes, np.int64)), hands.fold[picked])


def _draw_found(
    hands: RealHands,
    fold: npt.NDArray[np.int64] | None,
    count: int,
    rng: np.random.Generator,
) -> Epoch:
    _, source = np.unique(hands.sources, return_inverse=True)
    chance = _rarity(source * len(CLASSES) + hands.classes)
    picked = rng.choice(len(chance), count, p=chance / chance.sum())
    points = vary(hands.points[picked], rng, _FOUND)
    return Epoch(
        hand_features(points, hands.left[picked]),
        _one_right(hands.classes[picked]),
        _no_folds(count) if fold is None else fold[picked],
    )


def _draw_synthetic(batch: Batch, count: int, rng: np.random.Generator) -> Epoch:
    picked = rng.choice(len(batch.classes), count, replace=count > len(batch.classes))
    features = hand_features(batch.points[picked], np.zeros(count, np.bool_))
    return Epoch(features, _one_right(batch.classes[picked]), _no_folds(count))


def _one_right(classes: npt.NDArray[np.int64]) -> Classes:
    return np.eye(len(CLASSES), dtype=np.bool_)[classes]


def _no_folds(count: int) -> npt.NDArray[np.int64]:
    return np.full(count, NO_FOLD, np.int64)


def _people_chances(people: RecordedHands) -> npt.NDArray[np.float64]:
    return _rarity(people.source * len(people.labels) + people.label)


def _rarity(groups: npt.NDArray[np.int64]) -> npt.NDArray[np.float64]:
    """The chance of each hand: a person's next hundred hands of a label say less than the first."""
    _, group, sizes = np.unique(groups, return_inverse=True, return_counts=True)
    return np.asarray(sizes[group] ** -_RARITY, np.float64)


def _balanced(
    weights: npt.NDArray[np.float64], classes: npt.NDArray[np.int64]
) -> npt.NDArray[np.float64]:
    """``weights`` summing to one: a share for ``none``, the rest for shapes, rare ones raised."""
    totals = np.bincount(classes, weights=weights, minlength=len(CLASSES))
    wanted = np.sqrt(totals)
    wanted[-1] = 0
    wanted *= (1 - _NONE_SHARE) / max(float(wanted.sum()), 1e-9)
    wanted[-1] = _NONE_SHARE
    chances = weights * (wanted / np.maximum(totals, 1e-9))[classes]
    return np.asarray(chances / chances.sum())
