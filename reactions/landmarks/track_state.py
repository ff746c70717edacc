"""What one sample hands to the next of the same participant: regions and fingerprints."""

import math
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from typing import Self

from reactions.compact_pickle import CompactPickle
from reactions.landmarks.body_schedule import RESTING, BodyTrail
from reactions.landmarks.detail_looks import DetailTrail
from reactions.landmarks.frame_quality import Fingerprint
from reactions.landmarks.held_hand import HeldHand
from reactions.landmarks.roi import Roi
from reactions.landmarks.second_looks import SecondLooks
from reactions.landmarks.vessel_schedule import VesselTrail
from reactions.packed_face import PackedFace

_SEARCHES = 2
"""Usual samples between two searches for palms, while there is no hand."""
_SAME_HAND = 0.5
"""Regions that overlap more (intersection over union) hold the same hand."""


@dataclass(frozen=True, slots=True)
class HandTrail(CompactPickle):
    """Where hands were, and the state of the search for more."""

    regions: tuple[Roi, ...] = ()
    read_in: tuple[Roi, ...] = ()
    """In which region each was read last: some hands are seen there and not where they will be."""
    unsearched: float = 0.0
    """Samples since palms were last looked for, each counted by its pace (``sample_pace``)."""
    searches: int = 0
    looks: SecondLooks = field(default_factory=SecondLooks)
    lost: Roi | None = None
    """Where one of several hands was lost; None once it is found, and after a second."""
    missed: float = 0.0
    """Usual samples since then."""
    hinted: bool = True
    """Whether arms may be up, crossed or on the head, by the last search (``arm_hints``)."""
    still: float = 0.0
    """Usual samples since much of the picture changed."""

    @property
    def searched(self) -> bool:
        """Whether palms were looked for in the newest sample."""
        return self.unsearched == 0


@dataclass(frozen=True, slots=True)
class FaceTrail(CompactPickle):
    """Where the face was, and the state of the search for it."""

    region: Roi | None = None
    searches: int = 0
    detail: DetailTrail = field(default_factory=DetailTrail)
    unread: float = 0.0
    """Samples since the last reading or search, each by its pace."""
    held: PackedFace | None = None
    """What the last reading saw; None where none was found, and at the usual rate."""

    def left_out(self, pace: float) -> Self:
        """The trail after a sample in which the face was of no interest: what was held is old."""
        unread = self.unread + pace if self.region is None else self.unread
        return replace(self, unread=unread, held=None)


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
    unsearched: float = 0.0
    """Samples since the last search for more people, or since the first one, each by its pace."""


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
    vessels: VesselTrail = field(default_factory=VesselTrail)
    undetected: float = 99.0
    """Samples since a bundle's detector looked, each by its pace."""
    held: tuple[HeldHand, ...] = ()
    """The newest sample's hands, as they were read."""
    refine: bool = True
    """Whether hands that are found by a first search are read a second time."""
    people: PeopleTrail | None = None
    time: float = -math.inf
    """Of the last sample that was read, in seconds on its clock: its quality was OK."""

    def staggered(self, phase: float) -> Self:
        """The same, but the next search for palms and the next body come sooner by the share
        ``phase``, 0–1, of the time between two: streams that begin together, each with a phase of
        its own, have them in turn and not all at once."""
        hands = self.hands
        if hands is not None:
            hands = replace(hands, unsearched=hands.unsearched + phase * _SEARCHES)
        body = replace(self.body or BodyTrail(), unread=phase * RESTING)
        return replace(self, hands=hands, body=body)


def new_among(region: Roi, known: Iterable[Roi]) -> bool:
    """Whether ``region`` holds another hand than each of ``known``."""
    return all(region.overlap(other) <= _SAME_HAND for other in known)
