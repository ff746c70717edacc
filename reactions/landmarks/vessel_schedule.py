"""When vessels are looked for: soon where a hand may hold one to the mouth, seldom in vain. Pure.

A look costs as much as a hand and a face. People rest their chins on a hand for minutes: where it
keeps still and looks show nothing, they come less and less often.
"""

from dataclasses import dataclass, replace
from math import dist
from typing import Self, TypeAlias

from reactions.compact_pickle import CompactPickle
from reactions.landmarks.sample_pace import NEARLY

Place: TypeAlias = tuple[float, float]

EVERY = 3
"""Samples from one look to the next while a hand is at the mouth."""
RARELY = 12
"""The same at the most, where a hand keeps still and nothing was found."""
_PATIENT = 2
"""Looks in vain that do not yet make them rarer."""
_MOVED = 0.25
"""Face heights (5 cm) by which a hand has moved that may have fetched something."""


@dataclass(frozen=True, slots=True)
class VesselTrail(CompactPickle):
    """The state of the looks for one participant."""

    unlooked: float = 99.0
    """Samples since the last look, each by its pace (``sample_pace``)."""
    misses: int = 0
    """Looks in vain, one after the other, at a hand that kept still."""
    place: Place = (0.0, 0.0)
    """Where that hand was in the last look, from the mouth, in face heights."""

    def passed(self, pace: float) -> Self:
        """The same one sample later, which counts as much as ``pace``."""
        return replace(self, unlooked=self.unlooked + pace)

    def is_due(self, place: Place) -> bool:
        """Whether a hand at ``place`` is to be looked at."""
        waits = 0 if dist(place, self.place) > _MOVED else max(0, self.misses - _PATIENT + 1)
        return self.unlooked >= min(EVERY << waits, RARELY) - NEARLY

    def looked(self, place: Place, *, found: bool) -> Self:
        """The state after a look at a hand at ``place``."""
        still = dist(place, self.place) <= _MOVED
        misses = 0 if found else 1 + self.misses * still
        return replace(self, unlooked=0.0, misses=misses, place=place)
