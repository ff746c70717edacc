"""How many of one thing all clients together, and each client alone, may hold at once. Pure."""

from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from config.errors import HttpRefusalError


class ClientQuota:
    """At most ``total`` of ``what`` (plural) at once, ``per_client`` of them by one client.

    A client is named by a key (an address, a token's name); the empty key is not counted alone:
    many clients stand behind it.
    """

    def __init__(self, what: str, total: int, per_client: int) -> None:
        self.what = what
        self.total = total
        self.per_client = per_client
        self.taken = 0
        self.refused = 0
        """Attempts that were refused since the start."""
        self._held: Counter[str] = Counter()

    def held_by(self, client: str) -> int:
        """How many ``client`` holds now."""
        return self._held[client]

    def take(self, *clients: str) -> None:
        """Count one for all of ``clients`` (keys of one client).

        Raises HttpRefusalError 429 where a client has too many, 503 where all have.
        """
        try:
            self._check(clients)
        except HttpRefusalError:
            self.refused += 1
            raise
        self.taken += 1
        self._held.update(client for client in clients if client)

    def release(self, *clients: str) -> None:
        """Give one back that was taken with the same keys."""
        self.taken -= 1
        for client in filter(None, clients):
            self._held[client] -= 1
            if not self._held[client]:
                del self._held[client]

    @contextmanager
    def holding(self, *clients: str) -> Iterator[None]:
        """Take one, and release it at the end of the block; raises as ``take`` does."""
        self.take(*clients)
        try:
            yield
        finally:
            self.release(*clients)

    def _check(self, clients: Sequence[str]) -> None:
        if any(client and self._held[client] >= self.per_client for client in clients):
            what = f"one client may hold {self.per_client} {self.what}, and this one does"
            raise HttpRefusalError(what, status=429, do="close one first")
        if self.taken >= self.total:
            what = f"all {self.total} {self.what} are in use"
            raise HttpRefusalError(what, status=503, do="try again later")
