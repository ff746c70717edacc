"""``sidecar models``: the nets on this machine."""

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
    from reactions.landmarks.model_store import ModelStore, Progress

app = typer.Typer(
    help="Fetch, list and verify the nets that recognition needs.",
    no_args_is_help=True,
    rich_markup_mode=None,
)


def ready_store(settings: "Settings", table: "ReactionTable") -> "ModelStore":
    """The store of ``settings``; fetches the nets that ``table``'s labels need and it lacks."""
    from sidecar.session.factories import make_store, models_for

    store, names = make_store(settings), models_for(table)
    if not store.complete(names):
        fetch_missing(store, names)
    return store


def fetch_missing(store: "ModelStore", names: Collection[str]) -> None:
    """Fetch which of the nets ``names`` ``store`` lacks, under a progress bar; says which optional
    one it does without."""
    with progress_bar("Fetching the nets") as move:

        def show(progress: "Progress") -> None:
            move(progress.done / max(progress.total, 1), progress.what)

        notes = store.fetch(names, show)
    for note in notes:
        print(f"sidecar: note: {note}", file=sys.stderr)


@app.command("fetch")
def fetch(
    nets: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="[NET…]",
            help="Nets by name, or face, hands, body, all; default: what the enabled labels need.",
        ),
    ] = None,
    config: ConfigFile = None,
    reactions: ReactionsFile = None,
) -> None:
    """Fetch nets once into the cache folder (or SIDECAR_MODELS), each checked by SHA-256."""
    store, needed = _store(config, reactions)
    fetch_missing(store, named(nets) if nets else needed)
    print(f"The nets are in {store.folder}")


@app.command("list")
def list_(config: ConfigFile = None, reactions: ReactionsFile = None) -> None:
    """List every net with its state, size and purpose."""
    store, needed = _store(config, reactions)
    print(store.folder)
    for entry in store.list():
        net = entry.net
        purpose = net.family.value if net.runs else f"{net.family.value}, edited before use"
        need = "needed" if net.name in needed else "not needed"
        if net.optional:
            need += ", optional"
        print(f"{entry.state:<8}  {net.size:>9,}  {net.file} ({purpose}; {need})")


@app.command("verify")
def verify(config: ConfigFile = None, reactions: ReactionsFile = None) -> None:
    """Check every net against its SHA-256; fails where one is damaged, or a needed one missing."""
    store, needed = _store(config, reactions)
    store.verify(needed)
    print(f"The nets in {store.folder} are whole")


def named(nets: Collection[str]) -> Collection[str]:
    """The nets that ``nets`` mean: their own names, families, or ``all``.

    Raises ModelError for anything else.
    """
    from config.validation_errors import nearest
    from reactions.landmark_types import Net
    from reactions.landmarks.model_manifest import FILES, files_of

    meanings = {"all": tuple(FILES), **{family.value: files_of([family]) for family in Net}}
    meanings |= {name: (name,) for name in FILES}
    if unknown := [net for net in nets if net not in meanings]:
        raise ModelError(
            f"no such net: {unknown[0]!r}; {nearest(unknown[0], meanings)}", where="models fetch"
        )
    return [name for net in nets for name in meanings[net]]


def _store(config: Path | None, reactions: Path | None) -> "tuple[ModelStore, tuple[str, ...]]":
    """The store, and which of its nets the enabled labels need."""
    from sidecar.session.factories import make_store, models_for

    settings, table = load_configuration(config, reactions)
    return make_store(settings), models_for(table)
