"""The seam between the HTTP routes of hosted rooms and what opens and closes those rooms."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from aiortc import RTCIceServer

from config.reaction_rule import ReactionRule
from sidecar.rooms.hosted.offer import Role
from sidecar.rooms.hosted.room import HostedRoom
from sidecar.session.events import EventBus
from sidecar.session.stats import SessionStats


class SessionHandle(Protocol):
    """What the server needs of a session."""

    @property
    def events(self) -> EventBus: ...

    def stats(self) -> SessionStats: ...

    async def ended(self) -> None:
        """Wait until the meeting is over; raises what ended it if that was an error."""
        ...


@dataclass(frozen=True, slots=True)
class PlayedTable:
    """A reaction table, and where its stickers are."""

    rules: Mapping[str, ReactionRule]
    folders: Sequence[Path] = ()
    """The user's sticker folders, in the order in which they are looked through."""


@dataclass(frozen=True, slots=True, eq=False)
class OpenRoom:
    """A room that is open, and the session in it."""

    room: HostedRoom
    meeting: SessionHandle
    played: Callable[[], PlayedTable] | None = None
    """The room's own reaction table at this moment; None where it has that of the server."""

    @property
    def busy(self) -> bool:
        """A client publishes, watches or listens."""
        taken = self.room.count(Role.PUBLISH) + self.room.count(Role.WATCH)
        return bool(taken or self.meeting.events.listeners)


class RoomDirectory(Protocol):
    """Hosted rooms by their names."""

    @property
    def ice_servers(self) -> Sequence[RTCIceServer]:
        """STUN and TURN servers that clients of all rooms are to use."""
        ...

    @property
    def first(self) -> str:
        """The room for a request that names none."""
        ...

    def check(self, name: str) -> str:
        """``name`` if there is, or may be, such a room; raises HttpRefusalError 404."""
        ...

    async def enter(self, name: str, client: str = "") -> OpenRoom:
        """The room that ``client`` joins or watches; raises HttpRefusalError 404, 429 or 503."""
        ...

    def find(self, name: str) -> OpenRoom:
        """The room ``name`` if it is open; raises HttpRefusalError 404 where it is not."""
        ...

    def is_open(self, name: str) -> bool:
        """Whether there is such a room now."""
        ...

    async def opened(self, name: str) -> OpenRoom:
        """The room ``name`` once it is open, which this does not bring about.

        Raises HttpRefusalError 404 where there can't be such a room, 503 when the server closes.
        """
        ...

    def check_sharing(self) -> None:
        """Raise HttpRefusalError 403 where the rooms do not share their cameras."""
        ...
