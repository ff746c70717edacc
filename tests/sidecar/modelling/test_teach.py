"""Which labels can be taught beside those that a bundle has."""

from dataclasses import replace

import pytest

from config.errors import ModelError
from reactions.bundle import SHIPPED_BUNDLE
from reactions.detected_labels import DetectedLabel
from sidecar.modelling.teach import TeachOptions, check_teachable
from tests.taught import taught_label

BASE = replace(
    SHIPPED_BUNDLE,
    name="mine",
    taught=(taught_label("vulcan"),),
    detected=(DetectedLabel(name="mug", how="hold it", threshold=0.5),),
)


@pytest.mark.parametrize(
    ("label", "again", "message"),
    [
        ("fist", True, "is a label of the vocabulary"),
        ("vulcan", False, "is taught already in mine"),
        ("mug", True, "is an object that mine detects"),
    ],
)
def test_a_name_that_is_taken_is_refused_before_pictures_are_read(
    label: str, again: bool, message: str
) -> None:
    with pytest.raises(ModelError, match=message):
        check_teachable(TeachOptions(label), BASE, again=again)


def test_a_taught_label_can_be_taught_again() -> None:
    check_teachable(TeachOptions("vulcan"), BASE, again=True)
