"""The pose model without its segmentation head: a third less work for the same landmarks.

``pose_landmark_*`` gives out landmarks, presence, a segmentation mask, heat maps and world
landmarks. We read the first, second and fourth; what only the others need is cut off.
"""

import numpy as np

from config.errors import ModelError
from reactions.landmarks.tflite_edit import REPORT_IT, Flatbuffer, outputs_of

KEPT_OUTPUTS = (0, 1, 3)
"""Landmarks (1, 195), presence (1, 1) and heat maps (1, 64, 64, 39)."""


def prune(content: bytes) -> bytes:
    """The pose model in ``content`` without the operators that no kept output needs."""
    model = Flatbuffer(content)
    model.keep_outputs(KEPT_OUTPUTS)
    needed = set(model.outputs)
    kept: list[int] = []
    for operator in reversed(
        range(model.operators)
    ):  # a model's operators are in the order of work
        if needed.intersection(model.writes(operator)):
            kept.append(operator)
            needed.update(model.reads(operator))
    model.keep_operators(kept[::-1])
    return bytes(model.content)


def check_pruned(original: bytes, pruned: bytes) -> None:
    """Raise ModelError unless both models give the same bits for one picture."""
    picture = np.random.default_rng(seed=3).random((1, 256, 256, 3), dtype=np.float32)
    whole = outputs_of(original, picture)
    for place, kept in zip(KEPT_OUTPUTS, outputs_of(pruned, picture), strict=True):
        if not np.array_equal(whole[place], kept):
            raise ModelError("the pruned pose model disagrees with its original", do=REPORT_IT)
