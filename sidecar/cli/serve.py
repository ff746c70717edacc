"""``sidecar serve``: many rooms behind an API."""

import os
import sys
from pathlib import Path
from typing import Annotated

import typer

from sidecar.cli.models import ready_store
from sidecar.cli.options import ConfigFile, ReactionsFile, load_with_taught, taught_rows
from sidecar.cli.signals import run_until_stopped


def command(
    host: Annotated[str | None, typer.Option(metavar="H", help="Address to listen on.")] = None,
    port: Annotated[
        int | None, typer.Option(metavar="N", help="TCP port of the API; 0 takes any free one.")
    ] = None,
    token_file: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="Tokens, one a line: TOKEN [SCOPE …]."),
    ] = None,
    livekit: Annotated[
        str | None,
        typer.Option(metavar="URL", help="LiveKit server that dispatches rooms: wss://HOST."),
    ] = None,
    engine: Annotated[
        str | None,
        typer.Option(metavar="E", help="local, or ray: rooms and detection on a Ray cluster."),
    ] = None,
    config: ConfigFile = None,
    reactions: ReactionsFile = None,
) -> None:
    """Join rooms by API: one process a room, detection shared by all.

    SIDECAR_API_TOKEN gives one token with every scope. Without any token one is made and shown,
    or kept in a file for its owner alone where the output is no terminal.
    SIGTERM and Ctrl-C drain: no new rooms, and an end when the last has ended or
    serve.drain_timeout is over; a second one ends at once. Example:

    curl -H "Authorization: Bearer $TOKEN" -d '{"url": "wss://sfu.example#room"}' HOST/v1/rooms
    """
    settings, loaded = load_with_taught(
        config,
        reactions,
        {
            "server.host": host,
            "server.port": port,
            "serve.engine": engine,
            "serve.livekit.url": livekit,
        },
    )
    from sidecar.serve.plan import ServePlan
    from sidecar.serve.server import serve

    ready_store(settings, loaded.table)
    terminal, taught = sys.stdout.isatty(), taught_rows(loaded)
    plan = ServePlan(token_file, dict(os.environ), terminal=terminal, taught=taught)
    run_until_stopped(serve(plan, settings, loaded.table))
