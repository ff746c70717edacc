"""What one sample costs in two versions: ``python -m bench.detection_versions CHECKOUT``.

CHECKOUT is a work tree of another version (``git worktree add CHECKOUT COMMIT``). Each version runs
in a process of its own, with the libraries of this environment, on the same pictures; they take
turns, scene by scene, so that a busy machine is as busy for one as for the other.
"""

import argparse
import os
import statistics
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np

from bench.detection import MIX, RATE, WARM_UP, scenes
from bench.table import Table, machine
from reactions.mannequin import CAST, Scene, render
from reactions.mannequin.choreography import idle

ROUNDS = 7
SAMPLES = 60
_CHILD = """
import inspect, sys, time
import numpy as np
from pathlib import Path
from config.reaction_table import load_reaction_table
from reactions import labels
from reactions.landmark_types import Sample
from reactions.landmarks.model_store import ModelStore
from reactions.pipeline import RecognitionPipeline

folder, rate, warm_up, every = Path(sys.argv[1]), float(sys.argv[2]), int(sys.argv[3]), sys.argv[4]
# Versions before 30 November read a table by thresholds, later ones by specs.
by = next(iter(inspect.signature(load_reaction_table).parameters))
known = labels.THRESHOLDS if by == "thresholds" else labels.LABELS
table = load_reaction_table(known)
names = [name for name in known if every == "all" or table[name].kind.value != "off"]
detector = RecognitionPipeline(ModelStore(), names)
pictures = {path.stem: np.load(path) for path in folder.glob("*.npy")}
print(len(names), flush=True)
for line in sys.stdin:
    memory, spent = None, []
    for n, picture in enumerate(pictures[line.strip()]):
        began = time.process_time()
        memory = detector.detect(Sample(picture, n / rate), memory).memory
        spent.append(time.process_time() - began)
    kept = sorted(spent[warm_up:])
    kept = kept[: max(1, int(len(kept) * 0.9))]
    print(1000 * sum(kept) / len(kept), flush=True)
"""


@dataclass(frozen=True, slots=True)
class Version:
    """A checkout, and which of its labels are on."""

    name: str
    checkout: Path
    every: bool
    """Also the labels that ship as off."""


@dataclass(slots=True)
class Contestant:
    """A version at work in its process."""

    version: Version
    process: subprocess.Popen[str]
    labels: int
    """How many are on."""
    costs: dict[str, list[float]] = field(default_factory=dict)
    """CPU ms a sample, by scene, a figure a round."""

    def take(self, scene: str) -> None:
        """Detect all pictures of ``scene``, and keep what a sample costs."""
        assert self.process.stdin is not None
        print(scene, file=self.process.stdin, flush=True)
        self.costs.setdefault(scene, []).append(float(_line(self.process)))

    @property
    def mixes(self) -> list[float]:
        """The cost in the webcam mix, a figure a round."""
        rounds = zip(*(self.costs[scene] for scene in MIX), strict=True)
        shares = MIX.values()
        return [sum(s * c for s, c in zip(shares, costs, strict=True)) for costs in rounds]


def started(version: Version, pictures: Path, stack: ExitStack) -> Contestant:
    """``version`` in a process that ends with ``stack``. Raises RuntimeError if it can't start."""
    options = [str(pictures), str(RATE), str(WARM_UP), "all" if version.every else "shipped"]
    process = stack.enter_context(
        subprocess.Popen(
            [sys.executable, "-c", _CHILD, *options],
            cwd=version.checkout,
            env={**os.environ, "PYTHONPATH": str(version.checkout), "OMP_NUM_THREADS": "1"},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
    )
    stack.callback(process.kill)
    return Contestant(version, process, int(_line(process)))


def _line(process: subprocess.Popen[str]) -> str:
    assert process.stdout is not None
    line = process.stdout.readline()
    if not line:
        raise RuntimeError("a version ended early: see its error above")
    return line


def draw(folder: Path, count: int) -> None:
    """Write ``count`` pictures of each scene, after those that warm up."""
    person = next(iter(CAST.values()))
    for name, pose in scenes().items():
        drawn = [
            render(person, idle(pose, n / RATE), Scene(), seed=n) for n in range(count + WARM_UP)
        ]
        np.save(folder / f"{name}.npy", np.stack(drawn))


def compare(versions: Sequence[Version], rounds: int, samples: int) -> Table:
    """Rows of costs, the first version's as the measure of the others'."""
    with TemporaryDirectory() as folder, ExitStack() as stack:
        draw(Path(folder), samples)
        running = [started(version, Path(folder), stack) for version in versions]
        for _ in range(rounds):
            for scene in MIX:
                for each in running:
                    each.take(scene)
        return _table(running, rounds, samples)


def _table(running: Sequence[Contestant], rounds: int, samples: int) -> Table:
    table = Table(
        "Two versions, CPU ms a sample of 640x360",
        ("version", "labels on", *MIX, "mix", "of the first"),
        f"Medians of {rounds} rounds of {samples} samples a scene, the versions in turns; the last "
        "column is the median (least–most) of the rounds' ratios.",
    )
    first = running[0].mixes
    for each in running:
        ratios = [mine / its for mine, its in zip(each.mixes, first, strict=True)]
        table.add(
            each.version.name,
            each.labels,
            *_medians(each.costs),
            statistics.median(each.mixes),
            f"{statistics.median(ratios):.2f} ({min(ratios):.2f}–{max(ratios):.2f})",
        )
    return table


def _medians(costs: Mapping[str, Sequence[float]]) -> Iterator[float]:
    return (statistics.median(costs[scene]) for scene in MIX)


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m bench.detection_versions", description=__doc__)
    parser.add_argument("checkout", type=Path, help="a work tree of the version to compare with")
    parser.add_argument("--rounds", type=int, default=ROUNDS)
    parser.add_argument("--samples", type=int, default=SAMPLES, help="a scene and round")
    options = parser.parse_args()
    other, here = options.checkout.resolve(), Path(__file__).resolve().parent.parent
    versions = (
        Version(other.name, other, every=True),
        Version("this one, as shipped", here, every=False),
        Version("this one, everything on", here, every=True),
    )
    print(f"On {machine()}.\n")
    print(compare(versions, options.rounds, options.samples).markdown())


if __name__ == "__main__":
    main()
