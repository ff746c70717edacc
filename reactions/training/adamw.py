"""AdamW in numpy, for networks so small that a framework's calls would take most of the time."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import cos, pi
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from reactions.training.checkpoints import MemberState

_Array = npt.NDArray[np.float32]
_WARM_UP: Final = 200
_DECAY: Final = 0.01
_FIRST, _SECOND = 0.9, 0.999
"""Decay of the moments (Loshchilov & Hutter 2019)."""


@dataclass(slots=True, eq=False)
class AdamW:
    """Moves numbers against their slopes, at a rate that warms up and then falls as a cosine does
    over so many ``steps``."""

    steps: int
    rate: float
    slopes: _Array
    """(numbers,): what ``step`` goes by; used up by it."""
    first: _Array
    second: _Array
    done: int = 0

    @classmethod
    def of(cls, values: _Array, steps: int, rate: float) -> "AdamW":
        """For ``values`` (numbers,)."""
        empty = np.zeros_like(values)
        return cls(max(steps, 1), rate, empty, empty.copy(), empty.copy())

    def state(
        self,
        values: _Array,
        random: Mapping[str, Any],
        losses: Sequence[float],
        held_out: Sequence[float],
    ) -> MemberState:
        """What a checkpoint keeps of a member with ``values`` after an epoch."""
        return MemberState(
            values, self.first, self.second, self.done, random, tuple(losses), tuple(held_out)
        )

    def go_on(self, state: MemberState) -> None:
        """Take up the moments that ``state`` kept."""
        self.first[:], self.second[:], self.done = state.first, state.second, state.steps

    def step(self, values: _Array) -> None:
        """Move ``values`` (in place) against the slopes."""
        self.done += 1
        warm = min(1.0, self.done / min(_WARM_UP, max(self.steps // 5, 1)))
        rate = self.rate * warm * 0.5 * (1 + cos(pi * self.done / self.steps))
        work = self.slopes
        self.first *= np.float32(_FIRST)
        self.first += np.float32(1 - _FIRST) * work
        self.second *= np.float32(_SECOND)
        np.multiply(work, work, out=work)
        work *= np.float32(1 - _SECOND)
        self.second += work
        np.sqrt(self.second, out=work)
        work *= np.float32((1 - _SECOND**self.done) ** -0.5)
        work += np.float32(1e-7)
        np.divide(self.first, work, out=work)
        work *= np.float32(rate / (1 - _FIRST**self.done))
        values *= np.float32(1 - rate * _DECAY)
        values -= work
