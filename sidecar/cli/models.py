"""``sidecar models``: the models on this machine."""

import sys
from collections.abc import Collection
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from config.errors import ModelError
from sidecar.cli.options import ConfigFile, ReactionsFile, load_configuration
from sidecar.cli.progress import progress_bar

if TYPE_CHECKING:
    from config.reaction_table import ReactionTable
    from config.settings import Settings
    from reactions.bundle import ModelBundle
    from reactions.landmarks.model_store import ModelStore, Progress

app = typer.Typer(
    help="Fetch, list and verify the landmark models that recognition needs"
    " (taught and trained labels: sidecar model).",
    no_args_is_help=True,
    rich_markup_mode=None,
)


def ready_store(
    settings: "Settings", table: "ReactionTable", bundle: "ModelBundle | None" = None
) -> "ModelStore":
    """Return the store of ``settings``, after fetching the models that the labels of ``table`` and
    of ``bundle`` (None: the shipped one) need."""
    from reactions.bundle import SHIPPED_BUNDLE
    from sidecar.session.factories import make_store, models_for

    store, names = make_store(settings), models_for(table, bundle or SHIPPED_BUNDLE)
    if not store.complete(names):
        fetch_missing(store, names)
    return store


def fetch_missing(store: "ModelStore", names: Collection[str]) -> None:
    """Fetch the models ``names`` that ``store`` lacks, with a progress bar; print which optional
    ones could not be fetched."""
    with progress_bar("Fetching the models") as move:

        def show(progress: "Progress") -> None:
            move(progress.done / max(progress.total, 1), progress.what)

        notes = store.fetch(names, show)
    for note in notes:
        print(f"sidecar: note: {note}", file=sys.stderr)


@app.command("fetch")
def fetch(
    models: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="[MODEL…]",
            help="Models by name, or face, hands, body, objects, all; default: what labels need.",
        ),
    ] = None,
    config: ConfigFile = None,
    reactions: ReactionsFile = None,
) -> None:
    """Fetch models once into the cache folder (or SIDECAR_MODELS), each checked by SHA-256."""
    store, needed = _store(config, reactions)
    fetch_missing(store, named(models) if models else needed)
    print(f"The models are in {store.folder}")


@app.command("list")
def list_(config: ConfigFile = None, reactions: ReactionsFile = None) -> None:
    """List every model with its state, size and purpose."""
    store, needed = _store(config, reactions)
    print(store.folder)
    for entry in store.list():
        model = entry.model
        purpose = model.family.value if model.runs else f"{model.family.value}, edited before use"
        need = "needed" if model.name in needed else "not needed"
        if model.optional:
            need += ", optional"
        print(f"{entry.state:<8}  {model.size:>9,}  {model.file} ({purpose}; {need})")


@app.command("verify")
def verify(config: ConfigFile = None, reactions: ReactionsFile = None) -> None:
    """Check each model against its SHA-256; fail if one is damaged or a needed one is missing."""
    store, needed = _store(config, reactions)
    store.verify(needed)
    print(f"All needed models in {store.folder} are verified")


def named(models: Collection[str]) -> Collection[str]:
    """The names of ``models``, each of which is a name, a family or ``all``.

    Raises ModelError for anything else.
    """
    from config.validation_errors import nearest
    from reactions.landmark_types import ModelFamily
    from reactions.landmarks.model_manifest import FILES, files_of

    meanings = {"all": tuple(FILES), **{family.value: files_of([family]) for family in ModelFamily}}
    meanings |= {name: (name,) for name in FILES}
    if unknown := [model for model in models if model not in meanings]:
        raise ModelError(
            f"no such model: {unknown[0]!r}; {nearest(unknown[0], meanings)}", where="models fetch"
        )
    return [name for model in models for name in meanings[model]]


def _store(config: Path | None, reactions: Path | None) -> "tuple[ModelStore, tuple[str, ...]]":
    """The store, and which of its models the enabled labels need."""
    from sidecar.session.factories import make_store, models_for

    settings, table = load_configuration(config, reactions)
    return make_store(settings), models_for(table)
