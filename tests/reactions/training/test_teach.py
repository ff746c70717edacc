"""Teaching with hands of the repository that are no shape of the vocabulary."""

import numpy as np
import pytest

from config.errors import ModelError
from reactions.gestures.features import hand_features
from reactions.gestures.hand_classes import SHAPES
from reactions.gestures.hand_classifier import HandShapeClassifier
from reactions.taught_labels import VIEW_SIZES, LandmarkView
from reactions.training import taught_network
from reactions.training.recorded_hands import PEOPLES_HANDS, RecordedHands
from reactions.training.taught_examples import (
    Example,
    KnownHands,
    draw_places,
    hand_example,
    moved_away,
    varied_vectors,
)
from reactions.training.teach import TaughtResult, teach


@pytest.fixture(scope="module")
def threes() -> RecordedHands:
    """Hands of one person that show three fingers."""
    hands = RecordedHands.load(PEOPLES_HANDS)
    mine = np.array(hands.labels)[hands.label] == "three"
    source = np.bincount(hands.source[mine]).argmax()
    return hands.pick(mine & (hands.source == source))


@pytest.fixture(scope="module")
def known() -> KnownHands:
    return KnownHands.load(3000, 0)


def examples(hands: RecordedHands, count: int) -> list[Example]:
    return [
        hand_example(LandmarkView.HAND, points, bool(left), number)
        for number, (points, left) in enumerate(
            zip(hands.points[:count], hands.left[:count], strict=True)
        )
    ]


@pytest.fixture(scope="module")
def taught(threes: RecordedHands, known: KnownHands) -> TaughtResult:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(taught_network, "_STEPS", 200)
        return teach(
            LandmarkView.HAND, examples(threes, 20), [], HandShapeClassifier(), known=known
        )


def test_a_shape_is_learnt_from_twenty_hands(taught: TaughtResult, threes: RecordedHands) -> None:
    rest = hand_features(threes.points[20:], threes.left[20:])
    assert (taught.network.scorer()(rest) >= taught.threshold).mean() > 0.8
    assert taught.figures.recall.value > 0.8
    assert taught.figures.recall.of == 20


def test_other_hands_stay_silent_and_those_that_show_the_same_do_not_count(
    taught: TaughtResult,
) -> None:
    assert taught.figures.other_hands.value < 0.02
    assert "three" in taught.figures.alike


def test_all_shapes_are_measured_before_and_after_and_keep_their_figures(
    taught: TaughtResult,
) -> None:
    assert set(taught.figures.shapes) == set(SHAPES)
    assert all(each.before == each.after for each in taught.figures.shapes.values())
    assert taught.outranks == ()


def test_the_same_seed_teaches_the_same(
    threes: RecordedHands, known: KnownHands, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(taught_network, "_STEPS", 10)
    shown = varied_vectors(LandmarkView.HAND, examples(threes, 5), 50, np.random.default_rng(1))
    fits = [taught_network.fit_taught(shown, known.features[:200], seed) for seed in (3, 3, 4)]
    assert fits[0] == fits[1] != fits[2]


def test_what_its_pictures_set_off_gives_way_and_the_loss_is_shown(
    threes: RecordedHands, known: KnownHands, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(taught_network, "_STEPS", 60)
    shown = [
        Example(one.picture, one.vector, one.points, one.left, frozenset({"victory"}))
        for one in examples(threes, 8)
    ]
    result = teach(LandmarkView.HAND, shown, [], HandShapeClassifier(), known=known)
    assert result.outranks == ("victory",)
    victory = result.figures.shapes["victory"]
    assert victory.after.hits <= victory.before.hits


@pytest.mark.parametrize(("view", "count"), [(LandmarkView.HAND, 4), (LandmarkView.ARMS, 8)])
def test_too_few_pictures_are_one_line(
    view: LandmarkView, count: int, threes: RecordedHands, known: KnownHands
) -> None:
    shown = examples(threes, count)
    with pytest.raises(ModelError, match="are needed"):
        teach(view, shown, [], HandShapeClassifier(), known=known)


def test_places_by_the_face_tell_labels_apart(known: KnownHands) -> None:
    rng = np.random.default_rng(0)
    some = known.vectors(LandmarkView.HAND_AT_FACE, known.held_out, rng)
    assert some.shape[1] == VIEW_SIZES[LandmarkView.HAND_AT_FACE]
    some[:, -2:] = (0.2, -0.3)
    away = moved_away(some, rng)
    assert np.hypot(away[:, -2] - 0.2, away[:, -1] + 0.3).min() > 1
    assert draw_places(5, rng).shape == (5, 2)
