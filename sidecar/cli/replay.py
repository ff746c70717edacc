"""``sidecar replay``: stickers for a recording or a picture."""

from pathlib import Path
from typing import Annotated

import typer

from sidecar.cli.models import ready_store
from sidecar.cli.options import ConfigFile, ReactionsFile, load_configuration
from sidecar.cli.progress import progress_bar


def command(
    source: Annotated[Path, typer.Argument(metavar="IN", help="A video or a picture.")],
    target: Annotated[Path, typer.Argument(metavar="OUT", help="The same with stickers.")],
    events: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE", help="Event log as JSON lines; OUT.events.jsonl if not given."
        ),
    ] = None,
    config: ConfigFile = None,
    reactions: ReactionsFile = None,
) -> None:
    """Play a recording through recognition and write it with stickers and an event log."""
    settings, table = load_configuration(config, reactions)
    store = ready_store(settings, table)
    from sidecar.replay import Replay
    from sidecar.session.factories import make_pipeline, make_stickers

    log = events or target.with_name(f"{target.name}.events.jsonl")
    detector = make_pipeline(store, table, settings)
    with progress_bar(source.name) as move:
        Replay(detector, make_stickers(table, settings), table, settings).run(
            source, target, log, move
        )
    print(f"{target}\n{log}")
