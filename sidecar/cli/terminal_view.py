"""How a running session looks at a terminal, and what it prints anywhere else."""

import json
import logging
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rich.console import RenderableType

    from sidecar.join import Show
    from sidecar.session.events import SessionEvent
    from sidecar.session.stats import ParticipantStatus, Status

LINE_EVERY = 5.0
"""Seconds between status lines where nobody is looking."""


@contextmanager
def live_view() -> Iterator["Show"]:
    """A table that stays in its place on a terminal; JSON lines on standard output elsewhere."""
    from sidecar.join import Show

    if not sys.stdout.isatty():
        yield Show(_StatusLines().show, _print_event)
        return
    from rich.console import Console
    from rich.live import Live

    with Live(console=Console(), auto_refresh=False, transient=True) as live, _log_above():

        def show(status: "Status") -> None:
            live.update(render(status), refresh=True)

        yield Show(show, lambda event: None)


@contextmanager
def _log_above() -> Iterator[None]:
    """Send the log to where Rich prints above its live display, which it would garble otherwise."""
    handlers = [
        handler
        for handler in logging.getLogger().handlers
        if isinstance(handler, logging.StreamHandler)
    ]
    before = [handler.setStream(sys.stderr) for handler in handlers]
    try:
        yield
    finally:
        for handler, stream in zip(handlers, before, strict=True):
            if stream is not None:
                handler.setStream(stream)


class _StatusLines:
    """Prints the status every so often."""

    def __init__(self) -> None:
        self._due = 0.0

    def show(self, status: "Status") -> None:
        if status.uptime >= self._due:
            self._due = status.uptime + LINE_EVERY
            print(json.dumps(status.to_json(), ensure_ascii=False), flush=True)


def _print_event(event: "SessionEvent") -> None:
    from sidecar.session.events import LiveScores, as_json

    if not isinstance(event, LiveScores) and event.kind != "reaction.progress":
        print(json.dumps(as_json(event), ensure_ascii=False), flush=True)


def render(status: "Status") -> "RenderableType":
    """The status as something that Rich can draw."""
    from rich.console import Group
    from rich.table import Table
    from rich.text import Text

    head = Text.assemble(
        (f"{status.system} · {status.room}", "bold"),
        f"   {_clock(status.uptime)}   {status.fps:.0f} pictures/s",
        f"   {status.late_ticks} late   {status.viewers} watching",
        f"   {status.cpu:.0%} of a core",
        f"   joined anew {status.rejoined}x" if status.rejoined else "",
    )
    table = Table(box=None, pad_edge=False, header_style="dim")
    for column in ("participant", "camera", "frames/s", "sees"):
        table.add_column(column)
    for one in status.participants:
        table.add_row(Text(one.name), _layer(one), f"{one.fps:.0f}", _sees(one))
    if not status.participants:
        table.add_row(Text("nobody's camera is on", style="dim"), "", "", "")
    last = [
        Text(f"{_clock(reaction.time)}  {reaction.name}: {reaction.label}")
        for reaction in status.reactions
    ]
    return Group(head, Text(), table, Text(), *last)


def _layer(one: "ParticipantStatus") -> str:
    if one.width is None:
        return "no picture yet"
    return f"{one.width}x{one.height}" + (" (old)" if one.stale else "")


def _sees(one: "ParticipantStatus") -> str:
    if one.opted_out:
        return "opted out"
    if one.label is None or one.score is None:
        return ""
    return f"{one.label} {one.score:.0%}"


def _clock(seconds: float) -> str:
    minutes, rest = divmod(int(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}"
