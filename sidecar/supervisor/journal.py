"""The rooms that are wanted, on disk: what a new supervisor takes up again.

The same file has the webhook deliveries that wait (``outbox``). Secrets are sealed by the caller
(``sidecar.supervisor.secrets``).
"""

import json
import sqlite3
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from pydantic import TypeAdapter

from sidecar.aio import Component
from sidecar.sinks.journal_file import JournalFile
from sidecar.sinks.webhook import outbox
from sidecar.supervisor.participant_choices import ParticipantChoices
from sidecar.supervisor.values import ParticipantPatch, RoomRequest

_TABLES: Final = """
CREATE TABLE IF NOT EXISTS rooms (
    id TEXT PRIMARY KEY,
    request TEXT NOT NULL,
    secrets TEXT NOT NULL,
    idempotency_key TEXT UNIQUE,
    created TEXT NOT NULL
) STRICT;
CREATE TABLE IF NOT EXISTS choices (
    room TEXT PRIMARY KEY,
    choices TEXT NOT NULL
) STRICT;
"""
_CHOICES: Final = TypeAdapter(dict[str, ParticipantPatch])


@dataclass(frozen=True, slots=True)
class WantedRoom:
    """A room that is to be joined until it is deleted or ends."""

    id: str
    request: RoomRequest
    """Without secrets."""
    secrets: dict[str, str]
    """References and sealed values."""
    created: datetime
    choices: ParticipantChoices = field(default_factory=dict)
    """Of participants."""


class Journal(Component):
    """The journal in ``path``; None keeps it in memory."""

    def __init__(self, path: Path | None) -> None:
        self._file = JournalFile(path, _TABLES + outbox.TABLES)
        self.outbox = outbox.Outbox(self._file)
        """Webhook deliveries, usable while the journal is open."""

    async def start(self) -> None:
        """Open the journal; raises ConfigError where that fails or it is of a later version."""
        await self._file.start()

    async def aclose(self) -> None:
        """Close the file."""
        await self._file.aclose()

    async def add(self, room: WantedRoom) -> None:
        """Remember ``room``; raises JournalError where the disk does not take it."""
        await self._file.execute(
            "INSERT INTO rooms VALUES (?, ?, ?, ?, ?)",
            room.id,
            room.request.model_dump_json(exclude={"secrets"}),
            json.dumps(room.secrets),
            room.request.idempotency_key,
            room.created.astimezone(UTC).isoformat(),
        )

    async def replace(self, room: str, request: RoomRequest) -> None:
        """Remember how the room with this id is wanted now; raises JournalError."""
        text = request.model_dump_json(exclude={"secrets"})
        await self._file.execute("UPDATE rooms SET request = ? WHERE id = ?", text, room)

    async def remove(self, room: str) -> None:
        """Forget the room with this id; raises JournalError where the disk does not take it."""

        def remove(database: sqlite3.Connection) -> None:
            database.execute("DELETE FROM rooms WHERE id = ?", (room,))
            database.execute("DELETE FROM choices WHERE room = ?", (room,))

        await self._file.run(remove)

    async def choose(self, room: str, choices: ParticipantChoices) -> None:
        """Remember the choices of participants of a wanted room; raises JournalError."""
        text = _CHOICES.dump_json(choices, exclude_none=True).decode()
        sql = "INSERT OR REPLACE INTO choices SELECT id, ? FROM rooms WHERE id = ?"
        await self._file.execute(sql, text, room)

    async def rooms(self) -> list[WantedRoom]:
        """All rooms that are wanted, the oldest first."""
        rows = await self._file.execute(
            "SELECT id, request, secrets, created, choices FROM rooms "
            "LEFT JOIN choices ON room = id ORDER BY created, id"
        )
        return [
            WantedRoom(
                id=str(room),
                request=RoomRequest.model_validate_json(str(request)),
                secrets=json.loads(str(secrets)),
                created=datetime.fromisoformat(str(created)),
                choices=_CHOICES.validate_json(str(choices or "{}")),
            )
            for room, request, secrets, created, choices in rows
        ]
