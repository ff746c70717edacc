"""The window of hands and head as numbers."""

import pickle

import numpy as np
import pytest

from reactions.gestures.context import Context
from reactions.gestures.motion import Motion
from reactions.gestures.motion_window import (
    HANDS_READ,
    HEAD_READ,
    WINDOW_NUMBERS,
    read_window,
)
from reactions.gestures.recognizer import Recognizer
from reactions.training.motion_sequences import MotionSequence
from tests.reactions.gestures.figures import see

LABELS = ("wave", "clap", "nod", "shake")


class NoShapes:
    """Motions are read without the shapes of hands."""

    def shapes(self, hand: object, features: object) -> dict[str, float]:
        return {}


def last_context(label: str) -> Context:
    recognizer, motion = Recognizer(LABELS, shapes=NoShapes()), Motion()
    for sample in MotionSequence("one", label, 0, 1, (0, 1)).samples():
        context = recognizer.measure(sample.observation, motion)
        motion = context.motion
    return context


@pytest.mark.parametrize("label", LABELS)
def test_a_window_is_finite_and_of_one_length(label: str) -> None:
    window = read_window(last_context(label))
    assert window is not None
    assert window.vector.shape == (WINDOW_NUMBERS,)
    assert np.isfinite(window.vector).all()
    assert window.head is not None


def test_a_window_is_read_from_the_memory_that_travels_with_samples() -> None:
    context = last_context("clap")
    travelled = pickle.loads(pickle.dumps(context.motion))
    assert travelled == context.motion
    again = Context(context.observation, context.hands, context.face, travelled)
    first, second = read_window(context), read_window(again)
    assert first is not None
    assert second is not None
    assert (first.vector == second.vector).all()


def test_hands_that_are_not_read_are_zeros() -> None:
    context = last_context("nod")
    window = read_window(Context(context.observation, (), context.face, context.motion))
    assert window is not None
    assert window.hand is None
    assert not window.vector[HANDS_READ.start : HEAD_READ.start].any()
    assert window.vector[HEAD_READ].any()


def test_nothing_is_read_without_a_past() -> None:
    assert read_window(Context(see(), (), None, Motion())) is None
