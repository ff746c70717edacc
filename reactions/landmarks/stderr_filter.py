"""Suppress LiteRT's notices, which it writes to descriptor 2 without an option to turn them off."""

import os
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager

_STDERR = 2
_NOTICE = b"INFO: "
_lock = threading.Lock()


@contextmanager
def without_notices() -> Iterator[None]:
    """Keeps lines that begin with ``INFO:`` off standard error; all others come out afterwards.

    For loading a model only: meanwhile what other threads write there waits too.
    """
    with _lock, tempfile.TemporaryFile() as written:
        try:
            kept = os.dup(_STDERR)
        except OSError:  # a process without standard error
            yield
            return
        os.dup2(written.fileno(), _STDERR)
        try:
            yield
        finally:
            os.dup2(kept, _STDERR)
            written.seek(0)
            for line in written:
                if not line.startswith(_NOTICE):
                    os.write(kept, line)
            os.close(kept)
