"""The log: structlog on standard error, for people or for machines."""

import atexit
import io
import logging
import os
import queue
import stat
import sys
import threading
import warnings
from typing import Any, Final, TextIO

import structlog
from structlog.typing import EventDict

from config.settings import LogFormat, LogSettings
from sidecar.log_repeats import CountingHandler
from sidecar.redaction import printable

_QUIET = ("aioice", "aiortc", "aiohttp.access", "PIL")
"""Libraries whose INFO is about their own insides."""
_RAW: Final = frozenset({"exc_info", "stack_info", "_record", "_from_structlog"})
"""Keys whose values are for the processors that follow."""
_MULTILINE: Final = frozenset({"exception", "stack"})
BACKLOG: Final = 1000
"""Lines that wait for a pipe that is not read; further ones are dropped and counted."""
FLUSHING: Final = 1.0
"""Seconds that lines get to be written when the process ends."""


class PipeStream(io.TextIOBase):
    """Text for a pipe or terminal from any thread, which never waits for its reader.

    ``logging`` writes where the log call is made: on the event loop, which a full pipe would stop.
    """

    def __init__(self, file: int) -> None:
        self._file = file
        self._waiting: queue.Queue[str] = queue.Queue(BACKLOG)
        self._thread: threading.Thread | None = None
        self.dropped = 0

    def write(self, text: str) -> int:
        if self._thread is None:
            self._thread = threading.Thread(target=self._run, name="log", daemon=True)
            self._thread.start()
        try:
            self._waiting.put_nowait(text)
        except queue.Full:
            self.dropped += 1
        return len(text)

    def isatty(self) -> bool:
        return os.isatty(self._file)

    def drain(self, seconds: float = FLUSHING) -> bool:
        """Wait until all is written, for ``seconds`` at most; whether it is."""
        with self._waiting.all_tasks_done:
            return self._waiting.all_tasks_done.wait_for(
                lambda: not self._waiting.unfinished_tasks, seconds
            )

    def _run(self) -> None:
        while True:
            text = self._waiting.get()
            if self.dropped:
                dropped, self.dropped = self.dropped, 0
                text = f"{text}log lines dropped: {dropped}\n"
            data = text.encode(errors="replace")
            try:
                while data:
                    data = data[os.write(self._file, data) :]
            except OSError:
                self.dropped += 1
            finally:
                self._waiting.task_done()


def _standard_error() -> TextIO | PipeStream:
    """Standard error, by way of a thread where it may stop taking text."""
    try:
        file = sys.stderr.fileno()
        kind = os.fstat(file).st_mode
    except (AttributeError, OSError, ValueError):
        return sys.stderr
    if stat.S_ISREG(kind):
        return sys.stderr
    stream = PipeStream(os.dup(file))
    atexit.register(stream.drain)
    return stream


def configure(settings: LogSettings) -> None:
    """Send our entries and those of libraries to standard error from now on."""
    level = logging.getLevelNamesMapping()[settings.level.upper()]
    shared: list[Any] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        make_safe,
    ]
    handler = CountingHandler(_standard_error())
    atexit.register(handler.write_all)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=shared,
            processors=[
                structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                structlog.processors.format_exc_info,
                make_traceback_safe,
                *_rendering(settings.format),
            ],
        )
    )
    logging.basicConfig(handlers=[handler], level=level, force=True)
    # About odd Exif data and the like of pictures that are read all the same.
    warnings.filterwarnings("ignore", module=r"PIL\.")
    for name in _QUIET:
        logging.getLogger(name).setLevel(max(level, logging.WARNING))
    structlog.configure(
        processors=[
            *shared,
            structlog.processors.StackInfoRenderer(),
            structlog.stdlib.ProcessorFormatter.wrap_for_formatter,
        ],
        wrapper_class=structlog.make_filtering_bound_logger(level),
        logger_factory=structlog.stdlib.LoggerFactory(),
    )


def make_safe(logger: object, method: str, entry: EventDict) -> EventDict:
    """A processor: all values of ``entry`` without control characters and without secrets."""
    return {key: value if key in _RAW else _safe(value) for key, value in entry.items()}


def _safe(value: object) -> object:
    """A value for the log: numbers as they are, collections item by item, all else as text."""
    if value is None or isinstance(value, bool | int | float):
        return value
    if isinstance(value, list | tuple | set | frozenset):
        return [_safe(item) for item in value]
    if isinstance(value, dict):
        return {printable(str(key)): _safe(item) for key, item in value.items()}
    return printable(value if isinstance(value, str) else str(value))


def make_traceback_safe(logger: object, method: str, entry: EventDict) -> EventDict:
    """A processor: the traceback of ``entry``, whose lines never look like a line of the log."""
    for key in _MULTILINE & entry.keys():
        lines = printable(str(entry[key]), keep="\n").splitlines()
        entry[key] = "\n".join(f"  {line}" for line in lines)
    return entry


def _rendering(wanted: LogFormat) -> list[Any]:
    terminal = sys.stderr.isatty()
    if wanted is LogFormat.JSON or (wanted is LogFormat.AUTO and not terminal):
        return [structlog.processors.JSONRenderer()]
    # Without the values of local variables, which may be secrets.
    plain = structlog.dev.plain_traceback
    return [structlog.dev.ConsoleRenderer(colors=terminal, exception_formatter=plain)]
