"""What a detector costs beside the detector of cups, measured by turns in one run."""

import time
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Final

from reactions.landmarks.interpreter import load_interpreter

_TURNS: Final = 25


@dataclass(frozen=True, slots=True)
class DetectorSpeed:
    """Milliseconds of processor time a run of the model alone, one thread; medians."""

    ours: float
    cups: float | None
    """Of the detector of cups, 300x300; None where it is not here."""


def compare_speed(detector: Path, cups: Path | None) -> DetectorSpeed:
    """Run both in turn, so that what else the machine does slows both."""
    sessions = [load_interpreter(path) for path in (detector, cups) if path is not None]
    spent: list[list[float]] = [[] for _ in sessions]
    for _ in range(_TURNS):
        for session, times in zip(sessions, spent, strict=True):
            began = time.thread_time()
            session.invoke()
            times.append(1000 * (time.thread_time() - began))
    ours, *others = (round(median(times), 2) for times in spent)
    return DetectorSpeed(ours, others[0] if others else None)
