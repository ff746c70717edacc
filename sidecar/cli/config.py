"""``sidecar config``: the settings in force, and where each came from."""

from typing import Annotated

import typer

from sidecar.cli.options import ConfigFile, ReactionsFile


def command(
    config: ConfigFile = None,
    reactions: ReactionsFile = None,
    table: Annotated[
        bool, typer.Option("--table", help="Print the reaction table in place of the settings.")
    ] = False,
) -> None:
    """Print the settings in force as TOML, each with its origin; secrets are masked."""
    from config.dump import describe_settings, describe_table
    from config.reaction_table import load_table_with_origins
    from config.settings import load_with_origins
    from reactions.labels import LABELS

    settings = load_with_origins(config)
    rules = load_table_with_origins(LABELS, reactions)
    print(describe_table(rules) if table else describe_settings(settings))
