"""Progress on standard error: a bar on a terminal, elsewhere a line every few seconds."""

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Final, Protocol

INTERVAL: Final = 3.0
"""Seconds between two lines; shorter work is silent where there is no terminal."""


class Move(Protocol):
    """Moves the progress to the share that is done, 0–1, and says what is under way."""

    def __call__(self, share: float, what: str = "") -> None: ...


class ProgressLines:
    """A ``Move`` that writes one line at most every ``INTERVAL`` seconds, and one at the end."""

    def __init__(
        self,
        title: str,
        write: Callable[[str], object],
        *,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._title = title
        self._write = write
        self._clock = clock
        self._written = clock()
        self._share = -1.0
        """What the last line said."""

    def __call__(self, share: float, what: str = "") -> None:
        now = self._clock()
        ended = share >= 1 and 0 <= self._share < 1
        if now - self._written < INTERVAL and not ended:
            return
        self._written, self._share = now, share
        self._write(f"{self._title}: {share:.0%}{what and f', {what}'}")


@contextmanager
def progress_bar(title: str) -> Iterator[Move]:
    """Progress called ``title`` while the block runs."""
    from rich.console import Console

    console = Console(stderr=True)
    if not console.is_terminal:
        yield ProgressLines(title, _write_line)
        return
    from rich.progress import (
        BarColumn,
        Progress,
        TaskProgressColumn,
        TextColumn,
        TimeRemainingColumn,
    )

    columns = (
        TextColumn("{task.description}", markup=False),
        BarColumn(),
        TaskProgressColumn(),
        TimeRemainingColumn(),
        TextColumn("{task.fields[what]}", style="dim", markup=False),
    )
    with Progress(*columns, console=console) as progress:
        task = progress.add_task(title, total=1.0, what="")

        def move(share: float, what: str = "") -> None:
            progress.update(task, completed=share, what=what)

        yield move


def _write_line(line: str) -> None:
    print(line, file=sys.stderr, flush=True)
