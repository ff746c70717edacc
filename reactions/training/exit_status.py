"""How the commands of this package end: a user's mistake is one line and the status 2."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager

from config.errors import SidecarError


@contextmanager
def exits_on_errors() -> Iterator[None]:
    """End the process with the line of a SidecarError that is raised inside, and the status 2."""
    try:
        yield
    except SidecarError as error:
        print(error, file=sys.stderr)
        sys.exit(2)
