"""Where a series of numbers changes direction: swings of a hand, syllables, nods. Pure."""

from collections.abc import Sequence


def find_turns(values: Sequence[float], swing: float) -> list[int]:
    """Where ``values`` turn by at least ``swing``: indices of alternating extremes.

    The first entry is where the first swing begins, the last one where the newest has got to.
    """
    turns: list[int] = []
    low = high = newest = 0
    rising = True
    for index, value in enumerate(values):
        if not turns:
            low = index if value <= values[low] else low
            high = index if value >= values[high] else high
            if values[high] - values[low] >= swing:
                rising = high > low
                turns, newest = [low if rising else high], index
        elif (value >= values[newest]) is rising:
            newest = index
        elif abs(value - values[newest]) >= swing:
            turns.append(newest)
            rising, newest = not rising, index
    return [*turns, newest] if turns else [0]
