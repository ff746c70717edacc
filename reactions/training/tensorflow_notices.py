"""Keep TensorFlow's notices off standard error.

It writes them to descriptor 2: some before any logger or ``TF_CPP_MIN_LOG_LEVEL`` counts, and one
of each model that it converts. What goes wrong is an exception in any case.
"""

import os
import re
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

_STDERR: Final = 2
_NOTICE: Final = re.compile(
    rb"WARNING: All log messages before absl|[IW]\d{4} \S|E\d{4} .*\bnode_def_util\b"
)
"""Lines of Abseil's log: informations, warnings, and the attributes that a converter knows not."""
_lock = threading.Lock()


@contextmanager
def without_tensorflow_notices() -> Iterator[None]:
    """Keep TensorFlow's notices off standard error; all else comes out afterwards.

    For importing it and for exports: meanwhile what other threads write there waits too.
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
                if not _NOTICE.match(line):
                    os.write(kept, line)
            os.close(kept)
