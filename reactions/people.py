"""Whose hand is whose: one picture of several people becomes one observation a person. Pure."""

from collections.abc import Mapping
from dataclasses import replace
from math import hypot, log

from reactions.gestures.motion import palm_length
from reactions.landmark_types import Face, Hand, Observation

SHOULDERS = 0.8
"""Face heights from the middle of a face down to between the shoulders, which hands hang on."""
PALM_BY_FACE = 0.55
"""The length of a palm by the height of the face mesh, at the same distance to the camera: 10 cm
by 18 cm."""
SIZE_WEIGHT = 2.0
"""Face heights of distance that a palm of e times the expected size counts for."""

FITS = 1.5
"""Face heights from which a hand is no one's whose face is seen: an arm reaches about that far."""


def by_person(observation: Observation) -> tuple[tuple[int, Observation], ...]:
    """The slot and the own observation of each person in ``observation``, the main one first.

    With one person it is that observation itself. Otherwise each hand goes to the person whose
    shoulders are nearest, in heights of their face, and whose face its size fits; where the main
    face is hidden, hands that fit no other are the main person's. So is the body.
    """
    if not observation.others:
        return ((observation.slot, observation),)
    others = {one.slot: one.face for one in observation.others}
    hands: dict[int, list[Hand]] = {slot: [] for slot in (observation.slot, *others)}
    for hand in observation.hands:
        hands[_owner(hand, observation, others)].append(hand)
    main = replace(observation, others=(), hands=tuple(hands[observation.slot]))
    return (
        (observation.slot, main),
        *(
            (
                slot,
                replace(
                    main,
                    slot=slot,
                    face=face,
                    hands=tuple(hands[slot]),
                    body=None,
                    vessels=None,
                    objects=None,
                ),
            )
            for slot, face in others.items()
        ),
    )


def _owner(hand: Hand, observation: Observation, others: Mapping[int, Face]) -> int:
    distances = {slot: _distance(hand, face) for slot, face in others.items()}
    main = observation.face
    distances[observation.slot] = FITS if main is None else _distance(hand, main)
    return min(distances, key=lambda slot: distances[slot])


def _distance(hand: Hand, face: Face) -> float:
    """How far ``hand`` is from belonging to the person with ``face``, in face heights."""
    (left, top), (right, bottom) = face.points[:, :2].min(axis=0), face.points[:, :2].max(axis=0)
    height = max(float(bottom - top), 1.0)
    x, y = hand.points[0, :2].tolist()
    away = hypot(x - (left + right) / 2, y - ((top + bottom) / 2 + SHOULDERS * height)) / height
    return away + SIZE_WEIGHT * abs(log(palm_length(hand.points) / (PALM_BY_FACE * height)))
