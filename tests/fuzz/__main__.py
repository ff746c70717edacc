"""``python -m tests.fuzz``: hostile inputs for every target, and a table of what came of them."""

import argparse
import sys
import time
from pathlib import Path

from tests.fuzz.runner import all_targets, run_targets
from tests.fuzz.tally import FuzzTally


def main() -> int:
    """Exit status 1 where an input was a fault."""
    parser = argparse.ArgumentParser(prog="python -m tests.fuzz", description=__doc__)
    parser.add_argument("targets", nargs="*", help="beginnings of names; all of them if none")
    parser.add_argument("--seconds", type=float, default=120, help="in all (120)")
    parser.add_argument("--inputs", type=int, default=sys.maxsize, help="at most, each target")
    parser.add_argument("--seed", type=int, default=time.time_ns(), help="to run it again")
    parser.add_argument("--tally", type=Path, help="JSON file in which runs are added up")
    parser.add_argument("--goal", type=int, help="skip targets with so many inputs in the tally")
    parser.add_argument("--table", action="store_true", help="print the tally and end")
    options = parser.parse_args()
    tally = None if options.tally is None else FuzzTally.read(options.tally)
    if tally is not None and options.table:
        print(*tally.table(), sep="\n")
        return 0
    chosen = [
        target
        for target in all_targets()
        if not options.targets or target.name.startswith(tuple(options.targets))
    ]
    if chosen and tally is not None and options.goal is not None:
        chosen = [target for target in chosen if tally.inputs(target.name) < options.goal]
        if not chosen:
            print("fuzz: the goal is reached")
            return 0
    if not chosen:
        parser.error(f"there is no such target: {', '.join(one.name for one in all_targets())}")
    print(f"fuzz: {len(chosen)} targets, seed {options.seed}", flush=True)
    row = "{:24} {:>9} {:>9} {:>9} {:>7} {:>9} {:>10} {:>5}"
    heads = ("target", "inputs", "accepted", "refused", "faults", "inputs/s", "slowest ms", "MB")
    print(row.format(*heads))
    faults = total = 0
    share = options.seconds / len(chosen)
    for count in run_targets(chosen, seed=options.seed, seconds=share, most=options.inputs):
        rate = count.inputs / max(count.seconds, 0.001)
        slowest = f"{count.slowest * 1000:.0f}"
        numbers = (count.inputs, count.accepted, count.refused, count.faults)
        print(row.format(count.name, *numbers, f"{rate:.0f}", slowest, count.megabytes), flush=True)
        if tally is not None:
            tally.add(count, options.seed)
        faults += count.faults
        total += count.inputs
    print(f"fuzz: {total} inputs, {faults} faults")
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
