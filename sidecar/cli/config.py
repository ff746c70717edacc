"""``sidecar config``: the settings in force, and where each came from."""

from dataclasses import replace
from typing import Annotated

import typer

from sidecar.cli.options import ConfigFile, ReactionsFile, load_table, with_chosen_bundle


def command(
    config: ConfigFile = None,
    reactions: ReactionsFile = None,
    table: Annotated[
        bool, typer.Option("--table", help="Print the reaction table in place of the settings.")
    ] = False,
) -> None:
    """Print the settings in force as TOML, each with its origin; secrets are masked."""
    from config.dump import describe_settings, describe_table
    from config.settings import load_with_origins

    settings = load_with_origins(config)
    loaded = load_table(settings.settings, reactions)
    if not table:
        print(describe_settings(settings))
        return
    rules = with_chosen_bundle(settings.settings, loaded)[1]
    print(describe_table(replace(loaded, table=rules)))
