"""The status of a running session as a table that is redrawn in place."""

import contextlib
import io
import logging
from collections.abc import Iterator
from typing import TYPE_CHECKING, Self

from sidecar.redaction import printable

if TYPE_CHECKING:
    from rich.console import RenderableType
    from typing_extensions import Buffer

    from sidecar.inference.detector import DetectorStats
    from sidecar.session.stats import ParticipantStatus, SinkStats, Status


class RawTerminal(io.FileIO):
    """Writes to the descriptor ``file`` without a lock, for a thread that may hang in it.

    Python's own ``sys.stdout`` is not used: the interpreter can't end while a thread holds its
    lock.
    """

    def __init__(self, file: int) -> None:
        super().__init__(file, "w", closefd=False)

    def write(self, data: "Buffer") -> int:
        left = memoryview(data)
        while left:
            left = left[super().write(left) :]
        return memoryview(data).nbytes


class TerminalView:
    """Implements ``StatusView`` with Rich, in a thread of its own: a terminal may be stopped.

    While it is open, log lines are printed above the table.
    """

    def __init__(self, file: int = 1) -> None:
        from rich.console import Console
        from rich.live import Live

        from sidecar.sinks.background_thread import BackgroundThread

        text = io.TextIOWrapper(RawTerminal(file), "utf-8", errors="replace", write_through=True)
        console = Console(file=text)
        self._live = Live(
            console=console,
            auto_refresh=False,
            transient=True,
            redirect_stdout=False,
            redirect_stderr=False,
        )
        self._thread = BackgroundThread("terminal")
        self._life = contextlib.ExitStack()

    async def start(self) -> None:
        await self._thread.start()
        self._thread.post(self._live.start)
        self._life.enter_context(self._log_above())

    async def show(self, status: "Status") -> None:
        """Draw ``status``; returns once it is drawn."""
        await self._thread.call(lambda: self._live.update(render_status(status), refresh=True))

    async def aclose(self) -> None:
        """Take the table away, unless the terminal is stopped."""
        self._life.close()
        self._thread.post(self._live.stop)
        await self._thread.aclose()

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(self, *exc: object) -> None:
        await self.aclose()

    def write(self, text: str) -> None:
        """Print a log line above the table, as ``logging`` does with its stream."""
        from rich.text import Text

        line = Text.from_ansi(text.rstrip("\n"))
        if line:
            self._thread.post(lambda: self._live.console.print(line, soft_wrap=True))

    def flush(self) -> None:
        """Lines are printed as they come."""

    @contextlib.contextmanager
    def _log_above(self) -> Iterator[None]:
        """Send the log to where it does not garble the table."""
        handlers = [
            handler
            for handler in logging.getLogger().handlers
            if isinstance(handler, logging.StreamHandler)
            and getattr(handler.stream, "isatty", bool)()
        ]
        before = [handler.setStream(self) for handler in handlers]
        try:
            yield
        finally:
            for handler, stream in zip(handlers, before, strict=True):
                if stream is not None:
                    handler.setStream(stream)


def render_status(status: "Status") -> "RenderableType":
    """The status as an object that Rich draws."""
    from rich.console import Group
    from rich.table import Table
    from rich.text import Text

    head = Text.assemble(
        (printable(f"{status.system} · {status.room}"), "bold"),
        f"   {_clock(status.uptime)}   {status.fps:.0f} frames/s",
        f"   {status.late_ticks} late   {status.viewers} watching",
        f"   {status.cpu:.0%} of a core",
        f"   rejoined {status.rejoined}x" if status.rejoined else "",
    )
    table = Table(box=None, pad_edge=False, header_style="dim")
    for column in ("participant", "camera", "frames/s", "label"):
        table.add_column(column)
    for one in status.participants:
        table.add_row(Text(printable(one.name)), _layer(one), f"{one.fps:.0f}", _label(one))
    if not status.participants:
        table.add_row(Text("no camera is on", style="dim"), "", "", "")
    notes = [_sink(sink) for sink in status.sinks if sink.dropped]
    if status.detector is not None and (detection := _detection(status.detector)):
        notes.insert(0, detection)
    last = [
        Text(printable(f"{_clock(reaction.time)}  {reaction.name}: {reaction.label}"))
        for reaction in status.reactions
    ]
    return Group(
        head,
        *(Text(printable(note), style="yellow") for note in notes),
        Text(),
        table,
        Text(),
        *last,
    )


def _layer(one: "ParticipantStatus") -> str:
    if one.width is None:
        return "no frame yet"
    return f"{one.width}x{one.height}" + (" (old)" if one.stale else "")


def _label(one: "ParticipantStatus") -> str:
    if one.opted_out:
        return "opted out"
    if one.label is None or one.score is None:
        return ""
    return f"{one.label} {one.score:.0%}"


def _detection(detector: "DetectorStats") -> str:
    """What is wrong with detection; empty where nothing is."""
    counts = {
        "too late": detector.dropped.replaced + detector.dropped.expired,
        "lost with a worker": detector.dropped.worker_lost,
        "failed": detector.failed,
    }
    found = [f"{count} {what}" for what, count in counts.items() if count]
    if not detector.workers:
        found.insert(0, "no worker is alive")
    return f"samples: {', '.join(found)}" if found else ""


def _sink(sink: "SinkStats") -> str:
    reason = f" ({sink.reason})" if sink.reason else ""
    return f"{sink.name}: {sink.dropped} dropped{reason}"


def _clock(seconds: float) -> str:
    minutes, rest = divmod(int(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}"
