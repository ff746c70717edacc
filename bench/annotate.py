"""The annotate service: requests a second, how long they take, and what each care recognises.

``hey`` (Debian's package) sends one picture of a mannequin, 640x360, eight requests at once. With
streams, each of the eight is a stream; a picture that stays the same for two seconds counts as a
frozen camera and is not looked at, so that a round is shorter and the next has streams of its own.
"""

import csv
import io
import itertools
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

from PIL import Image

from bench.recognition import cells, related
from bench.table import Table
from config.reaction_table import load_reaction_table
from config.settings import Settings
from reactions.labels import LABELS
from reactions.landmark_types import Sample
from reactions.mannequin import CAST, FAR, LOOKALIKES, MEDIUM, POSES, Scene, render
from reactions.pipeline import Care, first_memory
from sidecar.session.factories import make_pipeline, make_store
from sidecar.session.stills import label_reports

TOKEN = "a-token-of-the-benchmark"
AT_ONCE = 8
ROUND = 1.8
"""Seconds with the same streams."""
PACED = 0.8
"""Share of the rate without a limit at which waiting is measured."""

_rounds = itertools.count()


@dataclass(slots=True)
class Load:
    """What came of requests: seconds each, and how many were not answered 200."""

    seconds: float = 0.0
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
    """A server that runs and the picture that is sent to it."""

    url: str
    picture: Path

    def streams(self, seconds: float, rate: float | None) -> Load:
        """Eight streams; ``rate`` is of all together, None for as many as there can be."""
        load = Load()
        while load.seconds < seconds:
            number = next(_rounds)
            self._run(
                load,
                [
                    ["-c", "1", "-z", f"{ROUND}s", "-H", f"Sidecar-Stream: {number}-{stream}"]
                    + ([] if rate is None else ["-q", f"{rate / AT_ONCE:.2f}"])
                    for stream in range(AT_ONCE)
                ],
            )
            load.seconds += ROUND
        return load

    def pictures(self, seconds: float, rate: float | None, care: Care) -> Load:
        """Pictures without a past."""
        load = Load(seconds)
        pace = [] if rate is None else ["-q", f"{rate / AT_ONCE:.2f}"]
        self._run(load, [["-c", str(AT_ONCE), "-z", f"{seconds}s", *pace]], f"?care={care}")
        return load

    def _run(self, load: Load, commands: Sequence[Sequence[str]], query: str = "") -> None:
        common = ["hey", "-o", "csv", "-m", "POST", "-T", "image/jpeg", "-D", str(self.picture)]
        token = ["-H", f"Authorization: Bearer {TOKEN}"]
        running = [
            subprocess.Popen(
                [*common, *token, *more, self.url + query], stdout=subprocess.PIPE, text=True
            )
            for more in commands
        ]
        for process in running:
            load.take(process.communicate(timeout=120)[0])


def measure(quick: bool) -> Iterator[Table]:
    """Rates and waits by care, and what each care recognises."""
    if shutil.which("hey") is None:
        raise SystemExit("hey is missing: apt-get install hey")
    yield _rates(3.6 if quick else 14.4)
    yield _accuracy(quick)


def _rates(seconds: float) -> Table:
    table = Table(
        "Annotate service: requests a second",
        ("requests", "requests/s", "sent/s then", "p50 ms", "p95 ms", "p99 ms", "not 200"),
        f"`sidecar serve` with its defaults on this machine; `hey`, {AT_ONCE} at once, JPEG of "
        f"640x360 pixels. The times are at {PACED:.0%} of the rate.",
    )
    with _served() as target:
        target.streams(ROUND, None)
        _add(table, "frames of 8 streams", partial(target.streams, seconds))
        for care in Care:
            _add(table, f"pictures, care={care}", partial(target.pictures, seconds, care=care))
    return table


def _add(table: Table, name: str, run: Callable[[float | None], Load]) -> None:
    free = run(None)
    paced = run(PACED * free.rate)
    waits = (paced.quantile(percent) for percent in (50, 95, 99))
    table.add(name, free.rate, paced.rate, *waits, free.failed + paced.failed)


@contextmanager
def _served() -> Iterator[Target]:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        picture = folder / "picture.jpg"
        person = next(iter(CAST.values()))
        Image.fromarray(render(person, POSES["thumbs_up"], Scene(), 640, 360)).save(
            picture, quality=90
        )
        server = subprocess.Popen(
            [sys.executable, "-m", "sidecar", "serve", "--port", "0"],
            env=_environment(folder),
            stdout=subprocess.PIPE,
            text=True,
        )
        try:
            assert server.stdout is not None
            line = next(line for line in server.stdout if "The API is at" in line)
            yield Target(line.split()[4] + "/annotate", picture)
        finally:
            server.terminate()
            server.wait(timeout=30)


def _environment(folder: Path) -> Mapping[str, str]:
    return {
        **os.environ,
        "SIDECAR_API_TOKEN": TOKEN,
        "SIDECAR_SERVE__JOURNAL": str(folder / "journal.db"),
        "SIDECAR_SERVE__REQUESTS_PER_SECOND": "10000",
        "SIDECAR_SERVE__DRAIN_TIMEOUT": "0",
    }


def _accuracy(quick: bool) -> Table:
    where = list(cells((1, 7) if quick else (0, 3, 6, 9), (MEDIUM, FAR), (0.0, 20.0)))
    table = Table(
        "Annotate service: what each care recognises",
        ("care", "ms a picture", "poses named %", "others fire %", "look-alikes fire %"),
        f"Single pictures of mannequins, {len(where)} combinations of skin tone, distance (medium "
        "and far) and yaw: poses whose own label fires, or another too; look-alikes on which any "
        "label fires.",
    )
    settings, rules = Settings(), load_reaction_table(LABELS, environ={})
    pipeline = make_pipeline(make_store(settings), rules, settings)
    for care in Care:
        tally = Tally()
        for cell, (name, pose) in itertools.product(where, [*POSES.items(), *LOOKALIKES.items()]):
            if name == "wave":
                continue
            shown = render(cell.person, pose, cell.scene, 640, 360)
            detection = pipeline.detect(Sample(shown, 0.0), first_memory(care, 640, 360))
            firing = {one.label for one in label_reports(detection, rules) if one.fires}
            tally.add(name, firing, firing - related(name, rules), detection.milliseconds)
        table.add(care, *tally.cells())
    return table


@dataclass(slots=True)
class Tally:
    """What single pictures showed."""

    times: list[float] = field(default_factory=list)
    named: list[bool] = field(default_factory=list)
    """Of each pose, whether its own label fired."""
    wrong: list[bool] = field(default_factory=list)
    """Of each pose, whether another fired."""
    fooled: list[bool] = field(default_factory=list)
    """Of each look-alike, whether any fired."""

    def add(self, name: str, firing: Collection[str], wrong: Collection[str], ms: float) -> None:
        """Count one picture of the pose or look-alike ``name``."""
        self.times.append(ms)
        if name in POSES:
            self.named.append(name in firing)
            self.wrong.append(bool(wrong))
        else:
            self.fooled.append(bool(wrong))

    def cells(self) -> tuple[float, ...]:
        """Median milliseconds, and percentages."""
        shares = (100 * statistics.fmean(one) for one in (self.named, self.wrong, self.fooled))
        return statistics.median(self.times), *shares
