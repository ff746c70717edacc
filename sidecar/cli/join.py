"""``sidecar join``: stickers in somebody else's meeting."""

import signal
from pathlib import Path
from typing import Annotated

import typer

from config.errors import ConfigError
from sidecar.cli.duration import parse_duration
from sidecar.cli.env_file import SecretsFile, environment
from sidecar.cli.models import ready_store
from sidecar.cli.options import ConfigFile, ReactionsFile, RelayOnly, prepare
from sidecar.cli.signals import run_until_stopped
from sidecar.cli.terminal_view import live_view

SPOTLIGHT = "spotlight:"


def command(
    url: Annotated[str, typer.Argument(metavar="URL", help="The meeting's address.")],
    publish: Annotated[
        list[str] | None,
        typer.Option(
            metavar="WHERE",
            help="Where the composite goes: room (default), none, whip+https://…, or OUT.mp4; "
            "may be given several times.",
        ),
    ] = None,
    as_: Annotated[
        str | None, typer.Option("--as", metavar="NAME", help="What others see us as.")
    ] = None,
    layout: Annotated[
        str | None,
        typer.Option(metavar="LAYOUT", help="grid, or spotlight:NAME for one large tile."),
    ] = None,
    sample_rate: Annotated[
        float | None, typer.Option(metavar="N", help="Samples a second from each camera.")
    ] = None,
    labels: Annotated[
        str | None, typer.Option(metavar="A,B", help="Recognise these labels alone.")
    ] = None,
    consent: Annotated[
        str | None,
        typer.Option(metavar="MODE", help="all, or opt-in: sample nobody before they agree."),
    ] = None,
    relay_only: RelayOnly = None,
    for_: Annotated[
        str | None,
        typer.Option("--for", metavar="DURATION", help="Leave after 90, 90s, 2m or 1h30m."),
    ] = None,
    events: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Write every event as a JSON line.")
    ] = None,
    secrets: SecretsFile = None,
    config: ConfigFile = None,
    reactions: ReactionsFile = None,
) -> None:
    """Take part in a meeting, unseen where that can be, and show it what people's poses say.

    Keys, tokens and passwords come from the environment or from a file; docs/joining.md names them
    for each system. Ctrl-C leaves.
    """
    # A container's first process ignores SIGTERM unless it says otherwise.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    seconds = None if for_ is None else parse_duration(for_)
    environ = environment(secrets)
    options = {
        "rooms.name": as_,
        "rooms.consent": consent,
        "rooms.relay_only": relay_only,
        "sampling.rate": sample_rate,
        "composite.spotlight": None if layout is None else parse_layout(layout),
    }
    settings, table = prepare(config, reactions, options)
    from sidecar.join import JoinPlan, join, only_labels

    chosen = only_labels(table, labels)
    ready_store(settings, chosen)
    plan = JoinPlan(url, tuple(publish or ("room",)), events, seconds, environ)
    with live_view() as show:
        run_until_stopped(join(plan, settings, chosen, show))


def parse_layout(text: str) -> str:
    """Who gets the large tile: nobody (empty) for ``grid``, NAME for ``spotlight:NAME``.

    Raises ConfigError for anything else.
    """
    if text == "grid":
        return ""
    name = text.removeprefix(SPOTLIGHT)
    if name == text or not name:
        raise ConfigError(f"{text!r} is no layout", where="--layout", do="grid or spotlight:NAME")
    return name
