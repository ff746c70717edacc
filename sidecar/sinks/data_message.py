"""Reactions as data messages into the meeting, for the programs of its participants."""

from typing import Final

from sidecar.rooms.base import SupportsDataMessages
from sidecar.session.events import SessionEvent, as_json

ANNOUNCED: Final = frozenset({"reaction.started", "reaction.ended", "reaction.crowd"})
"""The events that are sent; the progress of a hold concerns one participant alone."""


class DataMessageSink:
    """Implements ``EventSink`` over a room that can send data messages."""

    def __init__(self, room: SupportsDataMessages) -> None:
        self._room = room

    @property
    def name(self) -> str:
        return "data messages"

    async def start(self) -> None:
        """The room is joined by its session."""

    async def write(self, event: SessionEvent) -> None:
        if event.kind in ANNOUNCED:
            await self._room.announce(as_json(event))

    async def aclose(self) -> None:
        """The room is left by its session."""
