"""The limit on open files: each connection of a client and each peer connection needs some."""

import sys
from typing import Final

import structlog

log = structlog.get_logger(__name__)

MOST: Final = 2**20
"""As many as are asked for: some systems allow a billion, and programs that we start may look at
each."""
_UNKNOWN: Final = 4096
"""The limit to count with where the system states none."""


def raise_open_file_limit() -> None:
    """Raise this process's limit, which its children inherit, as far as the system allows."""
    if sys.platform == "win32":
        return
    import resource

    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = MOST if hard == resource.RLIM_INFINITY else min(hard, MOST)
    if soft == resource.RLIM_INFINITY or soft >= wanted:
        return
    try:
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))
    except (OSError, ValueError) as error:
        # macOS allows fewer than it says.
        log.warning("open file limit not raised", limit=soft, reason=str(error))


def open_file_limit() -> int:
    """How many files this process may have open."""
    if sys.platform == "win32":
        return _UNKNOWN
    import resource

    soft, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    return MOST if soft == resource.RLIM_INFINITY else min(soft, MOST)
