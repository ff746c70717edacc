"""``python -m tests.servers [NAME…]``: gets the named servers, or all, and says where each is."""

import argparse
import sys

from tests.servers.find import SERVERS, MissingError
from tests.servers.get import get


def main() -> int:
    """The exit status: 1 where one of them can't be had."""
    parser = argparse.ArgumentParser(prog="python -m tests.servers", description=__doc__)
    parser.add_argument("names", nargs="*", metavar="NAME", help=", ".join(SERVERS))
    names = parser.parse_args().names or list(SERVERS)
    if unknown := set(names) - set(SERVERS):
        parser.error(f"no such server: {', '.join(sorted(unknown))}")
    status = 0
    for name in names:
        try:
            print(f"{name}\t{get(SERVERS[name])}", flush=True)
        except MissingError as missing:
            status = 1
            print(f"{name}\tmissing: {missing}", flush=True)
    return status


if __name__ == "__main__":
    sys.exit(main())
