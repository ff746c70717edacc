"""A tiny detector that learns phones in the hand of mannequins, for tests.

``python -m tests.reactions.training.tiny_detector DATA FOLDER [MOMENT NUMBER]`` trains a still
smaller one in FOLDER; with MOMENT it kills itself (SIGKILL) at the NUMBER-th ``step``, ``write``,
``fsync`` or ``rename``. Then it trains from the start without interruption, and prints whether both
have the ``same`` weights.
"""

import os
import sys
from pathlib import Path
from unittest.mock import patch

import numpy as np

from reactions.datasets.records import Origin
from reactions.datasets.store import changing_dataset, open_dataset
from reactions.datasets.synthesizing import Synthesis, synthesize_pictures
from reactions.mannequin.pose_file import ArmRanges, CameraRanges, LightRanges, PoseRecipe
from reactions.mannequin.scene import Background
from reactions.training.checkpoints import CheckpointFolder, MemberState
from reactions.training.detector_network import DetectorShape
from reactions.training.detector_pictures import box_classes, boxed_pictures
from reactions.training.detector_training import DetectorPlan, DetectorTrainer
from tests.reactions.training.killed_training import half_written, killing

SMALL = DetectorShape(192, 128, alpha=0.35, channels=32)
LEARNS = DetectorPlan(seed=1, steps=150, batch=4, rate=0.004, kept=75, shape=SMALL)
KILLED = DetectorPlan(
    seed=2, steps=6, batch=2, kept=2, shape=DetectorShape(64, 64, alpha=0.2, channels=8)
)
PHONES = PoseRecipe(
    like="hand",
    right=ArmRanges(holds="phone"),
    vary=0.3,
    camera=CameraRanges(yaw=(-5, 5), pitch=(0, 2), distance=(70, 80)),
    light=LightRanges(strength=(0.9, 1.1), noise=(1, 2), backgrounds=(Background.WALL,)),
)


def draw_phones(folder: Path, count: int, seed: int = 0) -> Path:
    """A data set of mannequins that hold a phone."""
    work = Synthesis(PHONES, "phone", count, seed, objects=True)
    with changing_dataset(folder, create=True) as dataset:
        synthesize_pictures(work, dataset, Origin(), lambda share, what: None)
    return folder


def trainer_of(data: Path) -> DetectorTrainer:
    dataset = open_dataset(data)
    names = box_classes([dataset])
    return DetectorTrainer(KILLED, boxed_pictures([dataset], names), len(names), None, threads=1)


def same_without_interruption(trainer: DetectorTrainer, folder: Path) -> bool:
    """Train in ``folder``, from where it was, and once more from the start; whether both have the
    same weights."""
    # One network for both: to build it and its function takes longer than to train it.
    start = MemberState(*trainer._flat(), 0, {}, (), ())
    resumed = trainer.train(CheckpointFolder(folder / "checkpoints", KILLED.written))
    from_start = CheckpointFolder(folder / "whole", KILLED.written)
    from_start.save(0, start)
    whole = trainer.train(from_start)
    assert whole.steps == resumed.steps == KILLED.steps
    return bool(np.array_equal(whole.values, resumed.values))


def arm(moment: str, number: int) -> None:
    match moment:
        case "step":
            place = "reactions.training.detector_training.DetectorTrainer._rate"
            patch(place, killing(DetectorTrainer._rate, number)).start()
        case "write":
            patch("numpy.savez", half_written(number)).start()
        case "fsync":
            patch("os.fsync", killing(os.fsync, number)).start()
        case "rename":
            patch("pathlib.Path.replace", killing(Path.replace, number)).start()


if __name__ == "__main__":
    if len(sys.argv) > 3:
        arm(sys.argv[3], int(sys.argv[4]))
    data, folder = Path(sys.argv[1]), Path(sys.argv[2])
    print("same" if same_without_interruption(trainer_of(data), folder) else "another")
