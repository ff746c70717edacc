"""Values that are pickled by their constructor come back as they were."""

import pickle
from dataclasses import dataclass

from reactions.compact_pickle import CompactPickle
from reactions.geometry import Box


@dataclass(frozen=True, slots=True)
class Trail(CompactPickle):
    boxes: tuple[Box, ...]
    since: float
    count: int = 0


def test_a_value_comes_back_equal() -> None:
    trail = Trail((Box(0.1, 0.2, 0.3, 0.4),), float("inf"), 3)
    assert pickle.loads(pickle.dumps(trail)) == trail


def test_it_is_pickled_as_a_call_of_its_class() -> None:
    assert Box(0.1, 0.2, 0.3, 0.4).__reduce__() == (Box, (0.1, 0.2, 0.3, 0.4))
