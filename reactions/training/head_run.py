"""``sidecar model train body`` and ``face``: a training that resumes by itself, with its figures.

The folder of a training holds its readings and checkpoints until it ends; then ``trained.json``, a
card, ``curves.png`` and TensorBoard's log.
"""

import hashlib
import os
import shutil
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from config.errors import ModelError
from reactions.bundle import MODEL_CARD, TRAINED
from reactions.labels import THRESHOLDS
from reactions.trained_heads import HEAD_LABELS, HeadKind, TrainedHead, head_classes, write_heads
from reactions.training.checkpoints import (
    CheckpointFolder,
    MemberState,
    only_training,
    write_whole,
)
from reactions.training.curves import draw_curves, write_tensorboard
from reactions.training.evaluation.intervals import Share, share_of
from reactions.training.head_network import (
    HeadExamples,
    HeadNetworks,
    HeadPlan,
    fit_heads,
    fold_of,
)
from reactions.training.training_run import CURVES, TENSORBOARD

_CHECKPOINTS: Final = "checkpoints"
READINGS: Final = "readings"
_FEWEST: Final = 8
"""Readings that show a label."""
_THRESHOLDS: Final = (0.3, 0.95)

Move = Callable[[float, str], None]
Marks = npt.NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class HeadFigures:
    """One label, of people from whom nothing was learnt: by its rule, and by its network."""

    label: str
    threshold: float
    rule: Share
    """Of the readings that show it, how many fire."""
    network: Share
    rule_wrong: Share
    """Of the readings that do not show it, how many fire."""
    network_wrong: Share


@dataclass(frozen=True, slots=True)
class HeadOutcome:
    """A training that ended."""

    folder: Path
    head: TrainedHead
    figures: tuple[HeadFigures, ...]


def train_head(
    plan: HeadPlan,
    examples: HeadExamples,
    folder: Path,
    *,
    threads: int = 1,
    move: Move = lambda share, what: None,
) -> HeadOutcome:
    """Train a head in ``folder``, from where an earlier run of the same plan was ended.

    Raises ModelError for a folder that holds a head or another training, and where too few examples
    show a label.
    """
    refuse_head(folder)
    _check_enough(examples)
    total = plan.epochs * (plan.folds + 1)
    done: dict[int, int] = {}

    def saved(member: int, state: MemberState) -> None:
        done[member] = state.epochs
        share = sum(done.values()) / total
        move(share, f"epoch {sum(done.values())} of {total}, loss {state.losses[-1]:.3f}")

    with only_training(folder / _CHECKPOINTS):
        checkpoints = CheckpointFolder(folder / _CHECKPOINTS, _fingerprint(plan, examples), saved)
        networks = fit_heads(plan, examples, threads=threads, checkpoints=checkpoints)
        figures = _judge(plan, examples, networks)
        head = networks.head(plan.mode, {each.label: each.threshold for each in figures})
        states = [checkpoints.load(member) for member in range(plan.folds + 1)]
        outcome = HeadOutcome(folder, head, figures)
        _write(outcome, plan, examples, [state for state in states if state is not None])
        return outcome


def refuse_head(folder: Path) -> None:
    """Raise ModelError for a folder that holds a head, or something else than a training."""
    if (folder / TRAINED).exists():
        do = "name another folder, or delete it"
        raise ModelError("holds a trained network", where=str(folder), do=do)
    ours = {_CHECKPOINTS, READINGS, CURVES, TENSORBOARD, MODEL_CARD}
    if folder.exists() and any(path.name not in ours for path in folder.iterdir()):
        what = "holds something else than a training"
        raise ModelError(what, where=str(folder), do="name a new folder")


def _check_enough(examples: HeadExamples) -> None:
    for number, label in enumerate(head_classes(examples.kind)):
        found = int((examples.classes == number).sum())
        if found < _FEWEST:
            what = f"{label} is found in {found} pictures, {_FEWEST} are needed"
            raise ModelError(what, do="add pictures of it by --data, or more by --pictures")


def _fingerprint(plan: HeadPlan, examples: HeadExamples) -> Mapping[str, Any]:
    """What a run must have in common with the one that it resumes."""
    digest = hashlib.sha256("\n".join(examples.people.tolist()).encode())
    for array in (examples.vectors, examples.classes):
        digest.update(np.ascontiguousarray(array).tobytes())
    return {**asdict(plan), "data": digest.hexdigest(), "numpy": np.__version__}


def _judge(
    plan: HeadPlan, examples: HeadExamples, networks: HeadNetworks
) -> tuple[HeadFigures, ...]:
    """Each label by networks that have not seen the people. A threshold lets the share ``fires`` of
    the readings fire that do not show the label."""
    fold = fold_of(examples.people, plan.folds)
    scores = np.zeros((len(fold), len(head_classes(plan.kind))), np.float32)
    for member in range(plan.folds):
        out = fold == member
        scores[out] = networks.scores(member, examples.vectors[out])
    figures = []
    for at, label in enumerate(HEAD_LABELS[plan.kind]):
        values, rules = scores[:, at], examples.rules[:, at]
        if plan.mode == "join":
            values = ((values + rules) / 2).astype(np.float32)
        shown = examples.classes == at
        low, high = _THRESHOLDS
        wanted = float(np.quantile(values[~shown], 1 - plan.fires)) + 0.005
        threshold = round(float(np.clip(wanted, low, high)), 2)
        network, rule = values >= threshold, rules >= THRESHOLDS[label]
        figures.append(
            HeadFigures(
                label,
                threshold,
                *(share_of(one[shown].tolist()) for one in (rule, network)),
                *(share_of(one[~shown].tolist()) for one in (rule, network)),
            )
        )
    return tuple(figures)


def _write(
    outcome: HeadOutcome, plan: HeadPlan, examples: HeadExamples, states: list[MemberState]
) -> None:
    """All results, the head last: where it is, the training has ended."""
    folder = outcome.folder
    draw_curves(states, folder / CURVES)
    shutil.rmtree(folder / TENSORBOARD, ignore_errors=True)
    write_tensorboard(states, folder / TENSORBOARD)
    write_whole(folder / MODEL_CARD, describe_head(outcome, plan, examples).encode())
    partial = folder / _CHECKPOINTS / TRAINED
    write_heads([outcome.head], partial)
    with partial.open("rb") as file:
        os.fsync(file.fileno())
    partial.rename(folder / TRAINED)
    for name in (_CHECKPOINTS, READINGS):
        shutil.rmtree(folder / name, ignore_errors=True)


def describe_head(outcome: HeadOutcome, plan: HeadPlan, examples: HeadExamples) -> str:
    """The model card: what was learnt from, and how well it does."""
    people = len(np.unique(examples.people))
    does = "stands beside" if plan.mode == "join" else "stands in place of"
    lines = [
        f"# Model card: {plan.kind}",
        "",
        f"* A network of {plan.kind} landmarks, which {does} the rules of its labels.",
        f"* Seed {plan.seed}; {len(examples.vectors)} readings of {people} people.",
        f"* A threshold lets {plan.fires:.0%} of the readings fire that show something else.",
        "",
        "| label | threshold | shown: rule | shown: network | else: rule | else: network |",
        "| --- | ---: | ---: | ---: | ---: | ---: |",
    ]
    for one in outcome.figures:
        shares = (one.rule, one.network, one.rule_wrong, one.network_wrong)
        row = " | ".join(f"{share.value:.1%}" for share in shares)
        lines.append(f"| `{one.label}` | {one.threshold} | {row} |")
    how = "real pictures by `sidecar model evaluate DATASET --against shipped`"
    if plan.kind is HeadKind.MOTION:
        how = "clips of other people by `sidecar replay CLIP --bundle NAME` and `--bundle shipped`"
    text = (
        "Shares of readings of people whom the network had not seen, the rule at its shipped"
        f" threshold. Mannequins are few people, and no real ones: measure {how} before you use it."
    )
    return "\n".join([*lines, "", text, ""])
