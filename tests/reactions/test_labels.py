from dataclasses import replace

import pytest

from config.reaction_table import load_reaction_table
from reactions.gestures.hand_classes import HandClass
from reactions.labels import LABELS, THRESHOLDS, families_for, vocabulary
from reactions.landmark_types import ModelFamily

SPEC = LABELS["smile"]


@pytest.mark.parametrize("name", ["", "Smile", "big smile", "smile_", "smile2"])
def test_a_name_that_no_table_could_hold_is_refused(name: str) -> None:
    with pytest.raises(ValueError, match="lower-case words"):
        replace(SPEC, name=name)


def test_a_spec_without_models_words_or_a_threshold_that_can_be_reached_is_refused() -> None:
    with pytest.raises(ValueError, match="'smile': needs models"):
        replace(SPEC, families=frozenset())
    with pytest.raises(ValueError, match="'smile': needs models"):
        replace(SPEC, how="")
    for threshold in (0.0, 1.1):
        with pytest.raises(ValueError, match="'smile': needs models"):
            replace(SPEC, threshold=threshold)


def test_two_specs_of_one_name_are_refused() -> None:
    with pytest.raises(ValueError, match="smile is defined twice"):
        vocabulary(SPEC, LABELS["face"], SPEC)


def test_titles_are_the_names_words_unless_given() -> None:
    assert LABELS["thumbs_up"].title == "Thumbs up"
    assert LABELS["ily"].title == "I love you"


def test_every_hand_class_is_a_label() -> None:
    assert set(HandClass) <= set(LABELS)


def test_thresholds_are_those_of_the_specs() -> None:
    assert {name: spec.threshold for name, spec in LABELS.items()} == dict(THRESHOLDS)


def test_a_hand_shape_ends_at_a_lower_score_than_it_starts() -> None:
    table = load_reaction_table(LABELS, environ={})
    doubles = [name for name in LABELS if name.startswith("double_")]
    for name in (*HandClass, *doubles):
        assert table[name].release < table[name].threshold, name


def test_models_are_those_of_the_labels_together() -> None:
    assert families_for([]) == frozenset()
    assert families_for(["smile"]) == {ModelFamily.FACE}
    assert families_for(["smile", "wave"]) == {ModelFamily.FACE, ModelFamily.HANDS}
    assert families_for(["arms_raised"]) == {ModelFamily.BODY}
