"""``sidecar demo``: a meeting of mannequins that browsers can join."""

import signal
from pathlib import Path
from typing import Annotated

import typer

from sidecar.cli.duration import parse_duration
from sidecar.cli.models import ready_store
from sidecar.cli.options import (
    ConfigFile,
    ReactionsFile,
    Sensitivity,
    load_with_taught,
    taught_rows,
)
from sidecar.cli.progress import progress_bar
from sidecar.cli.signals import run_until_stopped

PoseFiles = Annotated[
    list[Path] | None,
    typer.Option(metavar="FILE.toml", help="What they act instead: a pose file; may be repeated."),
]


def command(
    port: Annotated[
        int | None, typer.Option(metavar="N", help="TCP port of the page; 0 takes any free one.")
    ] = None,
    host: Annotated[str | None, typer.Option(metavar="H", help="Address to listen on.")] = None,
    no_browser: Annotated[
        bool, typer.Option("--no-browser", help="Print the page's address only.")
    ] = False,
    mannequins: Annotated[
        int, typer.Option(min=0, max=12, metavar="N", help="How many mannequins act (0-12).")
    ] = 3,
    act: PoseFiles = None,
    for_: Annotated[
        str | None,
        typer.Option("--for", metavar="DURATION", help="Stop after 90, 90s, 2m or 1h30m."),
    ] = None,
    sensitivity: Sensitivity = None,
    config: ConfigFile = None,
    reactions: ReactionsFile = None,
) -> None:
    """Open a room in which mannequins act out every reaction, and which browsers can join."""
    # A container's first process ignores SIGTERM unless it says otherwise.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    seconds = None if for_ is None else parse_duration(for_)
    options = {"server.port": port, "server.host": host, "policy.sensitivity": sensitivity}
    settings, loaded = load_with_taught(config, reactions, options)
    ready_store(settings, loaded.table)
    from sidecar import demo

    acts = [demo.Act.read(path) for path in act or ()]
    with progress_bar("Drawing the mannequins (once)") as move:
        actors = demo.draw_actors(mannequins, move, acts)
    taught = taught_rows(loaded)
    run_until_stopped(
        demo.run_demo(
            *(settings, loaded.table, actors),
            browser=not no_browser,
            seconds=seconds,
            taught=taught,
        )
    )
