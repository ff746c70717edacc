"""The rooms that are wanted, on disk: what a new supervisor takes up again.

SQLite with a write-ahead log. Every write is committed before it is answered, so that a supervisor
killed at any moment leaves a journal from before or after the write. Secrets are sealed by the
caller (``sidecar.supervisor.secrets``).
"""

import asyncio
import json
import sqlite3
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Self, TypeVar

from config.errors import ConfigError, JournalError
from sidecar.supervisor.values import RoomRequest

T = TypeVar("T")

VERSION = 1
"""Of the tables; a journal of a later version is refused."""
_TABLES = """
CREATE TABLE IF NOT EXISTS rooms (
    id TEXT PRIMARY KEY,
    request TEXT NOT NULL,
    secrets TEXT NOT NULL,
    idempotency_key TEXT UNIQUE,
    created TEXT NOT NULL
) STRICT;
"""


@dataclass(frozen=True, slots=True)
class WantedRoom:
    """A room that is to be joined until it is deleted or ends."""

    id: str
    request: RoomRequest
    """Without secrets."""
    secrets: dict[str, str]
    """References and sealed values."""
    created: datetime


class Journal:
    """The journal in ``path``; None keeps it in memory. All work runs on a thread of its own."""

    def __init__(self, path: Path | None) -> None:
        self._path = path
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="journal")
        self._database: sqlite3.Connection | None = None

    async def start(self) -> None:
        """Open the journal; raises ConfigError where that fails or it is of a later version."""
        try:
            await self._run(self._open)
        except BaseException:
            await self.aclose()
            raise

    async def aclose(self) -> None:
        """Close the file."""
        await asyncio.get_running_loop().run_in_executor(self._thread, self._close)
        self._thread.shutdown(wait=False)

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(self, *exc: object) -> None:
        await self.aclose()

    async def add(self, room: WantedRoom) -> None:
        """Remember ``room``; raises JournalError where the disk does not take it."""
        await self._run(lambda: self._add(room))

    async def replace(self, room: str, request: RoomRequest) -> None:
        """Remember how the room with this id is wanted now; raises JournalError."""
        text = request.model_dump_json(exclude={"secrets"})
        await self._run(
            lambda: self._execute("UPDATE rooms SET request = ? WHERE id = ?", text, room)
        )

    async def remove(self, room: str) -> None:
        """Forget the room with this id; raises JournalError where the disk does not take it."""
        await self._run(lambda: self._execute("DELETE FROM rooms WHERE id = ?", room))

    async def rooms(self) -> list[WantedRoom]:
        """All rooms that are wanted, the oldest first."""
        return await self._run(self._rooms)

    async def _run(self, work: Callable[[], T]) -> T:
        try:
            return await asyncio.get_running_loop().run_in_executor(self._thread, work)
        except sqlite3.Error as error:
            where = "memory" if self._path is None else str(self._path)
            raise JournalError(
                f"the journal can't be used: {error}", where=where, do="free disk space"
            ) from error

    def _open(self) -> None:
        where = ":memory:" if self._path is None else str(self._path)
        try:
            if self._path is not None:
                self._path.parent.mkdir(parents=True, exist_ok=True)
                self._path.touch(mode=0o600)
            self._database = sqlite3.connect(where, isolation_level=None, check_same_thread=False)
            (version,) = self._database.execute("PRAGMA user_version").fetchone()
            if version > VERSION:
                do = "start the newer sidecar, or name another file"
                raise ConfigError("the journal is of a newer version", where=where, do=do)
            self._database.execute("PRAGMA journal_mode = WAL")
            self._database.execute("PRAGMA synchronous = FULL")
            self._database.executescript(_TABLES)
            self._database.execute(f"PRAGMA user_version = {VERSION}")
        except (OSError, sqlite3.Error) as error:
            what = f"the journal can't be opened: {error}"
            raise ConfigError(what, where=where, do="name a file in serve.journal") from error

    def _close(self) -> None:
        if self._database is not None:
            self._database.close()
            self._database = None

    def _execute(self, sql: str, *values: str | None) -> list[tuple[str, ...]]:
        if self._database is None:
            raise JournalError("the journal is closed")
        return self._database.execute(sql, values).fetchall()

    def _add(self, room: WantedRoom) -> None:
        self._execute(
            "INSERT INTO rooms VALUES (?, ?, ?, ?, ?)",
            room.id,
            room.request.model_dump_json(exclude={"secrets"}),
            json.dumps(room.secrets),
            room.request.idempotency_key,
            room.created.astimezone(UTC).isoformat(),
        )

    def _rooms(self) -> list[WantedRoom]:
        rows = self._execute("SELECT id, request, secrets, created FROM rooms ORDER BY created, id")
        return [
            WantedRoom(
                id=room,
                request=RoomRequest.model_validate_json(request),
                secrets=json.loads(secrets),
                created=datetime.fromisoformat(created),
            )
            for room, request, secrets, created in rows
        ]
