"""Signs with an object: a vessel at the mouth. Pure."""

from dataclasses import dataclass
from math import dist

import numpy as np

from reactions.compact_pickle import CompactPickle
from reactions.geometry import Box
from reactions.gestures.calibration import ramp
from reactions.landmark_types import Face, Observation, Vessel

VESSEL_KEPT = 0.9
"""Seconds that a reading holds: vessels are looked for in every third sample."""
OBJECTS_KEPT = 1.3
"""Seconds that a detector's reading holds: it looks once a second at the usual rate."""
_FOREHEAD, _CHIN, _LIPS = 10, 152, (13, 14)


@dataclass(frozen=True, slots=True)
class VesselReading(CompactPickle):
    """The vessel nearest to being drunk from, in one sample."""

    time: float
    score: float
    """The detector's, 0–1."""
    above: float
    """The mouth above the vessel's rim, in face heights: negative where the rim is higher."""
    aside: float
    """The mouth beside the vessel, in face heights; 0 where it is above or below it."""
    size: float
    """The vessel's width in face heights: a mug has about 0.5."""
    box: Box


@dataclass(frozen=True, slots=True)
class ObjectReading(CompactPickle):
    """The surest object of one class, in one sample."""

    time: float
    name: str
    score: float
    """The detector's, 0–1."""
    box: Box


def read_objects(
    before: tuple[ObjectReading, ...], observation: Observation
) -> tuple[ObjectReading, ...]:
    """The surest of each class in ``observation``, or those of ``before`` that still hold where
    none was looked for."""
    time = observation.time
    if observation.objects is None:
        return tuple(one for one in before if 0 <= time - one.time <= OBJECTS_KEPT)
    surest: dict[str, ObjectReading] = {}
    for one in sorted(observation.objects, key=lambda each: -each.score):
        surest.setdefault(one.name, ObjectReading(time, one.name, one.score, one.box))
    return tuple(surest.values())


def read_vessel(vessel: Vessel, face: Face, observation: Observation) -> VesselReading:
    """Where ``vessel`` is by the mouth of ``face``, both seen in ``observation``."""
    points = face.points[:, :2]
    unit = dist(points[_FOREHEAD].tolist(), points[_CHIN].tolist()) or 1.0
    x, y = points[list(_LIPS)].mean(axis=0).tolist()
    (left, top), (right, _) = np.sort(vessel.corners[:, :2], axis=0).tolist()
    return VesselReading(
        time=observation.time,
        score=vessel.score,
        above=(top - y) / unit,
        aside=max(left - x, x - right, 0.0) / unit,
        size=(right - left) / unit,
        box=observation.box(vessel.corners),
    )


def drinking(reading: VesselReading) -> float:
    """Whether the vessel is at the mouth: its rim at the lips or over them, 0–1."""
    return min(
        ramp(reading.score, at=0.3, sure=0.5),
        ramp(reading.above, at=0.2, sure=0.1),
        ramp(reading.above, at=-0.9, sure=-0.75),
        ramp(reading.aside, at=0.16, sure=0.08),
        ramp(reading.size, at=0.2, sure=0.28),
        ramp(reading.size, at=1.3, sure=1.1),
    )
