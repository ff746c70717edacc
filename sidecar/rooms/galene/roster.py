"""Who is in a group, what each is called in our words, and what they said about reactions. Pure."""

from dataclasses import dataclass
from typing import Final

from sidecar.rooms.base import Consent
from sidecar.rooms.display_names import display_name

MAX_CLIENTS: Final = 2000
MAX_CHOICES: Final = 10_000


@dataclass(frozen=True, slots=True)
class Client:
    """Somebody in the group's list."""

    participant: str
    """Their name, with a number behind it where somebody else has it already: a client's id is
    another after each reload, and an opt-out has to outlive that."""
    name: str
    sidecar: bool = False
    """A sidecar, this one or another: its stream is a composite, no camera."""


class Roster:
    """Everybody in the group by their client's id."""

    def __init__(self) -> None:
        self._clients: dict[str, Client] = {}
        self._choices: dict[str, Consent] = {}

    def find(self, client: str) -> Client | None:
        """The client with that id."""
        return self._clients.get(client)

    def put(self, client: str, username: str, *, sidecar: bool) -> Client | None:
        """Add a client or note that they changed; None where there are too many."""
        known = self._clients.get(client)
        if known is None and len(self._clients) >= MAX_CLIENTS:
            return None
        name = display_name(username)
        if known is not None and known.name == name:
            participant = known.participant
        else:
            participant = self._free(name, client)
        found = self._clients[client] = Client(participant, name, sidecar)
        return found

    def remove(self, client: str) -> None:
        """Somebody left."""
        self._clients.pop(client, None)

    def choose(self, username: str, consent: Consent) -> None:
        """Remember what somebody said about reactions, also for when they come back."""
        name = display_name(username)
        if name in self._choices or len(self._choices) < MAX_CHOICES:
            self._choices[name] = consent

    def choice(self, client: Client) -> Consent | None:
        """What was chosen under their name; None where nothing was."""
        return self._choices.get(client.name)

    def _free(self, name: str, client: str) -> str:
        taken = {other.participant for key, other in self._clients.items() if key != client}
        participant, number = name, 2
        while participant in taken:
            participant, number = f"{name} {number}", number + 1
        return participant
