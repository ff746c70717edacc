"""Teach a label from a few pictures: a network beside a hand classifier that stays as it is.

The label's pictures are varied many times over, and set against hands of the repository and the
pictures of anything else. The threshold keeps hands of people from whom nothing was learnt
silent. The figures come from networks that did not see what they are judged on.
"""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from config.errors import ModelError
from reactions.gestures.hand_classes import SHAPES
from reactions.gestures.hand_classifier import HandShapeClassifier
from reactions.labels import THRESHOLDS
from reactions.taught_labels import LandmarkView, TaughtNetwork
from reactions.training.evaluation.intervals import Share, share_of
from reactions.training.hands_report import read_shapes
from reactions.training.taught_examples import Example, KnownHands, moved_away, varied_vectors
from reactions.training.taught_network import Vectors, fit_taught

FEWEST: Final = 5
"""Pictures in which the label's hand or arms must be found."""
FEWEST_OTHER_ARMS: Final = 10
"""Pictures of anything else that arms need: the repository holds none."""
KNOWN_HANDS: Final = 15_000
_SHOWN: Final = 3_000
_OTHER: Final = 4_000
_FOLDS: Final = 4
_FIRES: Final = 0.003
"""Share of other hands that may fire the label."""
_THRESHOLDS: Final = (0.5, 0.95)
_ALIKE: Final = 0.4
"""A name of the repository's other hands of which so many fire shows the same as the label."""
_OUTRANKED: Final = 0.1
"""The label outranks what fires in so many of its pictures."""
_MEASURED: Final = 4_000
"""Hands that the hand classifier reads before and after."""

Marks = npt.NDArray[np.bool_]
TeachMove = Callable[[float, str], None]


@dataclass(frozen=True, slots=True)
class BeforeAfter:
    """How many hands that show a shape fire it, without and with the taught label."""

    before: Share
    after: Share
    taught: Share
    """How many of them fire the taught label."""


@dataclass(frozen=True, slots=True)
class TeachFigures:
    """What is known about a taught label."""

    recall: Share
    """Of its pictures, by networks that had not seen them."""
    other_pictures: Share
    """Pictures of anything else that fire it; likewise."""
    other_hands: Share
    """Hands that fire it, of people from whom neither it nor its threshold was learnt."""
    alike: Sequence[str]
    """Names of the repository's hands that show the same; they count nowhere."""
    shapes: Mapping[str, BeforeAfter]


@dataclass(frozen=True, slots=True)
class TaughtResult:
    """A network, and what it does."""

    network: TaughtNetwork
    threshold: float
    outranks: tuple[str, ...]
    figures: TeachFigures


def teach(
    view: LandmarkView,
    shown: Sequence[Example],
    other: Sequence[Example],
    classifier: HandShapeClassifier,
    *,
    seed: int = 0,
    known: KnownHands | None = None,
    move: TeachMove = lambda share, what: None,
) -> TaughtResult:
    """The network of a label that ``shown`` examples show and ``other`` ones do not.

    ``move`` gets the share that is done. Raises ModelError where there is too little to learn from.
    """
    _check_enough(view, shown, other)
    lesson = _Lesson(view, known or KnownHands.load(KNOWN_HANDS, seed), seed)
    move(0.05, "learning")
    network = lesson.fit(shown, other, frozenset())
    alike = lesson.find_alike(network)
    if alike:
        network = lesson.fit(shown, other, alike)
    threshold = lesson.threshold(network, alike)
    recall, quiet = _cross_validate(lesson, shown, other, alike, threshold, move)
    outranks = _outranked(shown)
    move(0.8, "measuring all labels")
    shapes = lesson.measure_shapes(network, threshold, outranks, classifier)
    judged = lesson.unseen_scores(network, alike, judging=True)
    fires = share_of((judged >= threshold).tolist())
    figures = TeachFigures(recall, quiet, fires, sorted(alike), shapes)
    move(1.0, "")
    return TaughtResult(network, threshold, outranks, figures)


def _check_enough(view: LandmarkView, shown: Sequence[Example], other: Sequence[Example]) -> None:
    found = len({example.picture for example in shown})
    what = "arms are" if view is LandmarkView.ARMS else "a hand is"
    if found < FEWEST:
        do = "take 20 to 50 pictures in which it is wholly in sight"
        raise ModelError(f"{what} found in {found} pictures, {FEWEST} are needed", do=do)
    others = len({example.picture for example in other})
    if view is LandmarkView.ARMS and others < FEWEST_OTHER_ARMS:
        text = f"{others} pictures of anything else show arms, {FEWEST_OTHER_ARMS} are needed"
        raise ModelError(text, do="add pictures of people who do something else, by --not")


@dataclass(frozen=True, slots=True, eq=False)
class _Lesson:
    """What all networks of one label are fitted with."""

    view: LandmarkView
    known: KnownHands
    seed: int

    def fit(
        self, shown: Sequence[Example], other: Sequence[Example], alike: frozenset[str]
    ) -> TaughtNetwork:
        rng = np.random.default_rng([self.seed, 13])
        ours = varied_vectors(self.view, shown, _SHOWN, rng)
        learnt = ~self.known.held_out & ~self._named(alike)
        parts = [self.known.vectors(self.view, learnt, rng)]
        if other:
            parts.append(varied_vectors(self.view, other, _OTHER, rng))
        if self.view is LandmarkView.HAND_AT_FACE:
            parts.append(moved_away(ours, rng))
        return fit_taught(ours, np.concatenate(parts), self.seed)

    def find_alike(self, network: TaughtNetwork) -> frozenset[str]:
        """Names of hands, none of them a shape, that mostly fire."""
        if self.view is not LandmarkView.HAND:
            return frozenset()
        fired = network.scorer()(self.known.features) >= _THRESHOLDS[0]
        names = self._names
        others = sorted(set(names.tolist()) - set(SHAPES))
        return frozenset(name for name in others if fired[names == name].mean() >= _ALIKE)

    def threshold(self, network: TaughtNetwork, alike: frozenset[str]) -> float:
        scores = self.unseen_scores(network, alike, judging=False)
        low, high = _THRESHOLDS
        if not len(scores):
            return low
        return round(float(np.clip(np.quantile(scores, 1 - _FIRES) + 0.005, low, high)), 2)

    def unseen_scores(
        self, network: TaughtNetwork, alike: frozenset[str], *, judging: bool
    ) -> Vectors:
        """Scores (n,) of hands of people from whom nothing is learnt: of the half of them who set
        the threshold, or of those who judge it. None for arms."""
        half = self.known.hands.source % 2 == int(judging)
        which = self.known.held_out & half & ~self._named(alike)
        rng = np.random.default_rng([self.seed, 19])
        return network.scorer()(self.known.vectors(self.view, which, rng))

    def measure_shapes(
        self,
        network: TaughtNetwork,
        threshold: float,
        outranks: tuple[str, ...],
        classifier: HandShapeClassifier,
    ) -> Mapping[str, BeforeAfter]:
        """Each shape before and after; nothing where the repository's hands can't show the label,
        for want of a face or of arms."""
        if self.view is not LandmarkView.HAND:
            return {}
        names = self._names
        some = np.flatnonzero(np.isin(names, SHAPES))
        some = some[:: max(1, len(some) // _MEASURED)]
        base = read_shapes(classifier, self.known.hands.pick(some))
        taught = network.scorer()(self.known.features[some]) >= threshold
        found = {}
        for column, shape in enumerate(SHAPES):
            mine = names[some] == shape
            before = base[mine, column] >= THRESHOLDS[shape]
            after = before & ~taught[mine] if shape in outranks else before
            found[shape] = BeforeAfter(
                *(share_of(m.tolist()) for m in (before, after, taught[mine]))
            )
        return found

    @property
    def _names(self) -> npt.NDArray[np.str_]:
        return np.array(self.known.hands.labels)[self.known.hands.label]

    def _named(self, names: frozenset[str]) -> Marks:
        return np.isin(self._names, sorted(names))


def _cross_validate(
    lesson: _Lesson,
    shown: Sequence[Example],
    other: Sequence[Example],
    alike: frozenset[str],
    threshold: float,
    move: TeachMove,
) -> tuple[Share, Share]:
    """Of pictures that a network has not seen: how many that show the label fire, and how many
    others. Pictures that follow each other are held out together: a clip's are alike."""
    judged: dict[bool, list[bool]] = {True: [], False: []}
    for fold in range(_FOLDS):
        move(0.3 + 0.5 * fold / _FOLDS, "learning from parts of the pictures")
        (ours, ours_out), (theirs, theirs_out) = (_split(each, fold) for each in (shown, other))
        network = lesson.fit(ours, theirs, alike)
        judged[True] += _fired(network, ours_out, threshold)
        judged[False] += _fired(network, theirs_out, threshold)
    return share_of(judged[True]), share_of(judged[False])


def _fired(network: TaughtNetwork, out: Sequence[Example], threshold: float) -> list[bool]:
    """Whether each picture of ``out`` fires, by any of its examples."""
    if not out:
        return []
    best: dict[int, float] = {}
    scores = network.scorer()(np.stack([example.vector for example in out]))
    for example, score in zip(out, scores.tolist(), strict=True):
        best[example.picture] = max(score, best.get(example.picture, 0.0))
    return [score >= threshold for score in best.values()]


def _split(examples: Sequence[Example], fold: int) -> tuple[list[Example], list[Example]]:
    """The examples of other folds, and those of ``fold``."""
    pictures = sorted({example.picture for example in examples})
    ends = [round(len(pictures) * at / _FOLDS) for at in (fold, fold + 1)]
    out = set(pictures[slice(*ends)])
    kept = [example for example in examples if example.picture not in out]
    return kept, [example for example in examples if example.picture in out]


def _outranked(shown: Sequence[Example]) -> tuple[str, ...]:
    pictures = {example.picture: example.fires for example in shown}
    counts = Counter(label for fires in pictures.values() for label in fires)
    return tuple(sorted(one for one, hits in counts.items() if hits >= _OUTRANKED * len(pictures)))
