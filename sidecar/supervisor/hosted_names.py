"""Names of the rooms that this server hosts: one room has a name at a time."""

from collections.abc import Callable

from config.errors import RefusedError, SidecarError
from sidecar.supervisor.values import RoomRequest


class HostedNames:
    """The room of each name; ``read`` returns the name in a request, None for other systems'."""

    def __init__(self, read: Callable[[RoomRequest], str | None]) -> None:
        self._read = read
        self._rooms: dict[str, str] = {}

    def of(self, request: RoomRequest) -> str | None:
        """The name in ``request``; None also where its URL can't be read, which its check says."""
        try:
            return self._read(request)
        except SidecarError:
            return None

    def take(self, name: str, room: str) -> None:
        """Keep ``name`` for ``room`` until that is over; raises RefusedError for one in use."""
        if name in self._rooms:
            do = "leave that room first, or take another name"
            raise RefusedError("another room has this name", where=f"room:{name}", do=do)
        self._rooms[name] = room

    def resume(self, request: RoomRequest, room: str) -> None:
        """Keep the name in ``request`` for a room of the journal; the first one has it."""
        if (name := self.of(request)) is not None:
            self._rooms.setdefault(name, room)

    def free(self, request: RoomRequest, room: str) -> None:
        """Free the name in ``request``, if it is that of ``room``, which is over."""
        name = self.of(request)
        if name is not None and self._rooms.get(name) == room:
            del self._rooms[name]
