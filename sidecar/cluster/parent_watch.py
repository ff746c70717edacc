"""End a worker of Ray with its node's process.

A worker whose raylet is killed was seen to stay (Ray 2.60: it ends its tasks and then waits for
ever), while Ray starts its actor again on another node: a room would be in its meeting twice.
"""

import os
import signal
import threading
import time
from collections.abc import Callable
from typing import Final

EVERY: Final = 0.2
"""Seconds between two looks."""


def end_with_parent() -> None:
    """From now on, kill this process once the one that started it has ended."""
    parent = os.getppid()

    def end() -> None:
        # An ordinary exit waits for threads, of Ray and of media.
        os.kill(os.getpid(), signal.SIGKILL)

    watch = threading.Thread(target=wait_orphan, args=(parent, end), name="parent watch")
    watch.daemon = True
    watch.start()


def wait_orphan(parent: int, orphaned: Callable[[], None]) -> None:
    """Call ``orphaned`` once the parent of this process is another than ``parent``."""
    while os.getppid() == parent:
        time.sleep(EVERY)
    orphaned()
