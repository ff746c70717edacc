"""Freezes MediaPipe's landmarks of the parity scenes; to be run again when mannequins change.

``python -m tests.reactions.landmarks.freeze_parity PYTHON``, where PYTHON is the interpreter of an
environment with mediapipe 0.10.21 (and so another numpy than ours).
"""

import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np
import numpy.typing as npt

from reactions.landmarks.model_store import ModelStore
from tests.reactions.landmarks.parity_scenes import parity_scenes

FROZEN = Path(__file__).with_name("parity.npz")
_STEP = 1 / 16
"""Pixels are kept as multiples of this, in 16 bits; the test allows ten times as much."""

Reference = dict[str, npt.NDArray[np.float32]]


def ask(python: str) -> Reference:
    """What MediaPipe under that interpreter sees in the parity scenes."""
    pictures = {scene.name: scene.picture() for scene in parity_scenes()}
    lite = ModelStore().path("pose_landmark_lite")
    with tempfile.TemporaryDirectory() as scratch:
        given, seen = Path(scratch, "pictures.npz"), Path(scratch, "seen.npz")
        np.savez(given, **pictures)  # type: ignore[arg-type]
        script = Path(__file__).with_name("reference.py")
        subprocess.run([python, script, given, seen, lite], check=True)
        with np.load(seen) as arrays:
            return dict(arrays)


def freeze(reference: Reference) -> None:
    """Writes the numbers that are checked in."""
    small = {
        name: values if values.dtype == bool else np.rint(values / _STEP).astype(np.int16)
        for name, values in reference.items()
    }
    small |= {f"{scene.name}/thumbnail": scene.thumbnail() for scene in parity_scenes()}
    np.savez_compressed(FROZEN, **small)  # type: ignore[arg-type]


def thaw() -> Reference:
    """The numbers that are checked in, in pixels."""
    with np.load(FROZEN) as arrays:
        return {
            name: (values * _STEP).astype(np.float32) if values.dtype == np.int16 else values
            for name, values in arrays.items()
        }


if __name__ == "__main__":
    freeze(ask(sys.argv[1]))
