"""``sidecar join``: take part in a meeting."""

import dataclasses
import signal
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from config.errors import ConfigError
from sidecar.cli.duration import parse_duration
from sidecar.cli.env_file import SecretsFile, environment
from sidecar.cli.models import ready_store
from sidecar.cli.options import (
    Bundle,
    ConfigFile,
    ReactionsFile,
    RelayOnly,
    Sensitivity,
    load_with_taught,
    with_chosen_bundle,
)
from sidecar.cli.signals import run_until_stopped
from sidecar.cli.terminal_view import TerminalView

if TYPE_CHECKING:
    from config.reaction_rule import ReactionRule
    from config.settings import Settings
    from sidecar.join import JoinPlan

SPOTLIGHT = "spotlight:"
CONSOLE = "console:"


MeetingUrl = Annotated[str, typer.Argument(metavar="URL", help="The meeting's address.")]
Publish = Annotated[
    list[str] | None,
    typer.Option(
        metavar="TARGET",
        help="Where the composite goes: room (default), none, whip+https://…, camera: (a virtual "
        "camera), or OUT.mp4; may be given several times.",
    ),
]
DisplayName = Annotated[
    str | None,
    typer.Option("--as", metavar="NAME", help="Display name shown to other participants."),
]
Layout = Annotated[
    str | None,
    typer.Option(metavar="LAYOUT", help="grid, or spotlight:NAME for one large tile."),
]
SampleRate = Annotated[
    float | None, typer.Option(metavar="N", help="Samples a second from each camera.")
]
Labels = Annotated[str | None, typer.Option(metavar="A,B", help="Recognise only these labels.")]
ConsentMode = Annotated[
    str | None,
    typer.Option(metavar="MODE", help="all, or opt-in: sample only participants who agree."),
]
Duration = Annotated[
    str | None,
    typer.Option("--for", metavar="DURATION", help="Leave after 90, 90s, 2m or 1h30m."),
]
Preview = Annotated[
    bool, typer.Option("--preview", help="Show the composite, mirrored, on a page of this machine.")
]
EventFile = Annotated[
    Path | None, typer.Option(metavar="FILE", help="Write every event as a JSON line.")
]
Sinks = Annotated[
    list[str] | None,
    typer.Option(
        metavar="URL",
        help="A further sink for events: jsonl:FILE, webhook+https://…, mqtt://… and others of "
        "docs/sinks.md; may be given several times.",
    ),
]


def command(
    url: MeetingUrl,
    publish: Publish = None,
    as_: DisplayName = None,
    layout: Layout = None,
    sample_rate: SampleRate = None,
    labels: Labels = None,
    consent: ConsentMode = None,
    sensitivity: Sensitivity = None,
    relay_only: RelayOnly = None,
    for_: Duration = None,
    events: EventFile = None,
    sink: Sinks = None,
    preview: Preview = False,
    secrets: SecretsFile = None,
    bundle: Bundle = None,
    config: ConfigFile = None,
    reactions: ReactionsFile = None,
) -> None:
    """Take part in a meeting, hidden where the system allows, and publish reactions into it.

    Keys, tokens and passwords come from the environment or from a file; docs/joining.md names them
    for each system. Ctrl-C leaves.
    """
    # A container's first process ignores SIGTERM unless it says otherwise.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    seconds, environ = None if for_ is None else parse_duration(for_), environment(secrets)
    options = {
        "rooms.name": as_,
        "rooms.consent": consent,
        "rooms.relay_only": relay_only,
        "policy.sensitivity": sensitivity,
        "sampling.rate": sample_rate,
        "composite.spotlight": None if layout is None else parse_layout(layout),
        "recognition.bundle": bundle,
    }
    settings, table, models = with_chosen_bundle(*load_with_taught(config, reactions, options))
    from config.reaction_table import only_labels
    from sidecar.join import JoinPlan

    chosen = only_labels(table, labels)
    ready_store(settings, chosen, models)
    targets, sinks = tuple(publish or ("room",)), tuple(sink or ())
    plan = JoinPlan(url, targets, events, sinks, seconds, environ, preview, bundle=models)
    run_until_stopped(_join(plan, settings, chosen))


async def _join(
    plan: "JoinPlan", settings: "Settings", table: Mapping[str, "ReactionRule"]
) -> None:
    """Join with a table of the status on a terminal, and with JSON lines anywhere else."""
    from sidecar.join import join
    from sidecar.sinks.console import ConsoleSink

    others = tuple(sink for sink in plan.sinks if not sink.lower().startswith(CONSOLE))
    if sys.stdout is None:
        await join(plan, settings, table)
    elif sys.stdout.isatty() and others == plan.sinks:
        async with TerminalView() as view:
            await join(plan, settings, table, view=view)
    else:
        console, plan = ConsoleSink(), dataclasses.replace(plan, sinks=others)
        await join(plan, settings, table, view=console, event_sinks=[console])


def parse_layout(text: str) -> str:
    """Who gets the large tile: empty for ``grid``, NAME for ``spotlight:NAME``.

    Raises ConfigError for anything else.
    """
    if text == "grid":
        return ""
    name = text.removeprefix(SPOTLIGHT)
    if name == text or not name:
        raise ConfigError(
            f"{text!r} is not a layout", where="--layout", do="grid or spotlight:NAME"
        )
    return name
