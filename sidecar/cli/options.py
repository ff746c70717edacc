"""Options that several commands share, and the settings they give."""

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from config.reaction_table import ReactionTable
    from config.settings import Settings

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


def load_configuration(
    config: Path | None, reactions: Path | None, options: Mapping[str, Any] | None = None
) -> "tuple[Settings, ReactionTable]":
    """Settings and reaction table of a command; the log is set up on the way.

    ``options`` are the command's own, by the key of the setting. Raises ConfigError.
    """
    from config.reaction_table import load_reaction_table
    from config.settings import load_settings
    from reactions.labels import LABELS
    from sidecar.logs import configure

    settings = load_settings(config, options)
    configure(settings.log)
    return settings, load_reaction_table(LABELS, reactions)
