"""Events as a file of JSON lines: ``jsonl:FILE``."""

import asyncio
import json
import os
from pathlib import Path
from typing import Final

from config.errors import ConfigError
from sidecar.session.events import SessionEvent, as_json
from sidecar.sinks.base import SinkOptions
from sidecar.sinks.line_writer import LineWriter

OPENING: Final = 5.0
"""Seconds that opening may take, as on a network disk that is gone."""
_AT_ONCE: Final = getattr(os, "O_NONBLOCK", 0)


class JsonlSink:
    """Implements ``EventSink``: every event as one line of a new file, as it happens."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._lines = LineWriter(f"jsonl {path.name}", self._open)

    @property
    def name(self) -> str:
        return f"jsonl:{self._path.name}"

    async def start(self) -> None:
        """Open the file; raises ConfigError where it can't be written."""
        do = "name another file"
        try:
            async with asyncio.timeout(OPENING):
                await self._lines.start()
        except TimeoutError as error:
            what = f"can't be opened within {OPENING:g} s"
            raise ConfigError(what, where=str(self._path), do=do) from error
        except (OSError, ValueError) as error:
            reason = getattr(error, "strerror", None) or error
            raise ConfigError(
                f"can't be written: {reason}", where=str(self._path), do=do
            ) from error

    async def write(self, event: SessionEvent) -> None:
        await self._lines.write(json.dumps(as_json(event), ensure_ascii=False))

    async def aclose(self) -> None:
        await self._lines.aclose()

    def _open(self) -> int:
        # A named pipe that is not read is refused with ENXIO; without the flag opening would hang.
        file = os.open(self._path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | _AT_ONCE, 0o666)
        os.set_blocking(file, True)
        return file


def jsonl_sink(url: str, options: SinkOptions) -> JsonlSink:
    """The sink of ``jsonl:FILE``; raises ConfigError without a file's name."""
    path = url.partition(":")[2]
    if not path:
        raise ConfigError("names no file", where=url, do="jsonl:FILE")
    return JsonlSink(Path(path))
