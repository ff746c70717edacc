"""Starting places of an effect's particles, and movements that loop."""

from random import Random

from gifs.art.keyframes import Keys, keys


def stratified(random: Random, count: int) -> list[float]:
    """``count`` numbers in 0–1 in random order, evenly spread: dice alone would clump."""
    cells = list(range(count))
    random.shuffle(cells)
    return [(cell + random.random()) / count for cell in cells]


def travel(start: float, end: float, phase: float) -> Keys:
    """Steady movement from ``start`` to ``end`` over the whole loop, begun at ``phase``."""
    here = start + (end - start) * ((1 - phase) % 1)
    if phase % 1 == 0:
        return keys((0, start, "linear"), (0.9999, end, "hold"))
    return keys(
        (0, here, "linear"), (phase - 1e-4, end, "hold"), (phase, start, "linear"), (0.9999, here)
    )


def offset(values: Keys, by: float) -> Keys:
    """The same movement somewhere else."""
    return Keys(tuple((key[0], key[1] + by, *key[2:]) for key in values.keys))


def window(begin: float, length: float) -> Keys:
    """1 for ``length`` of the loop from ``begin`` on, 0 for the rest."""
    return keys((begin % 1, 1.0, "hold"), ((begin + length) % 1, 0.0, "hold"))


def repeat(start: float, end: float, phase: float, times: int) -> Keys:
    """Steady movement from ``start`` to ``end``, ``times`` in a loop."""
    span = 1 / times
    phase %= span
    here = start + (end - start) * (span - phase) / span
    items: list[tuple[float, float, str]] = [(0.0, here, "linear")] if phase > 1e-3 else []
    for i in range(times):
        begin = phase + i * span
        if begin > 1e-3:
            items.append((begin - 1e-4, end, "hold"))
        items.append((begin, start, "linear"))
    items.append((0.9999, here if phase > 1e-3 else end, "linear"))
    return keys(*items)
