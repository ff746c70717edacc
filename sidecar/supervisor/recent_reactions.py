"""How often each label reacted in the last minutes. Pure."""

from collections import Counter, deque
from typing import Final

WINDOW: Final = 300.0
"""Seconds that are counted."""
STEP: Final = 10.0
"""Seconds that are counted together, so that no number of reactions takes much memory."""


class RecentReactions:
    """Counts reactions by label; times are seconds on any monotonic clock."""

    def __init__(self, window: float = WINDOW, step: float = STEP) -> None:
        self._window = window
        self._step = step
        self._steps: deque[tuple[float, Counter[str]]] = deque()

    def add(self, label: str, now: float) -> None:
        """Count a reaction that started ``now``."""
        self._forget(now)
        if not self._steps or now - self._steps[-1][0] >= self._step:
            self._steps.append((now, Counter()))
        self._steps[-1][1][label] += 1

    def counts(self, now: float) -> dict[str, int]:
        """Reactions of the window by label, the most frequent first."""
        self._forget(now)
        total: Counter[str] = Counter()
        for _, counts in self._steps:
            total.update(counts)
        return dict(total.most_common())

    def _forget(self, now: float) -> None:
        while self._steps and now - self._steps[0][0] >= self._window:
            self._steps.popleft()
