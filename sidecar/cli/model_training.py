"""``sidecar model train`` and ``sidecar model evaluate``."""

import os
import shutil
import sys
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from config.errors import ModelError
from sidecar.cli.models import fetch_missing, ready_store
from sidecar.cli.object_figures import print_figures
from sidecar.cli.options import (
    ConfigFile,
    bundle_store,
    load_configuration,
    load_with_taught,
    taught_rows,
)
from sidecar.cli.progress import progress_bar
from sidecar.cli.signals import exit_on_signals
from sidecar.plain_text import escape_controls

if TYPE_CHECKING:
    from reactions.training.bundle_comparison import BundleComparison, ComparedShares
    from reactions.training.head_network import HeadPlan
    from reactions.training.head_run import HeadOutcome
    from reactions.training.train_hand_classifier import TrainingPlan
    from reactions.training.training_run import TrainingOutcome

KIND = Annotated[str, typer.Argument(metavar="KIND", help="hand, body, face or motion.")]
Data = Annotated[
    list[Path] | None,
    typer.Option(
        "--data",
        metavar="DATASET",
        help="A data set of yours, or a folder of clips by label (motion); may be repeated.",
    ),
]
Out = Annotated[Path, typer.Option("--out", metavar="FOLDER", help="A new folder, or one begun.")]
Seed = Annotated[
    int, typer.Option(min=0, max=2**32 - 1, help="Another seed is another classifier.")
]
Hands = Annotated[int, typer.Option(min=600, help="Hands of an epoch (hand).")]
Epochs = Annotated[
    int | None, typer.Option(min=1, max=100, help="Epochs; 5 of newly drawn hands, else 20.")
]
Members = Annotated[int, typer.Option(min=1, max=8, help="Networks that are averaged (hand).")]
Folds = Annotated[int, typer.Option(min=2, max=20, help="Parts of the people that are held out.")]
Pictures = Annotated[
    int, typer.Option(min=2, max=2000, help="Mannequins that show each label (not hand).")
]
Join = Annotated[
    bool, typer.Option("--join", help="Stand beside the rules, not in their place (not hand).")
]
DatasetFolder = Annotated[Path, typer.Argument(metavar="DATASET", help="Folder of the data set.")]


def model_train(
    kind: KIND,
    out: Out,
    data: Data = None,
    seed: Seed = 0,
    hands: Hands = 96_000,
    epochs: Epochs = None,
    members: Members = 2,
    folds: Folds = 4,
    pictures: Pictures = 60,
    join: Join = False,
    config: ConfigFile = None,
) -> None:
    """Train from nothing: the hand classifier, or a network of arms, faces or motions.

    Hands learn from the repository's hands, the others from mannequins; all from your data sets.

    Killed at any moment, the same command goes on where it was, to the same weights. Needs the
    extra "train", and for hands a checkout. "sidecar model export" makes a bundle of it.
    """
    exit_on_signals()
    # A thread a network is faster than threads for matrices this small; numpy comes after this.
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    _check_kind(kind)
    check_training_extra("model train")
    if kind != "hand":
        _train_head(_head_plan(kind, seed, epochs, folds, pictures, join), out, data or [], config)
        return
    from reactions.training.recorded_hands import require_checkout

    require_checkout()
    from reactions.training.train_hand_classifier import TrainingPlan

    plan = TrainingPlan(seed=seed, hands=hands, epochs=epochs or 5, members=members, folds=folds)
    _train_hand(plan, out, data or [], config)


def _train_hand(plan: "TrainingPlan", out: Path, data: list[Path], config: Path | None) -> None:
    from reactions.training.checkpoints import only_training
    from reactions.training.head_run import READINGS
    from reactions.training.training_run import refuse_trained, train_hand
    from sidecar.modelling.train_pictures import read_dataset_hands

    refuse_trained(out)
    settings, table = load_configuration(config, None)
    more = None
    store = ready_store(settings, table) if data else None
    # Readings are written before the training locks its checkpoints.
    with only_training(out / READINGS):
        if store is not None:
            with progress_bar("Reading") as move:
                more = read_dataset_hands(data, store, out / READINGS, move)
        with progress_bar("Training") as move:
            outcome = train_hand(plan, more, out, threads=os.cpu_count() or 1, move=move)
        shutil.rmtree(out / READINGS, ignore_errors=True)
    _print_outcome(outcome)


def _check_kind(kind: str) -> None:
    if kind not in {"hand", "body", "face", "motion"}:
        do = "use hand, body, face or motion"
        raise ModelError(f"{kind!r} is no kind that is trained", where="KIND", do=do)


def _head_plan(
    kind: str, seed: int, epochs: int | None, folds: int, pictures: int, join: bool
) -> "HeadPlan":
    from reactions.trained_heads import HeadKind, HeadMode
    from reactions.training.head_network import HeadPlan

    mode = HeadMode.JOIN if join else HeadMode.REPLACE
    return HeadPlan(HeadKind(kind), seed, epochs or 20, folds, pictures, mode)


def _train_head(plan: "HeadPlan", out: Path, data: list[Path], config: Path | None) -> None:
    from reactions.labels import families_for
    from reactions.landmarks.model_manifest import files_of
    from reactions.trained_heads import HEAD_FAMILIES, HEAD_LABELS, HeadKind
    from reactions.training.checkpoints import only_training
    from reactions.training.head_run import READINGS, refuse_head, train_head
    from sidecar.modelling.head_readings import read_head_examples
    from sidecar.modelling.motion_readings import find_clips, read_motion_examples
    from sidecar.session.factories import make_store

    refuse_head(out)
    moves = plan.kind is HeadKind.MOTION
    clips = find_clips(data) if moves else []
    store = make_store(load_configuration(config, None)[0])
    if clips or not moves:
        store = ready_store(*load_configuration(config, None))
        needed = files_of(HEAD_FAMILIES[plan.kind] | families_for(HEAD_LABELS[plan.kind]))
        if not store.complete(needed):
            fetch_missing(store, needed)
    with only_training(out / READINGS):
        with progress_bar("Reading") as move:
            if moves:
                examples = read_motion_examples(plan, clips, store, out / READINGS, move)
            else:
                examples = read_head_examples(plan, data, store, out / READINGS, move)
        with progress_bar("Training") as move:
            outcome = train_head(plan, examples, out, threads=os.cpu_count() or 1, move=move)
    _print_head(outcome)


def _print_head(outcome: "HeadOutcome") -> None:
    from rich.console import Console
    from rich.table import Table

    table = Table("label", box=None)
    for column in ("shown: rule", "network", "else: rule", "network"):
        table.add_column(column, justify="right")
    for one in outcome.figures:
        shares = (one.rule, one.network, one.rule_wrong, one.network_wrong)
        table.add_row(one.label, *(f"{share.value:.1%}" for share in shares))
    Console().print(table)
    folder = outcome.folder
    print("Shares of readings that fire, of people the network has not seen")
    print(f"{folder} holds it; sidecar model export {folder} --to NAME.zip makes a bundle")


def check_training_extra(command: str) -> None:
    """Raise ModelError where what ``command`` trains with is not installed."""
    from importlib.util import find_spec

    if find_spec("tensorflow") is None or find_spec("matplotlib") is None:
        do = "pip install 'reaction-sidecar[train]'"
        raise ModelError("training needs TensorFlow and matplotlib", where=command, do=do)


def _print_outcome(outcome: "TrainingOutcome") -> None:
    report = outcome.trained.held_out.report
    fires = report.other_hands.mean_over_people
    print(f"People it has not seen: {_percent(report.mean_over_shapes)} of shapes are named")
    print(f"Fires on their other hands: {_percent(fires)}")
    folder = outcome.weights.parent
    print(f"{folder} holds it; sidecar model export {folder} --to NAME.zip makes a bundle")


def _percent(value: float | None) -> str:
    return "none" if value is None else f"{value:.1%}"


def model_evaluate(
    dataset: DatasetFolder,
    bundle: Annotated[
        str | None, typer.Option(metavar="BUNDLE", help="What is measured; default: in use.")
    ] = None,
    against: Annotated[
        str | None, typer.Option("--against", metavar="BUNDLE", help="What it is compared with.")
    ] = None,
    config: ConfigFile = None,
) -> None:
    """Measure a bundle on a data set, beside another one if you like.

    Pictures of the split "test" count, or all where there is none. Shares have 95 % intervals:
    Wilson's, and of the difference a bootstrap over people.
    """
    exit_on_signals()
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    from sidecar.modelling.evaluation import evaluate_bundles, fetched_for
    from sidecar.serve.plan import data_folder
    from sidecar.session.factories import make_store
    from sidecar.supervisor.reaction_store import table_of_server

    settings, loaded = load_with_taught(config, None)
    store = bundle_store(settings)
    names = [*([against] if against else []), bundle or store.names().active]
    bundles = [store.get(name) for name in names]
    rules = partial(table_of_server, data_folder(settings), loaded.table, taught_rows(loaded))
    models = make_store(settings)
    if not models.complete(needed := fetched_for(bundles, rules)):
        fetch_missing(models, needed)
    with progress_bar("Measuring") as move:
        outcome = evaluate_bundles(dataset, bundles, models, rules, move)
    for note in outcome.notes:
        print(f"sidecar: note: {escape_controls(note)}", file=sys.stderr)
    _print_comparison(outcome.comparison)
    for name, report in outcome.objects:
        print(f"Objects that {name} detects, at an overlap of 0.5:")
        print_figures(report.figures)
    part = "of the split test" if outcome.only_test else "of all splits"
    print(f"{outcome.comparison.pictures} pictures {part}, {outcome.comparison.people} people")


def _print_comparison(found: "BundleComparison") -> None:
    from rich.console import Console
    from rich.table import Table

    table = Table("label", box=None)
    for name in found.bundles:
        table.add_column(name, justify="right")
    if len(found.bundles) > 1:
        table.add_column("difference", justify="right")
    for row in (*found.recall, found.wrong):
        table.add_row(*_row(row))
    Console().print(table)
    if found.unknown:
        print(f"Labels that neither knows: {escape_controls(', '.join(found.unknown))}")


def _row(row: "ComparedShares") -> list[str]:
    shown = [row.label]
    for share in row.shares:
        ends = f"{share.interval.low:.0%}–{share.interval.high:.0%}"
        shown.append(f"{share.value:.1%} ({ends}, {share.of})")
    if row.difference is not None:
        text = f"{100 * row.difference:+.1f}"
        if row.between is not None:
            text += f" ({100 * row.between.low:+.1f} to {100 * row.between.high:+.1f})"
        shown.append(text)
    return shown
