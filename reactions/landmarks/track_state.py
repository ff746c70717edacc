"""What one sample hands to the next of the same participant: regions and fingerprints."""

import math
from collections.abc import Iterable
from dataclasses import dataclass, field

from reactions.compact_pickle import CompactPickle
from reactions.landmarks.body_schedule import BodyTrail
from reactions.landmarks.detail_looks import DetailTrail
from reactions.landmarks.frame_quality import Fingerprint
from reactions.landmarks.roi import Roi
from reactions.landmarks.second_looks import SecondLooks

_SAME_HAND = 0.5
"""Regions that overlap more (intersection over union) hold the same hand."""


@dataclass(frozen=True, slots=True)
class HandTrail(CompactPickle):
    """Where hands were, and the state of the search for more."""

    regions: tuple[Roi, ...] = ()
    unsearched: int = 0
    """Samples since palms were last looked for."""
    searched: float = -math.inf
    """When palms were last looked for, in seconds on the clock of the samples."""
    searches: int = 0
    looks: SecondLooks = field(default_factory=SecondLooks)


@dataclass(frozen=True, slots=True)
class FaceTrail(CompactPickle):
    """Where the face was, and the state of the search for it."""

    region: Roi | None = None
    searches: int = 0
    detail: DetailTrail = field(default_factory=DetailTrail)


@dataclass(frozen=True, slots=True)
class PersonTrack(CompactPickle):
    """Where one person's face was last seen, in pixels of the sample."""

    slot: int
    region: Roi
    seen: float
    """When, on the clock of the samples."""


@dataclass(frozen=True, slots=True)
class PeopleTrail(CompactPickle):
    """The people besides the main one, and the state of the search for more."""

    slot: int = 0
    """The main person's."""
    main: Roi | None = None
    """Where the main face was in the newest sample that had one."""
    others: tuple[PersonTrack, ...] = ()
    lost: tuple[PersonTrack, ...] = ()
    unsearched: int = 0
    """Samples since the last search for more people, or since the first sample."""


@dataclass(frozen=True, slots=True)
class Tracks(CompactPickle):
    """Where things were, in pixels of a ``width`` x ``height`` sample.

    A small value without any array: it is pickled along with its sample to whichever worker is
    free, and workers keep nothing.
    """

    width: int
    height: int
    fingerprint: Fingerprint
    hands: HandTrail | None = None
    """None: never looked for; so with the others."""
    face: FaceTrail | None = None
    body: BodyTrail | None = None
    unlooked: int = 99
    """Samples since vessels were looked for."""
    refine: bool = True
    """Whether hands that are found by a first search are read a second time."""
    people: PeopleTrail | None = None


def new_among(region: Roi, known: Iterable[Roi]) -> bool:
    """Whether ``region`` holds another hand than each of ``known``."""
    return all(region.overlap(other) <= _SAME_HAND for other in known)
