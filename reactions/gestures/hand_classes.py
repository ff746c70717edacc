"""The hand shapes that the trained head tells apart, in the order of its outputs."""

SHAPES = (
    "ok_hand",
    "thumbs_up",
    "thumbs_down",
    "victory",
    "rock",
    "ily",
    "open_palm",
    "fist",
    "pointing_up",
    "call_me",
)
"""Labels of the vocabulary that are read from the shape of one hand."""
NONE = "none"
"""Every other hand: look-alikes, fidgets, hands at rest."""
CLASSES = (*SHAPES, NONE)
