"""Who is in a Galène group, and what was chosen under each name. Pure."""

from dataclasses import dataclass
from typing import Final

from sidecar.rooms.base import Consent
from sidecar.rooms.display_names import display_name

MAX_CLIENTS: Final = 2000
"""Clients of a group that are remembered; further ones are ignored."""
MAX_CONSENTS: Final = 10_000
"""Names whose opt-out or opt-in is remembered."""


@dataclass(frozen=True, slots=True)
class GroupMember:
    """A client in the group's list of users."""

    participant: str
    """Its name, with a number where another client has that name already: a client's id changes
    with each reload of the page, and an opt-out has to outlive that."""
    name: str
    sidecar: bool = False
    """A sidecar, this one or another: its stream is a composite, no camera."""


class GroupRoster:
    """The group's clients by their id, and the consents given under each name."""

    def __init__(self) -> None:
        self._members: dict[str, GroupMember] = {}
        self._consents: dict[str, Consent] = {}

    def find(self, client: str) -> GroupMember | None:
        """The member with that id."""
        return self._members.get(client)

    def put(self, client: str, username: str, *, sidecar: bool) -> GroupMember | None:
        """Add or change a member; None where there are ``MAX_CLIENTS`` already."""
        known = self._members.get(client)
        if known is None and len(self._members) >= MAX_CLIENTS:
            return None
        name = display_name(username)
        if known is not None and known.name == name:
            participant = known.participant
        else:
            participant = self._distinct(name, client)
        member = self._members[client] = GroupMember(participant, name, sidecar)
        return member

    def remove(self, client: str) -> None:
        """Remove a member who left; its consent is kept for its return."""
        self._members.pop(client, None)

    def set_consent(self, username: str, consent: Consent) -> None:
        """Remember a choice, up to ``MAX_CONSENTS`` names."""
        name = display_name(username)
        if name in self._consents or len(self._consents) < MAX_CONSENTS:
            self._consents[name] = consent

    def consent(self, member: GroupMember) -> Consent | None:
        """What was chosen under the name of ``member``; None where nothing was."""
        return self._consents.get(member.name)

    def _distinct(self, name: str, client: str) -> str:
        taken = {other.participant for key, other in self._members.items() if key != client}
        participant, number = name, 2
        while participant in taken:
            participant, number = f"{name} {number}", number + 1
        return participant
