"""``sidecar model``: bundles of models on this machine: teach, train, measure, choose."""

import os
import sys
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from config.errors import ModelError
from sidecar.cli.model_detector import model_detector
from sidecar.cli.model_training import model_evaluate, model_train
from sidecar.cli.model_webcam import check_sources, teach_on_page
from sidecar.cli.models import ready_store
from sidecar.cli.options import ConfigFile, load_configuration
from sidecar.cli.progress import progress_bar
from sidecar.cli.signals import exit_on_signals
from sidecar.plain_text import escape_controls

if TYPE_CHECKING:
    from config.settings import Settings
    from reactions.bundle import ModelBundle
    from reactions.landmarks.model_store import ModelStore
    from reactions.taught_labels import LandmarkView
    from sidecar.modelling.teach import Examples, TaughtBundle, TeachOptions
    from sidecar.supervisor.model_store import BundleStore

app = typer.Typer(
    help="Teach and train labels, and choose the bundle of models that servers here use"
    " (docs/models.md). The landmark models are those of: sidecar models.",
    no_args_is_help=True,
    rich_markup_mode=None,
)

Bundle = Annotated[str, typer.Argument(metavar="BUNDLE", help="Its name, as listed.")]
LabelName = Annotated[
    str, typer.Argument(metavar="LABEL", help="Lower-case words, joined by underscores.")
]
TeachFrom = Annotated[
    Path | None,
    typer.Option(
        "--from", metavar="SOURCE", help="Folder of pictures, clip, data set, pose file or .npz."
    ),
]
Webcam = Annotated[
    bool, typer.Option("--webcam", help="Record it before your camera, on a page in the browser.")
]
Port = Annotated[
    int,
    typer.Option(min=0, max=65535, metavar="N", help="TCP port of the page; 0 takes a free one."),
]
NoBrowser = Annotated[bool, typer.Option("--no-browser", help="Print the page's address only.")]
TeachOther = Annotated[
    Path | None,
    typer.Option("--not", metavar="SOURCE", help="Pictures or a clip of anything else."),
]
ClassName = Annotated[
    str,
    typer.Option("--class", metavar="NAME", help="What the pictures call it; default: LABEL."),
]
TeachView = Annotated[
    str, typer.Option("--of", metavar="VIEW", help="What shows it: hand, hand_at_face or arms.")
]
Title = Annotated[str, typer.Option(help="What the legend calls it.")]
How = Annotated[str, typer.Option(help="How people make it, for the legend.")]
Sticker = Annotated[
    str | None,
    typer.Option(metavar="NAME", help="One of ours, or a file; default: one of its title."),
]
EventOnly = Annotated[bool, typer.Option("--event", help="Send events alone, draw nothing.")]
Hold = Annotated[float, typer.Option(min=0, max=10, help="Seconds until it starts.")]
Seed = Annotated[
    int, typer.Option(min=0, max=2**32 - 1, help="Another seed learns in another order.")
]


@app.command(
    "teach",
    epilog="Examples: sidecar model teach vulcan --from my-pictures --not others;"
    " sidecar model teach vulcan --webcam",
)
def model_teach(
    label: LabelName,
    source: TeachFrom = None,
    webcam: Webcam = False,
    other: TeachOther = None,
    of: TeachView = "hand",
    named: ClassName = "",
    title: Title = "",
    how: How = "",
    sticker: Sticker = None,
    event: EventOnly = False,
    hold: Hold = 0.8,
    seed: Seed = 0,
    again: Annotated[bool, typer.Option("--again", help="Teach a taught label newly.")] = False,
    yes: Annotated[
        bool, typer.Option("--yes", help="Use the bundle at once, without a question.")
    ] = False,
    port: Port = 0,
    no_browser: NoBrowser = False,
    config: ConfigFile = None,
) -> None:
    """Teach a new label from 20-50 pictures, or before the webcam; all other labels stay.

    The result is a new bundle beside the one in use. Once accepted, a running demo or server uses
    it within two seconds; "sidecar model rollback" undoes that.
    """
    exit_on_signals()
    # Matrices this small take longer on several threads; numpy is imported after this.
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    check_sources(source, webcam=webcam, yes=yes)
    options = _teach_options(label, of, event=event)
    options = replace(options, named=named, title=title, how=how)
    options = replace(options, sticker=sticker, hold=hold, seed=seed)
    settings, bundles = _opened(config)
    store = ready_store(settings, load_configuration(config, None)[1])
    if source is None:
        more = _read(options, None, other, store, bundles)
        _accept_on_page(options, more, store, bundles, again, port, browser=not no_browser)
    else:
        taught = _teach(options, source, other, store, bundles, again=again)
        _accept(taught, bundles, yes=yes)


def _teach_options(label: str, of: str, *, event: bool) -> "TeachOptions":
    from config.reaction_rule import Kind
    from reactions.training.recorded_hands import require_checkout
    from sidecar.modelling.teach import TeachOptions

    require_checkout()
    kind = Kind.EVENT if event else Kind.STICKER
    return TeachOptions(_label_name(label), _view(of), kind=kind)


def _accept(taught: "TaughtBundle", bundles: "BundleStore", *, yes: bool) -> None:
    _print_figures(taught)
    name = taught.bundle.name
    if yes or (sys.stdin.isatty() and typer.confirm(f"Use {name} from now on?", default=True)):
        _use(bundles, name)
    else:
        print(f"sidecar model use {name} makes it count")


def _accept_on_page(
    options: "TeachOptions",
    more: "Examples",
    store: "ModelStore",
    bundles: "BundleStore",
    again: bool,
    port: int,
    *,
    browser: bool,
) -> None:
    taught = teach_on_page(options, more, store, bundles, again=again, port=port, browser=browser)
    if taught is not None:
        _use(bundles, taught.bundle.name)


def _teach(
    options: "TeachOptions",
    source: Path,
    other: Path | None,
    store: "ModelStore",
    bundles: "BundleStore",
    *,
    again: bool,
) -> "TaughtBundle":
    from reactions.gestures.hand_classifier import HandShapeClassifier
    from reactions.training.bundle_maker import free_name
    from sidecar.modelling.teach import check_teachable, new_sticker, teach_bundle

    base = bundles.get(bundles.names().active)
    check_teachable(options, base, again=again)
    new_sticker(options)
    classifier = HandShapeClassifier(base.weights)
    examples = _read(options, source, other, store, bundles)
    folder = bundles.folder / free_name(bundles.folder, "taught")
    with progress_bar("Teaching") as move:
        return teach_bundle(options, examples, base, classifier, folder, move)


def _read(
    options: "TeachOptions",
    source: Path | None,
    other: Path | None,
    store: "ModelStore",
    bundles: "BundleStore",
) -> "Examples":
    """What the files show; nothing where none are named."""
    from reactions.gestures.hand_classifier import HandShapeClassifier
    from sidecar.modelling.teach import read_examples

    base = bundles.get(bundles.names().active)
    with progress_bar("Reading") as move:
        classifier = HandShapeClassifier(base.weights)
        examples = read_examples(options, source, other, store, classifier, move)
    _print_notes(examples)
    return examples


app.command("train", epilog="Example: sidecar model train hand --data tea --out tea-hands")(
    model_train
)
app.command("detector", epilog="Example: sidecar model detector --data things --out my-detector")(
    model_detector
)
app.command("evaluate", epilog="Example: sidecar model evaluate tea --against shipped")(
    model_evaluate
)


@app.command("list", epilog="Example: sidecar model list")
def model_list(config: ConfigFile = None) -> None:
    """List the bundles on this machine: which one is in use, and which can't be used and why."""
    _, bundles = _opened(config)
    listed = bundles.bundles()
    for one in listed.bundles:
        mark = "*" if one.name == listed.active else " "
        note = f"can't be used: {one.error}" if one.error else one.description
        print(f"{mark} {one.name:<20} {one.created:<10}  {_shown(note)}".rstrip())
    print(f"* in use; before it {listed.previous or 'none'}; in {bundles.folder}")


@app.command("use", epilog="Example: sidecar model use taught-1")
def model_use(
    bundle: Annotated[
        str, typer.Argument(metavar="BUNDLE", help="A name, or an exported folder or .zip.")
    ],
    config: ConfigFile = None,
) -> None:
    """Use a bundle from now on; a running demo or server changes over within two seconds."""
    exit_on_signals()
    settings, bundles = _opened(config)
    path = Path(bundle)
    if path.name != bundle or path.suffix == ".zip" or path.is_dir():
        from reactions.training.bundle_files import import_bundle

        bundle = import_bundle(path, bundles.folder).name
    _check_stickers(settings, bundles.get(bundle))
    _use(bundles, bundle)


@app.command("rollback", epilog="Example: sidecar model rollback")
def model_rollback(config: ConfigFile = None) -> None:
    """Use the bundle that was used before: undoes the last teach or use."""
    settings, bundles = _opened(config)
    previous = bundles.previous()
    _check_stickers(settings, previous)
    _use(bundles, previous.name)


@app.command("export", epilog="Example: sidecar model export taught-1 --to taught-1.zip")
def model_export(
    bundle: Bundle,
    to: Annotated[Path, typer.Option("--to", metavar="TARGET", help="A new folder or .zip.")],
    base: Annotated[
        str,
        typer.Option(metavar="BUNDLE", help="What a trained body, face or detector is added to."),
    ] = "shipped",
    config: ConfigFile = None,
) -> None:
    """Write a bundle, or the folder of a training, as one bundle for another machine.

    It holds weights, labels, thresholds, card and checksums; "sidecar model use TARGET" takes it.
    """
    exit_on_signals()
    from reactions.training.bundle_files import export_bundle

    _, bundles = _opened(config)
    source = Path(bundle)
    made = export_bundle(source if source.is_dir() else bundles.get(bundle), to, bundles.get(base))
    print(f"{made} written to {to}")


@app.command("card", epilog="Example: sidecar model card taught-1")
def print_card(bundle: Bundle, config: ConfigFile = None) -> None:
    """Print the model card of a bundle."""
    from reactions.training.bundle_files import model_card

    _, bundles = _opened(config)
    print(escape_controls(model_card(bundles.get(bundle)), keep="\n"), end="")


def _opened(config: Path | None) -> "tuple[Settings, BundleStore]":
    from config.settings import load_settings
    from sidecar.logs import configure
    from sidecar.serve.plan import bundles_folder
    from sidecar.supervisor.model_store import BundleStore

    settings = load_settings(config)
    configure(settings.log)
    return settings, BundleStore(bundles_folder(settings))


def _check_stickers(settings: "Settings", bundle: "ModelBundle") -> None:
    """Raise ModelError where a running server would refuse ``bundle`` for a sticker."""
    from sidecar.serve.plan import data_folder
    from sidecar.supervisor.reaction_store import ReactionStore

    folders = settings.stickers.folders
    ReactionStore(data_folder(settings), {}, folders).check_stickers(bundle)


def _use(bundles: "BundleStore", name: str) -> None:
    found: ModelBundle = bundles.get(name)
    bundles.keep(found.name)
    labels = ", ".join(label.name for label in found.labels)
    print(f"{name} is in use{labels and f', with {labels}'}; sidecar model rollback undoes it")


def _print_figures(taught: "TaughtBundle") -> None:
    from rich.console import Console
    from rich.table import Table

    from reactions.training.taught_card import figure_rows, shown_share

    figures = taught.result.figures
    table = Table("label", box=None)
    for column in ("before", "after", "fires the new one"):
        table.add_column(column, justify="right")
    for row in figure_rows(taught.label.name, figures):
        table.add_row(*row)
    Console().print(table)
    print(f"Fires on pictures of anything else: {shown_share(figures.other_pictures)}")
    print(f"Fires on other people's other hands: {shown_share(figures.other_hands)}")
    if taught.label.outranks:
        print(f"These give way to it: {', '.join(taught.label.outranks)}")
    print(f"{taught.bundle.name} is in {taught.bundle.folder}")


def _print_notes(examples: "Examples") -> None:
    for note in examples.notes:
        print(f"sidecar: note: {_shown(note)}", file=sys.stderr)


def _label_name(label: str) -> str:
    import re

    from reactions.bundle_label import LABEL_NAME

    if re.match(LABEL_NAME, label) is None or len(label) > 40:
        do = "use words of a to z joined by underscores, as in drinking_tea"
        raise ModelError("can't be the name of a label", where=repr(label[:60]), do=do)
    return label


def _view(name: str) -> "LandmarkView":
    from reactions.taught_labels import LandmarkView

    try:
        return LandmarkView(name)
    except ValueError as error:
        do = f"use {', '.join(LandmarkView)}"
        raise ModelError(f"{name!r} is no view", where="--of", do=do) from error


def _shown(text: str) -> str:
    """``text`` as it can be printed on a terminal: a file's name may hold any bytes."""
    return escape_controls(text.encode(errors="surrogateescape").decode(errors="replace"))
