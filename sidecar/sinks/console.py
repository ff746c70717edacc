"""Events and status as JSON lines on standard output: ``console:``."""

import json
import os
import sys

from config.errors import ConfigError
from sidecar.session.events import SessionEvent, as_json
from sidecar.session.stats import Status
from sidecar.sinks.base import SinkOptions
from sidecar.sinks.line_writer import LineWriter

STATUS_EVERY = 5.0
"""Seconds between two status lines."""


class ConsoleSink:
    """Implements ``EventSink``: one line an event, but for the progress of holds."""

    def __init__(self) -> None:
        self._lines = LineWriter("console", _standard_output)
        self._due = 0.0

    @property
    def name(self) -> str:
        return "console"

    async def start(self) -> None:
        """Raises ConfigError where there is no standard output."""
        try:
            await self._lines.start()
        except OSError as error:
            what = f"standard output can't be written: {error.strerror}"
            raise ConfigError(what, where="console:", do="leave it open") from error

    async def write(self, event: SessionEvent) -> None:
        if event.kind != "reaction.progress":
            await self._lines.write(json.dumps(as_json(event), ensure_ascii=False))

    async def show(self, status: Status) -> None:
        """Write ``status`` if the last one was written five seconds before; raises OSError."""
        if status.uptime >= self._due:
            self._due = status.uptime + STATUS_EVERY
            await self._lines.write(json.dumps(status.to_json(), ensure_ascii=False))

    async def aclose(self) -> None:
        await self._lines.aclose()


def _standard_output() -> int:
    if sys.stdout is not None:
        sys.stdout.flush()
    return os.dup(1)


def console_sink(url: str, options: SinkOptions) -> ConsoleSink:
    """The sink of ``console:``."""
    return ConsoleSink()
