"""Shares and rates with what chance leaves open: 95 % intervals, means over people."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from math import sqrt

import numpy as np

_Z = 1.959964
"""Of the normal distribution: 95 % lie within so many standard deviations."""
_HOUR = 3600.0


@dataclass(frozen=True, slots=True)
class Interval:
    """Where a value lies with 95 % confidence."""

    low: float
    high: float


@dataclass(frozen=True, slots=True)
class Share:
    """So many ``hits`` ``of`` all."""

    hits: int
    of: int

    @property
    def value(self) -> float:
        """0–1; 0 of nothing."""
        return self.hits / self.of if self.of else 0.0

    @property
    def interval(self) -> Interval:
        """Wilson's score interval (Wilson 1927): the items count as independent."""
        if not self.of:
            return Interval(0.0, 1.0)
        n, p, z2 = self.of, self.value, _Z * _Z
        middle = (p + z2 / (2 * n)) / (1 + z2 / n)
        half = _Z * sqrt(p * (1 - p) / n + z2 / (4 * n * n)) / (1 + z2 / n)
        return Interval(max(0.0, middle - half), min(1.0, middle + half))


@dataclass(frozen=True, slots=True)
class HourlyRate:
    """So many events (``count``) in ``seconds``."""

    count: int
    seconds: float

    @property
    def per_hour(self) -> float:
        """Events an hour; 0 in no time."""
        return self.count * _HOUR / self.seconds if self.seconds > 0 else 0.0

    @property
    def interval(self) -> Interval:
        """Byar's approximation of the Poisson interval (Breslow & Day 1987), events an hour."""
        if self.seconds <= 0:
            return Interval(0.0, float("inf"))
        hours = self.seconds / _HOUR
        low = _byar(self.count, -_Z) if self.count else 0.0
        return Interval(low / hours, _byar(self.count + 1, _Z) / hours)


def _byar(count: int, z: float) -> float:
    return float(count * max(0.0, 1 - 1 / (9 * count) + z / (3 * sqrt(count))) ** 3)


def share_of(judged: Iterable[bool]) -> Share:
    """How many of ``judged`` are true."""
    every = list(judged)
    return Share(sum(every), len(every))


def mean_over(people: Mapping[str, Share]) -> float:
    """The mean of the shares of all ``people`` of whom there is anything; each counts the same."""
    values = [share.value for share in people.values() if share.of]
    return sum(values) / len(values) if values else 0.0


def bootstrap(values: Sequence[float], *, rounds: int = 2000, seed: int = 0) -> Interval:
    """The interval of the mean of ``values`` (one a person or source), by drawing them again.

    Percentiles of ``rounds`` means (Efron 1979). Wide where there are few, as it should be.
    """
    if not values:
        return Interval(0.0, 1.0)
    rng = np.random.default_rng(seed)
    drawn = rng.choice(np.asarray(values, np.float64), (rounds, len(values)))
    low, high = np.percentile(drawn.mean(axis=1), (2.5, 97.5))
    return Interval(float(low), float(high))
