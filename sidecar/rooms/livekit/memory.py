"""What this process has to remember of LiveKit rooms from one joining to the next."""

from collections import OrderedDict
from typing import Final, TypeVar
from uuid import uuid4

MAX_KEPT: Final = 256
Value = TypeVar("Value")


class Memory:
    """Newest tokens, better servers, and the identities that we go by.

    A room object is entered once, and whoever rejoins makes another from the same address and
    options: what the server told the first one for the next time is here. Nothing is ever written
    anywhere.
    """

    def __init__(self) -> None:
        self._process = uuid4().hex[:8]
        self._tokens: OrderedDict[str, str] = OrderedDict()
        self._servers: OrderedDict[str, str] = OrderedDict()
        self._relays: OrderedDict[str, str] = OrderedDict()
        self._leases: dict[tuple[str, str], set[int]] = {}

    def newest(self, token: str) -> str:
        """The token that the server gave for ``token`` last, or itself."""
        return self._tokens.get(token, token)

    def renew(self, token: str, newer: str) -> None:
        """Use ``newer`` from now on where ``token`` is what we were given."""
        _keep(self._tokens, token, newer)

    def next_server(self, server: str) -> str:
        """Where to join once what ``server`` hosts; the server itself the time after that."""
        return self._servers.pop(server, server)

    def send_on(self, server: str, other: str) -> None:
        """``server`` asks to join at ``other`` the next time."""
        _keep(self._servers, server, other)

    def relay(self, server: str) -> str:
        """The TURN server that was of use there last; empty where none was."""
        return self._relays.get(server, "")

    def note_relay(self, server: str, relay: str) -> None:
        """``relay`` is of use to reach ``server``."""
        _keep(self._relays, server, relay)

    def lease(self, server: str, room: str) -> "Lease":
        """A number that no other room object of this process uses there at the time.

        A rejoin gets the same, and with it the same identity: the server then throws out what is
        left of the stay before, and nobody sees a ghost.
        """
        taken = self._leases.setdefault((server, room), set())
        number = next(number for number in range(len(taken) + 1) if number not in taken)
        taken.add(number)
        return Lease(self, (server, room), number, f"{self._process}-{number}")

    def release(self, place: tuple[str, str], number: int) -> None:
        """Give a number back; more than once is harmless."""
        taken = self._leases.get(place, set())
        taken.discard(number)
        if not taken:
            self._leases.pop(place, None)


class Lease:
    """The right to a number, until it is released."""

    def __init__(self, memory: Memory, place: tuple[str, str], number: int, suffix: str) -> None:
        self._memory = memory
        self._place = place
        self._number = number
        self.suffix = suffix
        """Tells apart the identities of all sidecars everywhere."""

    def release(self) -> None:
        """Let others have it."""
        self._memory.release(self._place, self._number)


def _keep(table: OrderedDict[str, Value], key: str, value: Value) -> None:
    table[key] = value
    table.move_to_end(key)
    while len(table) > MAX_KEPT:
        table.popitem(last=False)
