"""``sidecar model detector``: objects that landmarks can't see."""

import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from sidecar.cli.model_training import check_training_extra
from sidecar.cli.models import fetch_missing
from sidecar.cli.object_figures import print_figures
from sidecar.cli.options import ConfigFile, load_configuration
from sidecar.cli.progress import progress_bar
from sidecar.cli.signals import exit_on_signals

if TYPE_CHECKING:
    from config.settings import Settings
    from reactions.training.detector_network import DetectorShape
    from reactions.training.detector_run import DetectorOutcome

Boxes = Annotated[
    list[Path],
    typer.Option("--data", metavar="DATASET", help="A data set with boxes; may be repeated."),
]
Out = Annotated[Path, typer.Option("--out", metavar="FOLDER", help="A new folder, or one begun.")]
Seed = Annotated[int, typer.Option(min=0, help="Another seed is another detector.")]
Steps = Annotated[int, typer.Option(min=1, max=1_000_000, help="How often it learns a batch.")]
Batch = Annotated[int, typer.Option(min=1, max=256, help="Pictures of a step.")]
Nothing = Annotated[
    bool, typer.Option("--from-nothing", help="Do not begin with the weights of MobileNetV2.")
]
FalseBoxes = Annotated[
    float,
    typer.Option(
        "--false",
        min=0,
        max=100,
        metavar="N",
        help="Thresholds: boxes of a label in 100 pictures where it has no object, at most.",
    ),
]
Small = Annotated[
    str, typer.Option("--size", metavar="WxH", help="Of the input, multiples of 64 pixels.")
]


def model_detector(
    out: Out,
    data: Boxes,
    seed: Seed = 0,
    steps: Steps = 2400,
    batch: Batch = 8,
    size: Small = "320x192",
    nothing: Nothing = False,
    false: FalseBoxes = 5.0,
    config: ConfigFile = None,
) -> None:
    """Train a detector of objects from the boxes of your data sets, in TensorFlow and Keras.

    It begins with MobileNetV2 of the detector of cups where npm can fetch that. Killed at any
    moment, the same command goes on where it was, to the same weights. Needs the extra "train".
    """
    exit_on_signals()
    check_training_extra("model detector")
    from reactions.training.detector_run import refuse_detector, train_detector
    from reactions.training.detector_training import DetectorPlan

    refuse_detector(out)
    settings, _ = load_configuration(config, None)
    _shape(size, nothing)
    cups = _cups(settings)
    if cups is None and not nothing:
        nothing = True
        what = "the detector of cups is not here: training begins as --from-nothing does"
        print(f"sidecar: note: {what}", file=sys.stderr)
    plan = DetectorPlan(seed=seed, steps=steps, batch=batch, shape=_shape(size, nothing))
    with progress_bar("Training") as move:
        outcome = train_detector(
            plan,
            data,
            out,
            start=None if nothing else cups,
            cups=cups,
            threads=os.cpu_count() or 1,
            false=false,
            move=move,
        )
    _print_outcome(outcome, out)


def _print_outcome(outcome: "DetectorOutcome", out: Path) -> None:
    print_figures(outcome.report.figures)
    known = outcome.card.trained
    if "cups_milliseconds" in known:
        ours, theirs = known["milliseconds"], known["cups_milliseconds"]
        print(f"{ours} ms a look; the detector of cups took {theirs} ms in the same run")
    print(f"{out} holds it; sidecar model export {out} --to NAME.zip makes a bundle")


def _shape(size: str, nothing: bool) -> "DetectorShape":
    from config.errors import ModelError
    from reactions.training.detector_network import DetectorShape

    parts = size.split("x")
    numbers = [int(part) for part in parts if part.isascii() and part.isdecimal()]
    good = len(parts) == len(numbers) == 2 and all(0 < n <= 640 and n % 64 == 0 for n in numbers)
    if not good:
        do = "write two multiples of 64 up to 640, as in 320x192"
        raise ModelError(f"{size[:40]!r} is no size", where="--size", do=do)
    return DetectorShape(numbers[0], numbers[1], alpha=0.5 if nothing else 1.0)


def _cups(settings: "Settings") -> Path | None:
    """The file of the detector of cups; None where it can't be fetched."""
    from reactions.landmarks.model_manifest import VESSELS
    from sidecar.session.factories import make_store

    store = make_store(settings)
    if not store.has(VESSELS):
        fetch_missing(store, [VESSELS])
    return store.path(VESSELS) if store.has(VESSELS) else None
