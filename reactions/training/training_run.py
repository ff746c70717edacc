"""``sidecar model train hand``: a training that resumes by itself, with its curves.

The folder of a training holds its checkpoints until it ends; then the classifier with its JSON,
``curves.png`` and TensorBoard's log.
"""

import hashlib
import os
import shutil
import threading
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any, Final

import numpy as np

from config.errors import ModelError
from reactions.bundle import CLASSIFIER_CARD, WEIGHTS
from reactions.training.checkpoints import CheckpointFolder, MemberState, only_training
from reactions.training.curves import draw_curves, write_tensorboard
from reactions.training.dataset import RealHands
from reactions.training.train_hand_classifier import Trained, TrainingPlan, train, write
from reactions.training.training_set import TrainingHands

CURVES: Final = "curves.png"
TENSORBOARD: Final = "tensorboard"
_CHECKPOINTS: Final = "checkpoints"
_SYNTHETIC: Final = 150_000
_FITTING: Final = 0.9
"""Share of the time that fitting takes."""

Move = Callable[[float, str], None]


@dataclass(frozen=True, slots=True)
class TrainingOutcome:
    """A training that ended."""

    weights: Path
    trained: Trained


def train_hand(
    plan: TrainingPlan,
    more: RealHands | None,
    folder: Path,
    *,
    threads: int = 1,
    move: Move = lambda share, what: None,
    hands: TrainingHands | None = None,
) -> TrainingOutcome:
    """Train a hand classifier in ``folder``, from where an earlier run of the same plan was ended.

    ``more`` are users' hands beside those of the repository (``hands``). Raises ModelError for a
    folder that holds a classifier or another training.
    """
    refuse_trained(folder)
    with only_training(folder / _CHECKPOINTS):
        all_hands = hands or _load(plan)
        if more is not None and len(more.points):
            all_hands = with_hands(all_hands, more, plan.folds)
        progress = _Progress(plan, move)
        checkpoints = CheckpointFolder(
            folder / _CHECKPOINTS, _fingerprint(plan, all_hands), progress.saved
        )
        move(0.02, "drawing hands")
        trained = train(plan, all_hands, threads, checkpoints)
        move(_FITTING, "exporting")
        states = [checkpoints.load(k) for k in range(len(trained.network.values))]
        _write(trained, plan, all_hands, [state for state in states if state is not None], folder)
        move(1.0, "")
        return TrainingOutcome(folder / WEIGHTS, trained)


def refuse_trained(folder: Path) -> None:
    """Raise ModelError for a folder that holds a classifier, or something else than a training."""
    if (folder / WEIGHTS).exists():
        do = "name another folder, or delete it"
        raise ModelError("holds a trained classifier", where=str(folder), do=do)
    if folder.exists() and (not folder.is_dir() or not _is_ours(folder)):
        what = "holds something else than a training"
        raise ModelError(what, where=str(folder), do="name a new folder")


def _is_ours(folder: Path) -> bool:
    ours = {_CHECKPOINTS, CURVES, TENSORBOARD, CLASSIFIER_CARD, "readings", ".written"}
    return all(path.name in ours for path in folder.iterdir())


def _load(plan: TrainingPlan) -> TrainingHands:
    return TrainingHands.load(plan.seed, plan.folds, min(_SYNTHETIC, 2 * plan.hands))


def with_hands(hands: TrainingHands, more: RealHands, folds: int) -> TrainingHands:
    """``hands`` and ``more``, which learn and are held out as photos are."""
    photos = hands.photos.joined(more)
    _, group = np.unique(more.groups, return_inverse=True)
    return replace(
        hands, photos=photos, photo_fold=np.concatenate([hands.photo_fold, group % folds])
    )


def _fingerprint(plan: TrainingPlan, hands: TrainingHands) -> Mapping[str, Any]:
    """What a run must have in common with the one that it resumes."""
    digest = hashlib.sha256()
    for array in (
        hands.people.points,
        hands.people.label,
        hands.people.near,
        hands.people.source,
        hands.people_fold,
        hands.photos.points,
        hands.photos.left,
        hands.photos.classes,
        hands.photos.sources,
        hands.photo_fold,
        hands.mannequins.points,
        hands.synthetic.points,
    ):
        digest.update(np.ascontiguousarray(array).tobytes())
    return {**asdict(plan), "data": digest.hexdigest(), "numpy": np.__version__}


class _Progress:
    """Counts epochs of all members, as their threads save them."""

    def __init__(self, plan: TrainingPlan, move: Move) -> None:
        self._total = plan.epochs * plan.rounds * (plan.folds + 1) * plan.members
        self._done: dict[int, int] = {}
        self._move = move
        self._lock = threading.Lock()

    def saved(self, member: int, state: MemberState) -> None:
        with self._lock:
            self._done[member] = state.epochs
            done = sum(self._done.values())
            share = 0.05 + (_FITTING - 0.05) * done / self._total
            self._move(share, f"epoch {done} of {self._total}, loss {state.losses[-1]:.3f}")


def _write(
    trained: Trained,
    plan: TrainingPlan,
    hands: TrainingHands,
    states: list[MemberState],
    folder: Path,
) -> None:
    """All results, the classifier last: where it is, the training has ended."""
    work = folder / ".written"
    shutil.rmtree(work, ignore_errors=True)
    work.mkdir()
    try:
        write(trained, plan, hands, work)
        draw_curves(states, work / CURVES)
        write_tensorboard(states, work / TENSORBOARD)
        shutil.rmtree(folder / TENSORBOARD, ignore_errors=True)
        for name in (TENSORBOARD, CURVES, CLASSIFIER_CARD, WEIGHTS):
            if (work / name).is_file():
                with (work / name).open("rb") as file:
                    os.fsync(file.fileno())
            (work / name).rename(folder / name)
    finally:
        shutil.rmtree(work, ignore_errors=True)
    shutil.rmtree(folder / _CHECKPOINTS, ignore_errors=True)
