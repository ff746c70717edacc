"""The object detector out of the file that MediaPipe's Objectron packs its assets into.

The file is a list of labels followed by the model, as they are.
"""

from config.errors import ModelError

_LABELS = 184
"""Bytes of the list of labels before the model."""
_MARK = b"TFL3"
"""What a TensorFlow Lite model has at its fifth byte."""


def cut_out(original: bytes) -> bytes:
    """The model in the packed assets ``original``."""
    return original[_LABELS:]


def check_cut_out(original: bytes, edited: bytes) -> None:
    """Raise ModelError where ``edited`` is no model, or not the rest of ``original``."""
    if edited[4:8] != _MARK or not original.endswith(edited):
        raise ModelError("the packed assets hold no model where it should be")
