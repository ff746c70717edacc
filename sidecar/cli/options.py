"""Options that several commands share, and the settings they give."""

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from config.reaction_table import LoadedTable, ReactionTable
    from config.settings import Settings
    from reactions.bundle import ModelBundle
    from sidecar.supervisor.bundle_rows import TaughtRows
    from sidecar.supervisor.model_store import BundleStore

ConfigFile = Annotated[
    Path | None,
    typer.Option(
        "--config", metavar="FILE", help="Settings file; default: sidecar.toml, if found."
    ),
]
ReactionsFile = Annotated[
    Path | None,
    typer.Option(
        "--reactions", metavar="FILE", help="Reaction table to merge over the shipped one."
    ),
]
RelayOnly = Annotated[
    bool | None, typer.Option("--relay-only", help="Send media through a TURN server only.")
]

Sensitivity = Annotated[
    str | None,
    typer.Option(metavar="LEVEL", help="How easily reactions start: calm, normal or playful."),
]


Bundle = Annotated[
    str | None,
    typer.Option(
        "--bundle",
        metavar="NAME",
        help="Bundle of models: one of sidecar model list, or shipped; default: the one in use.",
    ),
]


def load_configuration(
    config: Path | None, reactions: Path | None, options: Mapping[str, Any] | None = None
) -> "tuple[Settings, ReactionTable]":
    """Settings and reaction table of a command, without rows of taught labels; the log is set up on
    the way.

    ``options`` are the command's own, by the key of the setting. Raises ConfigError.
    """
    settings, loaded = load_with_taught(config, reactions, options)
    return settings, loaded.table


def load_with_taught(
    config: Path | None, reactions: Path | None, options: Mapping[str, Any] | None = None
) -> "tuple[Settings, LoadedTable]":
    """As ``load_configuration``, with the user's rows of labels that a bundle was taught."""
    from config.settings import load_settings
    from sidecar.logs import configure

    settings = load_settings(config, options)
    configure(settings.log)
    return settings, load_table(settings, reactions)


def load_table(settings: "Settings", reactions: Path | None) -> "LoadedTable":
    """The reaction table, in which rows of labels that any bundle was taught may stand."""
    from config.reaction_table import load_table_with_origins
    from reactions.labels import LABELS

    def taught() -> frozenset[str]:
        return bundle_store(settings).taught_names()

    return load_table_with_origins(LABELS, reactions, taught=taught)


def taught_rows(loaded: "LoadedTable") -> "TaughtRows":
    """The user's rows of taught labels, as a server takes them."""
    from sidecar.supervisor.bundle_rows import TaughtRows

    return TaughtRows(loaded.taught, loaded.file)


def bundle_store(settings: "Settings") -> "BundleStore":
    """The bundles of this user."""
    from sidecar.serve.plan import bundles_folder
    from sidecar.supervisor.model_store import BundleStore

    return BundleStore(bundles_folder(settings))


def with_chosen_bundle(
    settings: "Settings", loaded: "LoadedTable"
) -> "tuple[Settings, ReactionTable, ModelBundle]":
    """Settings, table and bundle of a command that follows ``sidecar model use``: the table has the
    bundle's thresholds and taught labels, and the settings its stickers.

    Raises ModelError for a bundle that ``recognition.bundle`` names and that can't be used, and
    ConfigError for a row that does not fit a taught label.
    """
    from sidecar.supervisor.bundle_rows import with_bundle

    bundle = _chosen_bundle(settings)
    table = with_bundle(loaded.table, bundle, taught_rows(loaded))
    if bundle.stickers and bundle.folder is not None:
        folders = (*settings.stickers.folders, bundle.folder)
        stickers = settings.stickers.model_copy(update={"folders": folders})
        settings = settings.model_copy(update={"stickers": stickers})
    return settings, table, bundle


def _chosen_bundle(settings: "Settings") -> "ModelBundle":
    from config.errors import ModelError, NotFoundError

    store, wanted = bundle_store(settings), settings.recognition.bundle
    if not wanted:
        return store.at_start()
    try:
        return store.get(wanted)
    except NotFoundError as error:
        do = "sidecar model list shows all"
        raise ModelError("there is no such bundle", where=repr(wanted), do=do) from error
