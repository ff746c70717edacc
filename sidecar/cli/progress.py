"""Progress bars on standard error, where that is a terminal."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Protocol


class Move(Protocol):
    """Moves a bar to the share that is done, 0–1, and says what is under way."""

    def __call__(self, share: float, what: str = "") -> None: ...


@contextmanager
def progress_bar(title: str) -> Iterator[Move]:
    """A bar called ``title`` while the block runs."""
    from rich.console import Console
    from rich.progress import (
        BarColumn,
        Progress,
        TaskProgressColumn,
        TextColumn,
        TimeRemainingColumn,
    )

    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        TaskProgressColumn(),
        TimeRemainingColumn(),
        TextColumn("{task.fields[what]}", style="dim"),
    )
    console = Console(stderr=True)
    with Progress(*columns, console=console, disable=not console.is_terminal) as progress:
        task = progress.add_task(title, total=1.0, what="")

        def move(share: float, what: str = "") -> None:
            progress.update(task, completed=share, what=what)

        yield move
