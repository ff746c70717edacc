"""Choices of participants as plain values, in which they outlast the process of a room. Pure.

A ``ParticipantPatch`` has what was chosen for one participant.
"""

from collections.abc import Mapping
from typing import TypeAlias

from sidecar.rooms.base import Consent
from sidecar.session.choices import SessionChoices
from sidecar.supervisor.values import ParticipantPatch

ParticipantChoices: TypeAlias = dict[str, ParticipantPatch]
"""By participant."""


def plain_choices(choices: SessionChoices) -> ParticipantChoices:
    """``choices`` by participant."""
    people = {*choices.consents, *choices.sensitivities}
    if choices.pinned is not None:
        people.add(choices.pinned)
    return {
        person: ParticipantPatch(
            opted_out=None
            if (consent := choices.consents.get(person)) is None
            else consent is Consent.OPT_OUT,
            sensitivity=choices.sensitivities.get(person),
            pinned=True if person == choices.pinned else None,
        )
        for person in sorted(people)
    }


def session_choices(choices: Mapping[str, ParticipantPatch]) -> SessionChoices:
    """What ``plain_choices`` made plain."""
    pinned = [person for person, one in choices.items() if one.pinned]
    return SessionChoices(
        {
            person: Consent.OPT_OUT if one.opted_out else Consent.OPT_IN
            for person, one in choices.items()
            if one.opted_out is not None
        },
        {person: one.sensitivity for person, one in choices.items() if one.sensitivity is not None},
        pinned[0] if pinned else None,
    )
