"""Which rooms of a server a look asks for: all where they are few, else some in turn. Pure.

With many rooms there are many workers. One that asks in each look for four times as many rooms as
it has itself, in an order of its own, needs no word of the others: together they come by each room
twice a second, however many there are.
"""

import random
from collections import deque
from collections.abc import Collection
from typing import Final

FEWEST: Final = 16
"""Rooms of a look at least; a server that takes long for them is looked at more seldom."""
FIRST: Final = 128
"""Rooms of the first look at most, whose requests were not timed yet."""
SMALL: Final = 32
"""Rooms that a look may have though we have few ourselves."""
PER_JOB: Final = 4
"""Rooms of a look by those of our own: half of them were in the look before."""


class RoomTurns:
    """The order of the rooms; ``budget`` is what a look may take, in seconds."""

    def __init__(self, budget: float, chance: random.Random | None = None) -> None:
        self.size = FIRST
        """Rooms that the server answers in the budget."""
        self._budget = budget
        # An order that differs from those of other workers; no secret.
        self._chance = chance or random.Random()  # noqa: S311
        self._known: set[str] = set()
        self._waiting: deque[str] = deque()

    def limit(self, jobs: int) -> int:
        """Rooms of the next look, where we have ``jobs`` and follow no more than half of these."""
        return min(self.size, _wanted(jobs))

    def take(self, rooms: Collection[str], followed: Collection[str], jobs: int) -> list[str]:
        """The names of those of ``rooms`` to ask for now, where we have ``jobs`` in others.

        Those that are ``followed``, as it is not known yet whether a server works on them, beyond
        half of a look if the budget has place; then new rooms, then all others in turn.
        """
        present = set(rooms)
        new, self._known = present - self._known, present
        wanted, open_ones = _wanted(jobs), present & set(followed)
        limit = min(self.size, max(wanted, wanted // 2 + len(open_ones)))
        if len(present) <= limit:
            self._waiting.clear()
            return list(present)
        self._waiting.extendleft(self._shuffled(new))
        taken = set(self._shuffled(open_ones)[: max(limit // 2, limit - wanted // 2)])
        while len(taken) < limit:
            if not self._waiting:
                self._waiting.extend(self._shuffled(present))
            if (name := self._waiting.popleft()) in present:
                taken.add(name)
        return list(taken)

    def took(self, rooms: int, seconds: float) -> None:
        """A look at so many rooms took so long: the next one is to keep the budget."""
        if rooms and seconds > 0:
            fitting = int(rooms / seconds * self._budget)
            self.size = max(FEWEST, min(2 * self.size, fitting))

    def _shuffled(self, names: Collection[str]) -> list[str]:
        mixed = sorted(names)
        self._chance.shuffle(mixed)
        return mixed


def _wanted(jobs: int) -> int:
    """Rooms of a look, half of which were in the look before."""
    return max(SMALL, PER_JOB * jobs)
