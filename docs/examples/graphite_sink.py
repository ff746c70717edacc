"""A sink of your own: counts reactions in Graphite, by its plain text protocol over TCP.

``sidecar join … --sink graphite://HOST:2003/PREFIX`` sends one line for each reaction that starts.
Nothing of the sidecar knows this file: its package's entry point does (docs/sinks.md).
"""

import asyncio
import time
from urllib.parse import urlsplit

from config.errors import ConfigError
from sidecar.session.events import SessionEvent, as_json
from sidecar.sinks.base import SinkOptions


class GraphiteSink:
    """Implements ``EventSink``."""

    def __init__(self, url: str, options: SinkOptions) -> None:
        parts = urlsplit(url)
        if parts.hostname is None:
            raise ConfigError("names no host", where="--sink", do="graphite://HOST:2003/PREFIX")
        self._host, self._port = parts.hostname, parts.port or 2003
        self._prefix = parts.path.strip("/") or "reactions"
        self._writer: asyncio.StreamWriter | None = None
        self.name = f"graphite {self._host}"

    async def start(self) -> None:
        """The connection is made with the first reaction, and again when it is lost."""

    async def write(self, event: SessionEvent) -> None:
        if event.kind != "reaction.started":
            return
        if self._writer is None or self._writer.is_closing():
            _, self._writer = await asyncio.open_connection(self._host, self._port)
        line = f"{self._prefix}.{as_json(event)['label']} 1 {time.time():.0f}\n"
        self._writer.write(line.encode())
        await self._writer.drain()

    async def aclose(self) -> None:
        if self._writer is not None:
            self._writer.close()
