"""``sidecar model detector``: a training that resumes by itself, and what it leaves.

The folder holds checkpoints until the training ends; then ``detector.tflite`` (float16) with its
``detector.json``, ``saved_model``, ``curves.png`` and TensorBoard's log.
"""

import os
import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Final

from config.errors import ModelError
from reactions.bundle import DETECTOR, DETECTOR_CARD
from reactions.datasets.store import open_dataset
from reactions.detected_labels import (
    HOW,
    MAX_CLASSES,
    OBJECT_STICKERS,
    DetectedLabel,
    DetectorCard,
    LayerTable,
    object_label,
    write_detector,
)
from reactions.landmarks.object_detector import ObjectDetector
from reactions.training.checkpoints import CheckpointFolder, MemberState, only_training
from reactions.training.curves import draw_curves, write_tensorboard
from reactions.training.detector_backbone import ConvWeights, read_backbone
from reactions.training.detector_pictures import (
    BoxedPicture,
    box_classes,
    boxed_pictures,
    digest_of,
)
from reactions.training.detector_report import FALSE_A_HUNDRED, DetectorReport, measure_detector
from reactions.training.detector_speed import DetectorSpeed, compare_speed
from reactions.training.detector_training import DetectorPlan, DetectorTrainer, Move
from reactions.training.tensorflow_notices import without_tensorflow_notices
from reactions.training.training_run import CURVES, TENSORBOARD

SAVED_MODEL: Final = "saved_model"
_CHECKPOINTS: Final = "checkpoints"
_WORK: Final = ".written"
_FITTING, _MEASURED = 0.93, 0.99
"""Shares of the time after which all steps, and all held-out pictures, are done."""
_VERSIONS: Final = ("keras", "tensorflow-cpu", "tensorflow", "numpy")


@dataclass(frozen=True, slots=True)
class DetectorOutcome:
    """A training that ended."""

    weights: Path
    card: DetectorCard
    report: DetectorReport
    """On the held-out pictures."""


def train_detector(
    plan: DetectorPlan,
    data: Sequence[Path],
    folder: Path,
    *,
    start: Path | None = None,
    cups: Path | None = None,
    threads: int = 2,
    false: float = FALSE_A_HUNDRED,
    move: Move = lambda share, what: None,
) -> DetectorOutcome:
    """Train a detector in ``folder`` from the boxes of the data sets ``data``, from where an
    earlier run of the same plan was ended.

    ``start`` is the detector of cups, whose MobileNetV2 it begins with; None begins with nothing.
    ``cups`` is that file where the speed of both is to be compared. Thresholds let each label have
    ``false`` boxes a hundred held-out pictures where it has no object.
    Raises SidecarError for a folder of something else, and data without boxes.
    """
    refuse_detector(folder)
    datasets = [open_dataset(one) for one in data]
    classes = box_classes(datasets)
    labels = _labels(classes)
    pictures = boxed_pictures(datasets, classes)
    with only_training(folder / _CHECKPOINTS):
        weights = None if start is None else read_backbone(start)
        fingerprint = _fingerprint(plan, pictures, weights, threads)
        progress = _Progress(plan, move)
        checkpoints = CheckpointFolder(folder / _CHECKPOINTS, fingerprint, progress.saved)
        move(0.01, "making the network")
        trainer = DetectorTrainer(plan, pictures, len(classes), weights, threads)
        state = trainer.train(checkpoints, progress.stepped)
        move(_FITTING, "exporting")
        card = _card(plan, labels, {**_described(pictures), "start": _start(start)})
        held_out = [one for one in pictures if one.held_out]
        outcome = _write(trainer.network, state, card, held_out, false, folder, cups, move)
        move(1.0, "")
        return outcome


def refuse_detector(folder: Path) -> None:
    """Raise ModelError for a folder that holds a detector, or something else than a training."""
    if (folder / DETECTOR).exists():
        do = "name another folder, or delete it"
        raise ModelError("holds a trained detector", where=str(folder), do=do)
    ours = {_CHECKPOINTS, CURVES, TENSORBOARD, SAVED_MODEL, DETECTOR_CARD, _WORK}
    if folder.exists() and not (
        folder.is_dir() and all(path.name in ours for path in folder.iterdir())
    ):
        what = "holds something else than a training"
        raise ModelError(what, where=str(folder), do="name a new folder")


def _labels(classes: Sequence[str]) -> tuple[str, ...]:
    """The names of labels for ``classes``; raises ModelError for too many, and for two alike."""
    if len(classes) > MAX_CLASSES:
        what = f"has boxes of {len(classes)} labels, and {MAX_CLASSES} is the most"
        raise ModelError(what, where="--data", do="merge some of them")
    names = tuple(object_label(name) for name in classes)
    if twice := [name for name in names if names.count(name) > 1]:
        what = f"has two labels that would both be called {twice[0]}"
        raise ModelError(what, where="--data", do="rename one")
    return names


def _fingerprint(
    plan: DetectorPlan,
    pictures: Sequence[BoxedPicture],
    weights: Sequence[ConvWeights] | None,
    threads: int,
) -> dict[str, Any]:
    return {
        **plan.written,
        "data": digest_of(pictures),
        "start": "nothing" if weights is None else "mobilenet",
        "threads": threads,
        **{name: text for name in _VERSIONS if (text := _installed(name))},
    }


class _Progress:
    """Says how far the steps are, and how many held-out boxes the newest checkpoint finds."""

    def __init__(self, plan: DetectorPlan, move: Move) -> None:
        self._steps, self._move = plan.steps, move
        self._found = ""

    def saved(self, member: int, state: MemberState) -> None:
        self._found = f", {state.held_out[-1]:.0%} found"
        self.stepped(state.steps, state.losses[-1])

    def stepped(self, steps: int, loss: float) -> None:
        share = 0.02 + (_FITTING - 0.02) * steps / self._steps
        self._move(share, f"step {steps} of {self._steps}, loss {loss:.3f}{self._found}")


def _described(pictures: Sequence[BoxedPicture]) -> dict[str, int]:
    learnt = [one for one in pictures if not one.held_out]
    return {
        "pictures": len(learnt),
        "boxes": sum(len(one.boxes) for one in learnt),
        "held_out_pictures": len(pictures) - len(learnt),
    }


def _start(start: Path | None) -> str:
    return "nothing" if start is None else f"MobileNetV2 of {start.name}"


def _card(
    plan: DetectorPlan, names: Sequence[str], described: dict[str, str | int]
) -> DetectorCard:
    layers = tuple(
        LayerTable(rows=one.rows, columns=one.columns, shapes=one.shapes)
        for one in plan.shape.layers()
    )
    labels = tuple(
        DetectedLabel(
            name=name,
            how=HOW.get(name, f"show this: {name.replace('_', ' ')}"),
            threshold=0.5,
            sticker=OBJECT_STICKERS.get(name),
        )
        for name in names
    )
    trained: dict[str, str | int | float] = {
        **described,
        "seed": plan.seed,
        "steps": plan.steps,
        "batch": plan.batch,
        "rate": plan.rate,
        **{name: text for name in _VERSIONS if (text := _installed(name))},
    }
    shape = plan.shape
    return DetectorCard(
        width=shape.width, height=shape.height, layers=layers, labels=labels, trained=trained
    )


def _write(
    network: Any,
    state: MemberState,
    card: DetectorCard,
    held_out: Sequence[BoxedPicture],
    false: float,
    folder: Path,
    cups: Path | None,
    move: Move,
) -> DetectorOutcome:
    """All results, the detector last: where it is, the training has ended.

    ``held_out`` are what it is measured on, and ``false`` how many false boxes a hundred of them
    may have."""
    work = folder / _WORK
    shutil.rmtree(work, ignore_errors=True)
    work.mkdir()
    try:
        (work / DETECTOR).write_bytes(as_lite(network))
        network.export(work / SAVED_MODEL, format="tf_saved_model", verbose=False)
        detector = ObjectDetector(work / DETECTOR, card.wants())
        names = [label.name for label in card.labels]

        def measured(share: float, what: str) -> None:
            move(_FITTING + (_MEASURED - _FITTING) * share, f"measuring {what}")

        report = measure_detector(detector, held_out, names, false, measured)
        card = with_report(card, report, compare_speed(work / DETECTOR, cups))
        write_detector(card, work / DETECTOR_CARD)
        found = "Held-out boxes found, %"
        draw_curves([state], work / CURVES, held_out=found, unit="checkpoint")
        write_tensorboard([state], work / TENSORBOARD, held_out="held_out_boxes_found")
        _move_whole(work, folder)
    finally:
        shutil.rmtree(work, ignore_errors=True)
    shutil.rmtree(folder / _CHECKPOINTS, ignore_errors=True)
    return DetectorOutcome(folder / DETECTOR, card, report)


def _move_whole(work: Path, folder: Path) -> None:
    for name in (TENSORBOARD, SAVED_MODEL, CURVES, DETECTOR_CARD, DETECTOR):
        if (folder / name).is_dir():
            shutil.rmtree(folder / name)
        if (work / name).is_file():
            with (work / name).open("rb") as file:
                os.fsync(file.fileno())
        (work / name).rename(folder / name)


def with_report(card: DetectorCard, report: DetectorReport, speed: DetectorSpeed) -> DetectorCard:
    """``card`` with the figures of ``report``, the thresholds that it chose, and ``speed``."""
    labels = tuple(
        label.model_copy(update={"threshold": report.thresholds[label.name]})
        if label.name in report.thresholds
        else label
        for label in card.labels
    )
    trained = {**card.trained, "milliseconds": speed.ours}
    if speed.cups is not None:
        trained["cups_milliseconds"] = speed.cups
    figures = dict(report.figures)
    return card.model_copy(update={"labels": labels, "figures": figures, "trained": trained})


def as_lite(network: Any) -> bytes:
    """``network`` as a LiteRT file with float16 weights, for one picture at a time."""
    import keras
    import tensorflow as tf

    inputs = keras.Input(network.input_shape[1:], batch_size=1)
    single = keras.Model(inputs, network(inputs, training=False))
    with TemporaryDirectory(prefix="sidecar-detector-") as folder:
        # The converter would save it itself, and print that.
        single.export(folder, format="tf_saved_model", verbose=False)
        converter = tf.lite.TFLiteConverter.from_saved_model(folder)
        converter.optimizations = [tf.lite.Optimize.DEFAULT]
        converter.target_spec.supported_types = [tf.float16]
        with without_tensorflow_notices():
            content: bytes = converter.convert()
    return content


def _installed(name: str) -> str | None:
    try:
        return version(name)
    except PackageNotFoundError:
        return None
