"""``sidecar replay``: stickers for a recording or a picture."""

import os
import sys
from pathlib import Path
from typing import Annotated

import typer

from sidecar.cli.models import ready_store
from sidecar.cli.options import (
    Bundle,
    ConfigFile,
    ReactionsFile,
    Sensitivity,
    load_with_taught,
    with_chosen_bundle,
)
from sidecar.cli.progress import progress_bar
from sidecar.cli.signals import exit_on_signals


def command(
    source: Annotated[Path, typer.Argument(metavar="IN", help="A video or a picture.")],
    target: Annotated[Path, typer.Argument(metavar="OUT", help="The same with stickers.")],
    events: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE", help="Event log as JSON lines; OUT.events.jsonl if not given."
        ),
    ] = None,
    sensitivity: Sensitivity = None,
    bundle: Bundle = None,
    config: ConfigFile = None,
    reactions: ReactionsFile = None,
) -> None:
    """Play a recording through recognition and write it with stickers and an event log."""
    exit_on_signals()
    options = {"policy.sensitivity": sensitivity, "recognition.bundle": bundle}
    settings, table, models = with_chosen_bundle(*load_with_taught(config, reactions, options))
    from sidecar.media.container.inputs import shown_path
    from sidecar.replay import Replay, check_files, events_beside

    log = events or events_beside(target)
    check_files(source, target, log)
    store = ready_store(settings, table, models)
    from sidecar.session.factories import make_pipeline, make_stickers

    detector = make_pipeline(store, table, settings, models)
    with progress_bar(shown_path(Path(source.name))) as move:
        Replay(detector, make_stickers(table, settings), table, settings).run(
            source, target, log, move
        )
    if sys.stdout is not None:  # None: it was closed before the start.
        # The names as they are, which need not be UTF-8.
        sys.stdout.buffer.write(os.fsencode(target) + b"\n" + os.fsencode(log) + b"\n")
