"""The annotate service: requests a second, how long they take, and what they cost.

``hey`` (Debian's package) sends pictures of mannequins, 640x360, eight requests at once: eight of
it send one each, over and over. With streams, each of the eight is a stream of its own. What other
programs take of the machine lowers the rate, and the processor time of a request less: the table
has both.
"""

import csv
import io
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Self

import psutil
from PIL import Image

from bench.care import mannequins
from bench.table import Table
from reactions.mannequin import CAST, POSES, Scene, render
from reactions.pipeline import Care
from sidecar.supervisor.cores import usable_cores

TOKEN = "a-token-of-the-benchmark"
AT_ONCE = 8
PACED = 0.8
"""Share of the rate without a limit, and of the goal, at which waiting is measured."""
STREAMS_GOAL, PICTURES_GOAL = 100.0, 60.0
"""Requests a second that two cores are to answer, with streams and without (docs/annotate.md)."""
SHOWN: Mapping[str, Sequence[str]] = {
    "a meeting": (
        *("neutral", "smile", "neutral", "laugh", "neutral", "neutral"),
        *("thumbs_up", "double_victory"),
    ),
    "a hand": ("thumbs_up",),
    "no hand": ("neutral",),
}
"""The poses of the pictures that are sent, by what they show: each sender has the next person and
pose. In a meeting six of eight show no hand, one shows one and one two: more hands than the usual
mix has (docs/measured.md: 85, 10 and 5 %)."""


@dataclass(frozen=True, slots=True)
class CpuSeconds:
    """Processor time, user and system, since each process began."""

    server: float
    workers: float
    clients: float

    @classmethod
    def now(cls, server: psutil.Process) -> Self:
        """Of ``server``, its children, and what we have started and waited for."""
        ours = os.times()
        workers = sum(map(_cpu, server.children(recursive=True)))
        return cls(_cpu(server), workers, ours.children_user + ours.children_system)

    def since(self, before: Self) -> tuple[float, float, float]:
        """Seconds of server, workers and clients."""
        return (
            self.server - before.server,
            self.workers - before.workers,
            self.clients - before.clients,
        )


def _cpu(process: psutil.Process) -> float:
    times = process.cpu_times()
    return float(times.user + times.system)


@dataclass(slots=True)
class Load:
    """What came of requests: seconds each, and how many were not answered 200."""

    seconds: float
    """That the requests were sent for."""
    times: list[float] = field(default_factory=list)
    failed: int = 0

    @property
    def rate(self) -> float:
        """Requests a second."""
        return len(self.times) / self.seconds

    def quantile(self, percent: int) -> float:
        """Milliseconds in which ``percent`` of the requests were answered."""
        return 1000 * statistics.quantiles(self.times, n=100)[percent - 1]

    def take(self, output: str) -> None:
        """Add hey's CSV."""
        for row in csv.DictReader(io.StringIO(output)):
            if row["status-code"] == "200":
                self.times.append(float(row["response-time"]))
            else:
                self.failed += 1


@dataclass(frozen=True, slots=True)
class Target:
    """A server that runs."""

    url: str
    server: psutil.Process

    def streams(self, pictures: Sequence[Path], seconds: float, rate: float | None) -> Load:
        """A stream of each picture; ``rate`` is of all together, None for as many as can be."""
        names = [f"{picture.stem}-{seconds}-{rate}" for picture in pictures]
        each = [["-H", f"Sidecar-Stream: {name}"] for name in names]
        return self._run(pictures, seconds, rate, each)

    def pictures(
        self, pictures: Sequence[Path], seconds: float, rate: float | None, care: Care
    ) -> Load:
        """Pictures without a past."""
        return self._run(pictures, seconds, rate, [[]] * len(pictures), f"?care={care}")

    def _run(
        self,
        pictures: Sequence[Path],
        seconds: float,
        rate: float | None,
        options: Sequence[Sequence[str]],
        query: str = "",
    ) -> Load:
        """One ``hey`` a picture, each with its ``options`` and on one core."""
        common = ["hey", "-o", "csv", "-m", "POST", "-T", "image/jpeg", "-c", "1", "-cpus", "1"]
        common += ["-H", f"Authorization: Bearer {TOKEN}", "-z", f"{seconds}s"]
        if rate is not None:
            common += ["-q", f"{rate / AT_ONCE:.2f}"]
        commands = [
            [*common, "-D", str(picture), *more, self.url + query]
            for picture, more in zip(pictures, options, strict=True)
        ]
        running = [
            subprocess.Popen(command, stdout=subprocess.PIPE, text=True) for command in commands
        ]
        load = Load(seconds)
        for process in running:
            load.take(process.communicate(timeout=120)[0])
        return load


def measure(quick: bool) -> Iterator[Table]:
    """Rates, waits and costs by care, and what each care recognises."""
    if shutil.which("hey") is None:
        raise SystemExit("hey is missing: apt-get install hey")
    yield _rates(4.0 if quick else 15.0)
    yield mannequins(quick)


def _rates(seconds: float) -> Table:
    cores, load = usable_cores(), os.getloadavg()[0]
    table = Table(
        "Annotate service: requests a second",
        (
            *("requests", "requests/s", "sent/s then", "p50 ms", "p95 ms", "p99 ms"),
            *("sent/s at 80 % of the goal", "p99 ms there", "not 200"),
            *("CPU ms", "of server", "of workers", "of hey", f"{cores:g} idle cores/s"),
        ),
        f"`sidecar serve` with its defaults on this machine, whose load was {load:.1f} before; "
        f"`hey`, {AT_ONCE} at once, JPEG of 640x360 pixels. The times are at {PACED:.0%} of the "
        f"rate, and then at {PACED:.0%} of the goal ({STREAMS_GOAL:g} with streams, "
        f"{PICTURES_GOAL:g} without, for `care=none`). CPU: processor time of a request without "
        "that limit, user and system, in all and of each. The last "
        f"column is computed: the rate at which that time fills {cores:g} cores.",
    )
    with _served() as (target, pictures):
        for shown, sent in pictures.items():
            streams = partial(target.streams, sent)
            streams(2.0, None)
            name = f"frames of 8 streams, {shown}"
            _add(table, name, target.server, seconds, streams, STREAMS_GOAL)
            for care in Care:
                singly = partial(target.pictures, sent, care=care)
                name = f"pictures, {shown}, care={care}"
                goal = PICTURES_GOAL if care is Care.NONE else None
                _add(table, name, target.server, seconds, singly, goal)
    return table


def _add(
    table: Table,
    name: str,
    server: psutil.Process,
    seconds: float,
    run: Callable[[float, float | None], Load],
    goal: float | None,
) -> None:
    before = CpuSeconds.now(server)
    free = run(seconds, None)
    spent = [1000 * part / len(free.times) for part in CpuSeconds.now(server).since(before)]
    paced = run(seconds, PACED * free.rate)
    waits = (paced.quantile(percent) for percent in (50, 95, 99))
    at_goal = run(seconds, PACED * goal) if goal else None
    there = (at_goal.rate, at_goal.quantile(99)) if at_goal else ("–", "–")
    failed = free.failed + paced.failed + (at_goal.failed if at_goal else 0)
    total = sum(spent)
    possible = 1000 * usable_cores() / total
    table.add(name, free.rate, paced.rate, *waits, *there, failed, total, *spent, possible)


@contextmanager
def _served() -> Iterator[tuple[Target, Mapping[str, Sequence[Path]]]]:
    """A server, and the pictures to send by what they show."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        pictures = {shown: draw_senders(poses, folder) for shown, poses in SHOWN.items()}
        server = psutil.Popen(
            [sys.executable, "-m", "sidecar", "serve", "--port", "0"],
            env=_environment(folder),
            stdout=subprocess.PIPE,
            text=True,
        )
        try:
            line = next(line for line in server.stdout if "The API is at" in line)
            yield Target(line.split()[4] + "/annotate", server), pictures
        finally:
            server.terminate()
            server.wait(timeout=30)


def draw_senders(poses: Sequence[str], folder: Path) -> Sequence[Path]:
    """A picture for each of the senders, drawn into ``folder``."""
    people, paths = list(CAST.values()), []
    for number in range(AT_ONCE):
        pose = poses[number % len(poses)]
        paths.append(folder / f"{number}-{pose}.jpg")
        pixels = render(people[number % len(people)], POSES[pose], Scene(), 640, 360)
        Image.fromarray(pixels).save(paths[-1], quality=90)
    return paths


def _environment(folder: Path) -> Mapping[str, str]:
    return {
        **os.environ,
        "SIDECAR_API_TOKEN": TOKEN,
        "SIDECAR_SERVE__JOURNAL": str(folder / "journal.db"),
        "SIDECAR_SERVE__REQUESTS_PER_SECOND": "10000",
        "SIDECAR_SERVE__DRAIN_TIMEOUT": "0",
    }
