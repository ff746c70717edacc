"""What labels of a bundle have in common."""

import pytest
from pydantic import ValidationError

from config.reaction_rule import Kind
from reactions.detected_labels import DetectedLabel
from reactions.gestures.hand_classes import NONE


def label(**values: object) -> DetectedLabel:
    return DetectedLabel.model_validate(
        {"name": "mug", "how": "hold it", "threshold": 0.6} | values
    )


def test_a_label_ends_at_its_release_or_at_its_threshold_where_that_is_lower() -> None:
    assert label().rule().release == 0.3
    assert label(threshold=0.2).rule().release == 0.2


@pytest.mark.parametrize("name", ["wave", NONE, "Two Words", "../mug"])
def test_a_name_of_the_vocabulary_or_no_name_is_refused(name: str) -> None:
    with pytest.raises(ValidationError):
        label(name=name)


def test_a_label_of_a_sticker_needs_one() -> None:
    with pytest.raises(ValidationError, match="has no sticker"):
        label(kind=Kind.STICKER)
