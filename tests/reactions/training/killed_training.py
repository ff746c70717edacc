"""A tiny training in a process of its own, killed where its arguments say.

``python -m tests.reactions.training.killed_training FOLDER [MOMENT NUMBER]`` trains in FOLDER and
writes ``values.npy``. With MOMENT it kills itself (SIGKILL) at the NUMBER-th ``step`` of an
optimiser, ``write`` of a checkpoint's bytes, ``fsync`` or ``rename``.
"""

import os
import signal
import sys
from collections.abc import Callable
from io import BytesIO
from pathlib import Path
from typing import Any
from unittest.mock import patch

import numpy as np

from reactions.gestures.features import FEATURES
from reactions.gestures.hand_classes import CLASSES
from reactions.training import model
from reactions.training.adamw import AdamW
from reactions.training.checkpoints import CheckpointFolder
from reactions.training.training_set import NO_FOLD, Epoch

EPOCHS, ROUNDS, HANDS = 2, 2, 1100
KEPT_OUT = (0, model.ALL_HANDS)


def epoch(seed: int) -> Epoch:
    rng = np.random.default_rng(seed)
    right = np.eye(len(CLASSES), dtype=np.bool_)[rng.integers(0, len(CLASSES), HANDS)]
    features = rng.normal(size=(HANDS, FEATURES)).astype(np.float32)
    fold = np.where(np.arange(HANDS) % 4 == 0, 0, NO_FOLD).astype(np.int64)
    return Epoch(features, right, fold)


def train(folder: Path) -> None:
    kept = CheckpointFolder(folder / "checkpoints", {"seed": 3})
    network = model.fit(
        (epoch(seed) for seed in range(EPOCHS)),
        epochs=EPOCHS,
        rounds=ROUNDS,
        kept_out=KEPT_OUT,
        seed=3,
        checkpoints=kept,
    )
    np.save(folder / "values.npy", network.values)


def killing(call: Callable[..., Any], number: int) -> Callable[..., Any]:
    """``call``, but the process is killed in place of the ``number``-th."""
    left = number

    def counted(*arguments: Any, **more: Any) -> Any:
        nonlocal left
        left -= 1
        if left == 0:
            os.kill(os.getpid(), signal.SIGKILL)
        return call(*arguments, **more)

    return counted


def half_written(number: int) -> Callable[..., None]:
    """``numpy.savez``, but the process is killed when half of the ``number``-th file is written."""
    whole_file, left = np.savez, number

    def save(file: Any, **arrays: Any) -> None:
        nonlocal left
        left -= 1
        if left:
            whole_file(file, **arrays)
            return
        whole = BytesIO()
        whole_file(whole, **arrays)
        file.write(whole.getvalue()[: whole.tell() // 2])
        file.flush()
        os.kill(os.getpid(), signal.SIGKILL)

    return save


def arm(moment: str, number: int) -> None:
    match moment:
        case "step":
            place = "reactions.training.adamw.AdamW.step"
            patch(place, killing(AdamW.step, number)).start()
        case "write":
            patch("numpy.savez", half_written(number)).start()
        case "fsync":
            patch("os.fsync", killing(os.fsync, number)).start()
        case "rename":
            patch("pathlib.Path.replace", killing(Path.replace, number)).start()


if __name__ == "__main__":
    if len(sys.argv) > 2:
        arm(sys.argv[2], int(sys.argv[3]))
    train(Path(sys.argv[1]))
