"""Meetings of a day, drawn with a seed: when they begin, how long they last, who comes when.

Nothing here is measured: the curve of a day, the sizes and the lengths are assumptions, which
docs/scale.md states.
"""

import math
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

HOURS: Final = (
    2,
    1,
    1,
    1,
    1,
    2,
    4,
    10,
    30,
    60,
    75,
    70,
    45,
    55,
    70,
    65,
    50,
    30,
    18,
    12,
    10,
    8,
    5,
    3,
)
"""Beginnings by hour of a working day, relative to each other."""
ON_THE_HALF_HOUR: Final = 0.6
"""Share of meetings that begin within ``SPREAD`` of a full or half hour; calendars do that."""
SPREAD: Final = 90.0
"""Seconds, standard deviation."""
MEDIAN_LENGTH, LENGTH_SIGMA = 30 * 60.0, 0.6
"""Seconds and the logarithm's standard deviation: the mean is 36 minutes."""
LEAST, MEAN, MOST = 2, 4.0, 16
"""Cameras of a meeting."""
ARRIVAL: Final = 60.0
"""Seconds after which a participant comes, on average: exponential."""
HALF_HOUR: Final = 1800.0


@dataclass(frozen=True, slots=True)
class DrawnMeeting:
    """One meeting; times in seconds since midnight."""

    name: str
    begins: float
    ends: float
    joins: tuple[float, ...]
    """When each participant comes; the first with the beginning."""


def draw_meetings(count: int, seed: int, hours: tuple[int, ...] = HOURS) -> list[DrawnMeeting]:
    """``count`` meetings in the order of their beginnings."""
    chance = np.random.default_rng(seed)
    begins = np.sort(_beginnings(count, hours, chance))
    lengths = np.maximum(120.0, chance.lognormal(math.log(MEDIAN_LENGTH), LENGTH_SIGMA, count))
    more = chance.geometric(1 / (MEAN - LEAST + 1), count) - 1
    sizes = np.minimum(LEAST + more, MOST)
    return [
        _meeting(number, float(begin), float(length), int(size), chance)
        for number, (begin, length, size) in enumerate(zip(begins, lengths, sizes, strict=True))
    ]


def _beginnings(
    count: int, hours: tuple[int, ...], chance: np.random.Generator
) -> NDArray[np.float64]:
    weights = np.asarray(hours, dtype=np.float64)
    hour = chance.choice(len(hours), count, p=weights / weights.sum())
    any_time = hour * 3600 + chance.uniform(0, 3600, count)
    sharp = np.round(any_time / HALF_HOUR) * HALF_HOUR + chance.normal(0, SPREAD, count)
    planned = chance.random(count) < ON_THE_HALF_HOUR
    return np.clip(np.where(planned, sharp, any_time), 0, None)


def _meeting(
    number: int, begin: float, length: float, size: int, chance: np.random.Generator
) -> DrawnMeeting:
    later = np.minimum(chance.exponential(ARRIVAL, size - 1), length / 2)
    joins = (begin, *sorted(begin + float(one) for one in later))
    return DrawnMeeting(f"meeting-{number}", begin, begin + length, joins)


def most_at_once(meetings: list[DrawnMeeting]) -> tuple[int, float]:
    """The largest number of meetings at once, and when that is."""
    times = np.array([time for one in meetings for time in (one.begins, one.ends)])
    changes = np.tile([1, -1], len(meetings))
    order = np.argsort(times, kind="stable")
    open_then = np.cumsum(changes[order])
    peak = int(open_then.argmax())
    return int(open_then[peak]), float(times[order][peak])


def draw_day(rooms: int, seed: int) -> list[DrawnMeeting]:
    """A day of which the busiest moment has some ``rooms`` meetings."""
    trial = 2000
    peak, _ = most_at_once(draw_meetings(trial, seed))
    count = round(trial * rooms / peak)
    peak, _ = most_at_once(draw_meetings(count, seed))
    return draw_meetings(round(count * rooms / peak), seed)
