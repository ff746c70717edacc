"""Write lines into a file, pipe or terminal without blocking the event loop."""

import contextlib
import os
import stat
from collections.abc import Callable
from functools import partial

from sidecar.aio import undo_on_failure
from sidecar.sinks.background_thread import BackgroundThread


class LineWriter:
    """Writes whole lines to the descriptor that ``open_file`` returns, and closes it.

    Python's own buffered files are not used: a thread that hangs in one holds its lock, and the
    interpreter can't end without it.
    """

    def __init__(self, name: str, open_file: Callable[[], int]) -> None:
        self._open_file = open_file
        self._thread = BackgroundThread(name)
        self._file: int | None = None
        self._torn = False

    async def start(self) -> None:
        """Open the file; raises OSError."""
        await self._thread.start()
        async with undo_on_failure(partial(self._thread.aclose, 0)):
            self._file = await self._thread.call(self._open_file)

    async def aclose(self) -> None:
        file, self._file = self._file, None
        if file is not None:
            self._thread.post(lambda: os.close(file))
        await self._thread.aclose()

    async def write(self, line: str) -> None:
        """Write ``line`` and its end; raises OSError. A part of a line is taken back or ended."""
        file = self._file
        if file is None:
            raise BrokenPipeError("closed")
        data = f"{line}\n".encode(errors="replace")
        await self._thread.call(lambda: self._write(file, data))

    def _write(self, file: int, data: bytes) -> None:
        if self._torn:
            data = b"\n" + data
        written = 0
        try:
            while written < len(data):
                written += os.write(file, data[written:])
        except OSError:
            self._torn = self._torn or (written > 0 and not _take_back(file, written))
            raise
        self._torn = False


def _take_back(file: int, written: int) -> bool:
    """Cut the last ``written`` bytes off a regular file; False where that can't be."""
    with contextlib.suppress(OSError):
        if stat.S_ISREG(os.fstat(file).st_mode):
            os.ftruncate(file, os.lseek(file, -written, os.SEEK_CUR))
            return True
    return False
