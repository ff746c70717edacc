"""``sidecar models``: the nets on this machine."""

import sys
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from sidecar.cli.options import ConfigFile, prepare
from sidecar.cli.progress import progress_bar

if TYPE_CHECKING:
    from config.settings import Settings
    from reactions.landmarks.model_store import ModelStore, Progress

app = typer.Typer(
    help="Fetch, list and verify the nets that recognition needs.",
    no_args_is_help=True,
    rich_markup_mode=None,
)


def ready_store(settings: "Settings") -> "ModelStore":
    """The store of ``settings`` with every net that is needed; fetches those that are missing."""
    from sidecar.session.factories import make_store

    store = make_store(settings)
    if not store.complete:
        fetch_missing(store)
    return store


def fetch_missing(store: "ModelStore") -> None:
    """Fetch what ``store`` lacks under a progress bar; says which optional net it does without."""
    with progress_bar("Fetching the nets") as move:

        def show(progress: "Progress") -> None:
            move(progress.done / max(progress.total, 1), progress.what)

        notes = store.fetch(show)
    for note in notes:
        print(f"sidecar: note: {note}", file=sys.stderr)


@app.command("fetch")
def fetch(config: ConfigFile = None) -> None:
    """Fetch the nets once into the cache folder (or SIDECAR_MODELS), each checked by SHA-256."""
    store = _store(config)
    fetch_missing(store)
    print(f"The nets are in {store.folder}")


@app.command("list")
def list_(config: ConfigFile = None) -> None:
    """List every net with its state, size and purpose."""
    store = _store(config)
    print(store.folder)
    for entry in store.list():
        note = " (optional)" if entry.net.optional else ""
        print(f"{entry.state:<8}  {entry.net.size:>9,}  {entry.net.file}{note}")


@app.command("verify")
def verify(config: ConfigFile = None) -> None:
    """Check every net against its SHA-256; fails where a required one is missing or damaged."""
    store = _store(config)
    store.verify()
    print(f"The nets in {store.folder} are whole")


def _store(config: Path | None) -> "ModelStore":
    from sidecar.session.factories import make_store

    settings, _ = prepare(config, None)
    return make_store(settings)
