"""What a server of ours tells about who is in a room: its event stream, line by line. Pure.

Each ``event: participants`` holds all who are present. So what is missed, repeated or
garbled on the way, the next one is right again.
"""

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Final, TypeAlias

from sidecar.plain_text import clean_text
from sidecar.rooms.base import Consent
from sidecar.rooms.display_names import display_name

MAX_PARTICIPANTS: Final = 49
"""As many as the largest layout has tiles; more aren't watched."""
MAX_LINE: Final = 64 * 1024
"""Bytes of one line of the stream."""
MAX_ID: Final = 64
"""Characters of a participant's id; a sidecar's own have 10."""
EVENT: Final = "participants"


@dataclass(frozen=True, slots=True)
class ListedParticipant:
    """A participant of the room."""

    participant: str
    name: str
    consent: Consent


@dataclass(frozen=True, slots=True)
class ParticipantAdded:
    """A participant joined the room."""

    person: ListedParticipant


@dataclass(frozen=True, slots=True)
class ParticipantChanged:
    """A participant opted out, or in again."""

    person: ListedParticipant


@dataclass(frozen=True, slots=True)
class ParticipantRemoved:
    """A participant left."""

    participant: str


Event: TypeAlias = ParticipantAdded | ParticipantChanged | ParticipantRemoved


@dataclass(slots=True)
class ParticipantList:
    """Reads the stream; returns what changed since the last message."""

    _present: dict[str, ListedParticipant] = field(default_factory=dict)
    _event: str = ""
    _data: str = ""

    def receive(self, line: str, skipped: str = "") -> Iterator[Event]:
        """What ``line``, without its end, changes; ``skipped`` is ourselves."""
        if line:
            key, _, value = line.partition(":")
            if key == "event":
                self._event = value.strip()
            elif key == "data":
                self._data = value.strip()
            return
        event, data = self._event, self._data
        self._event = self._data = ""
        if event == EVENT and (people := read(data)) is not None:
            yield from self._news(
                {at.participant: at for at in people if at.participant != skipped}
            )

    def _news(self, people: Mapping[str, ListedParticipant]) -> Iterator[Event]:
        before, self._present = self._present, dict(people)
        yield from (
            ParticipantRemoved(participant) for participant in before.keys() - people.keys()
        )
        for participant, person in people.items():
            known = before.get(participant)
            if known is None:
                yield ParticipantAdded(person)
            elif known.consent is not person.consent:
                yield ParticipantChanged(person)


def read(data: str) -> list[ListedParticipant] | None:
    """The participants in ``data``, without malformed ones; None if all of it is malformed."""
    try:
        payload = json.loads(data)
    except (ValueError, RecursionError):
        return None
    people = payload.get("participants") if isinstance(payload, dict) else None
    if not isinstance(people, list):
        return None
    return list(_people(people))[:MAX_PARTICIPANTS]


def _people(entries: Iterable[object]) -> Iterator[ListedParticipant]:
    for entry in entries:
        if not isinstance(entry, dict):
            continue
        participant, name = entry.get("participant"), entry.get("name")
        if isinstance(participant, str) and participant == clean_text(participant, MAX_ID) != "":
            shown = display_name(name if isinstance(name, str) else "")
            # In doubt they are left alone.
            agrees = entry.get("opted_out") is False
            consent = Consent.OPT_IN if agrees else Consent.OPT_OUT
            yield ListedParticipant(participant, shown, consent)
