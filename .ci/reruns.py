"""Prints each test that was tried once more, and fails where there were more than a few.

A browser or a server on a busy machine fails now and then for reasons of its own. More than three
second tries in one run are no accident.
"""

import re
import sys
from collections.abc import Iterable
from pathlib import Path

BUDGET = 3
"""Second tries that one run may need."""


def reruns(lines: Iterable[str]) -> list[str]:
    """The tests that pytest's summary in ``lines`` calls rerun, one entry a rerun."""
    return [match[1] for line in lines if (match := re.match(r"RERUN (\S.*)", line))]


def main(log: Path) -> int:
    """The exit status."""
    found = reruns(log.read_text(encoding="utf-8", errors="replace").splitlines())
    for test in found:
        print(f"tried once more: {test}")
    if len(found) > BUDGET:
        print(f"error: {len(found)} reruns, and {BUDGET} are the most that one run may need")
        return 1
    print(f"{len(found)} reruns of at most {BUDGET}")
    return 0


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1])))
