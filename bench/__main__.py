"""Measures this machine: ``python -m bench [NAME…] [--quick] [--out FILE]``.

A benchmark is a module of this package with ``measure(quick: bool) -> Iterator[Table]``.
"""

import argparse
import importlib
import pkgutil
from collections.abc import Callable, Iterator
from pathlib import Path

import bench
from bench.table import Table, machine

Measure = Callable[[bool], Iterator[Table]]
RESULTS = Path("docs/measured.md")


def benchmarks() -> dict[str, Measure]:
    """Every benchmark by the name of its module."""
    found = {}
    for module in pkgutil.iter_modules(bench.__path__):
        if not module.name.startswith("_"):
            loaded = importlib.import_module(f"bench.{module.name}")
            if hasattr(loaded, "measure"):
                found[module.name] = loaded.measure
    return found


def main() -> None:
    known = benchmarks()
    parser = argparse.ArgumentParser(prog="python -m bench", description="Measure this machine.")
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"of {', '.join(known)}; all")
    parser.add_argument("--quick", action="store_true", help="seconds instead of minutes; noisy")
    parser.add_argument("--out", type=Path, help=f"file to write; a full run writes {RESULTS}")
    arguments = parser.parse_args()
    unknown = set(arguments.names) - known.keys()
    if unknown:
        parser.error(f"no such benchmark: {', '.join(sorted(unknown))}")
    heading = f"# Measured\n\nOn {machine()}."
    parts = [heading + (" Quick run: noisy." if arguments.quick else "")]
    print(parts[0], flush=True)
    for name in arguments.names or known:
        for table in known[name](arguments.quick):
            parts.append(table.markdown())
            print(f"\n{parts[-1]}", flush=True)
    full = not arguments.names and not arguments.quick
    target = arguments.out or (RESULTS if full else None)
    if target is not None:
        target.write_text("\n\n".join(parts) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
