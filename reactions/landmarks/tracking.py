"""What one sample hands on to the next of the same participant."""

from collections.abc import Iterable
from dataclasses import dataclass

from reactions.landmarks.gates import Fingerprint
from reactions.landmarks.roi import Roi

_SAME_HAND = 0.5
"""Regions that overlap more (intersection over union) hold the same hand."""


@dataclass(frozen=True, slots=True)
class HandTrail:
    """Where hands were, and how many samples ago palms were last looked for."""

    regions: tuple[Roi, ...] = ()
    unsearched: int = 0


@dataclass(frozen=True, slots=True)
class Tracks:
    """Where things were, in pixels of a ``width`` x ``height`` sample.

    A small value without any array: it is pickled along with its sample to whichever worker is
    free, and workers keep nothing.
    """

    width: int
    height: int
    fingerprint: Fingerprint
    hands: HandTrail | None = None
    """None: never looked for."""
    face: Roi | None = None
    body: Roi | None = None


def new_among(region: Roi, known: Iterable[Roi]) -> bool:
    """Whether ``region`` holds another hand than each of ``known``."""
    return all(region.overlap(other) <= _SAME_HAND for other in known)
