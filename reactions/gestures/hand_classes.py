"""The hand shapes that the classifier knows, in the order of its outputs."""

from enum import StrEnum


class HandClass(StrEnum):
    """A shape of one hand; its value is the name of the label that it shows."""

    OK_HAND = "ok_hand"
    THUMBS_UP = "thumbs_up"
    THUMBS_DOWN = "thumbs_down"
    VICTORY = "victory"
    ROCK = "rock"
    ILY = "ily"
    OPEN_PALM = "open_palm"
    FIST = "fist"
    POINTING_UP = "pointing_up"
    CALL_ME = "call_me"
    CROSSED_FINGERS = "crossed_fingers"
    FINGER_HEART = "finger_heart"
    MIDDLE_FINGER = "middle_finger"


SHAPES: tuple[str, ...] = tuple(shape.value for shape in HandClass)
"""Labels of the vocabulary that are read from the shape of one hand."""
NONE = "none"
"""Every other hand: three, four, two together, an L, a C, a pinch, a little finger alone, fidgets,
hands at rest."""
CLASSES = (*SHAPES, NONE)
