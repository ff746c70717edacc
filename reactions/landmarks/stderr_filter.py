"""Keep notices of libraries off standard error, which they write to descriptor 2."""

import os
import tempfile
import threading
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager

_STDERR = 2
_NOTICE = b"INFO: "
_lock = threading.RLock()
"""One for all filters, since there is one descriptor; a filter may stand in another."""


def without_notices() -> AbstractContextManager[None]:
    """Keeps lines that begin with ``INFO:`` off standard error; all others come out afterwards.

    LiteRT writes these where it loads a model, and has no option to turn them off.
    """
    return without_lines(lambda line: line.startswith(_NOTICE))


@contextmanager
def without_lines(is_notice: Callable[[bytes], object]) -> Iterator[None]:
    """Keeps lines for which ``is_notice`` is true off standard error; others come out afterwards.

    For short work only: meanwhile what other threads write there waits too.
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
                if not is_notice(line):
                    os.write(kept, line)
            os.close(kept)
