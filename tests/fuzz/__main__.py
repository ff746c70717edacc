"""``python -m tests.fuzz``: hostile inputs for every target, and a table of what came of them."""

import argparse
import sys
import time

from tests.fuzz.runner import all_targets, run_targets


def main() -> int:
    """Exit status 1 where an input was a fault."""
    parser = argparse.ArgumentParser(prog="python -m tests.fuzz", description=__doc__)
    parser.add_argument("targets", nargs="*", help="beginnings of names; all of them if none")
    parser.add_argument("--seconds", type=float, default=120, help="in all (120)")
    parser.add_argument("--inputs", type=int, default=sys.maxsize, help="at most, each target")
    parser.add_argument("--seed", type=int, default=time.time_ns(), help="to run it again")
    options = parser.parse_args()
    chosen = [
        target
        for target in all_targets()
        if not options.targets or target.name.startswith(tuple(options.targets))
    ]
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
        faults += count.faults
        total += count.inputs
    print(f"fuzz: {total} inputs, {faults} faults")
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
