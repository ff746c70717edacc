"""The seam between the supervisor and a room: one life of one room, wherever it runs.

A room in a child process, in the same process and in a Ray actor (``sidecar.cluster.ray_room``) are
implementations of ``RoomHandle``; ``tests/conformance/room_handle.py`` says what each must do.
"""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any, Protocol, TypeAlias

from sidecar.supervisor.control import (
    Begin,
    ChoicesReport,
    EventReport,
    Operation,
    StateReport,
    StatsReport,
)

Report: TypeAlias = StateReport | StatsReport | ChoicesReport | EventReport


@dataclass(frozen=True, slots=True)
class Usage:
    """What a room's process has used."""

    cpu: float
    """Seconds of a core since it started."""
    memory: int
    """Resident bytes."""


class RoomHandle(Protocol):
    """One life of one room. It is started once, and closed in every case."""

    @property
    def pid(self) -> int | None:
        """The process that the room runs in; None before the start and after the end."""
        ...

    async def start(self, begin: Begin) -> None:
        """Begin to join; returns once the room's process runs. Raises SidecarError."""
        ...

    def reports(self) -> AsyncIterator[Report]:
        """What the room reports, in order; ends with its life. One reader only.

        A reader that is slow loses statistics first and then events (counted by the room), never
        states and choices.
        """
        ...

    async def call(self, operation: Operation) -> Any:
        """Carry out ``operation`` and return its plain result.

        Raises the error that the room raised, RoomError when the room is over, and TimeoutError
        when it does not answer.
        """
        ...

    def usage(self) -> Usage | None:
        """What the process has used so far; None where there is none."""
        ...

    async def aclose(self) -> None:
        """Leave the meeting; a room that does not end within its time is ended by force."""
        ...
