"""The palm detector for wide pictures: 128x192 pixels in place of 192x192, two thirds of the work.

The model is convolutional but for two upsampling steps whose target size is a constant; a plain
``resize_tensor_input`` leaves these behind and then fails.
"""

import numpy as np
from ai_edge_litert import schema_py_generated as schema

from config.errors import ModelError
from reactions.landmarks.tflite_edit import REPORT_IT, Flatbuffer, outputs_of

HEIGHT, WIDTH = 128, 192
"""Multiples of 32, as the model's five halvings ask for."""
BOXES = 2 * (HEIGHT // 8) * (WIDTH // 8) + 6 * (HEIGHT // 16) * (WIDTH // 16)


def widen(content: bytes) -> bytes:
    """The square detector in ``content`` with an input of (1, 128, 192, 3)."""
    model = Flatbuffer(content)
    _, side, *_ = model.shape(model.input())
    model.shape(model.input())[1:3] = HEIGHT, WIDTH
    upsamplings = [
        operator
        for operator in range(model.operators)
        if model.builtin(operator) == schema.BuiltinOperator.RESIZE_BILINEAR
    ]
    if not upsamplings:
        raise ModelError("a detector without upsampling is not the one we know")
    for operator in upsamplings:
        size = model.constant(model.reads(operator)[1])
        size[:] = HEIGHT * size[0] // side, WIDTH * size[1] // side
    return bytes(model.content)


def check_widened(original: bytes, widened: bytes) -> None:
    """Raise ModelError unless only the three heights differ and the model runs.

    The outputs can't be compared: each depends on the whole picture, so that the black bars that
    are gone change the scores a little. The tests compare what both models find.
    """
    before, after = (np.frombuffer(model, np.uint8) for model in (original, widened))
    if len(before) != len(after) or np.count_nonzero(before != after) != 3:
        raise ModelError("widening changed more than three heights", do=REPORT_IT)
    picture = np.full((1, HEIGHT, WIDTH, 3), 0.5, np.float32)
    if [output.shape[1] for output in outputs_of(widened, picture)] != [BOXES, BOXES]:
        raise ModelError("the widened palm detector gives other boxes", do=REPORT_IT)
