"""A lock between processes on one machine, freed by the system when its holder dies."""

import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from config.errors import ModelError

if sys.platform == "win32":
    import msvcrt

    def _try_lock(descriptor: int) -> bool:
        try:
            msvcrt.locking(descriptor, msvcrt.LK_NBLCK, 1)
        except OSError:
            return False
        return True
else:
    import fcntl

    def _try_lock(descriptor: int) -> bool:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        return True


@contextmanager
def locked(path: Path, *, timeout: float) -> Iterator[None]:
    """Holds the lock file ``path``, waiting up to ``timeout`` seconds for another process."""
    deadline = time.monotonic() + timeout
    with path.open("a") as file:
        while not _try_lock(file.fileno()):
            if time.monotonic() > deadline:
                raise ModelError(
                    "another process has been fetching the nets for too long",
                    where=str(path),
                    do="end that process and try again",
                )
            time.sleep(0.2)
        yield
