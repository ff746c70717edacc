import numpy as np

from reactions.gestures.hand_classes import CLASSES, NONE, SHAPES
from reactions.training.corrections import CORRECTIONS, corrected
from reactions.training.recorded_hands import PEOPLES_HANDS, RecordedHands
from reactions.training.training_set import right_classes
from tests.reactions.training.recorded import recorded

FIRST = CORRECTIONS[0]


def test_a_corrected_recording_may_be_called_what_it_shows() -> None:
    hands = recorded((FIRST.label, "", FIRST.source), (FIRST.label, "", "another person"))
    right = right_classes(corrected(hands))
    shape, none = CLASSES.index(FIRST.near), CLASSES.index(NONE)
    assert right[:, shape].tolist() == [True, False]
    assert right[:, none].all()


def test_hands_as_labelled_stay_as_they_are() -> None:
    hands = recorded((FIRST.label, "", FIRST.source))
    corrected(hands)
    assert hands.nears == ("",)


def test_every_correction_is_of_a_recording_that_there_is() -> None:
    hands = RecordedHands.load(PEOPLES_HANDS)
    names, sources = np.array(hands.labels)[hands.label], np.array(hands.sources)[hands.source]
    for each in CORRECTIONS:
        assert each.near in SHAPES
        assert ((sources == each.source) & (names == each.label)).sum() >= 30, each
