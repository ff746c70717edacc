"""An SQLite file that what must outlive the process is written to, on a thread of its own.

With a write-ahead log and full synchronisation: every write is on disk before it returns, so that a
process killed at any moment leaves a file from before or after the write.
"""

import sqlite3
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Final, TypeAlias, TypeVar

from config.errors import ConfigError, JournalError
from sidecar.aio import Component, undo_on_failure
from sidecar.sinks.background_thread import BackgroundThread

T = TypeVar("T")

SqlValue: TypeAlias = "str | int | float | None"
Work: TypeAlias = "Callable[[sqlite3.Connection], T]"

VERSION: Final = 1
"""Of the tables; a file of a later version is refused."""
CLOSING: Final = 0.5
"""Seconds that closing may take, as on a disk that hangs."""


class JournalFile(Component):
    """The file ``path`` with ``tables``; None keeps all in memory."""

    def __init__(self, path: Path | None, tables: str) -> None:
        """``tables`` are statements that make what is missing."""
        self._path = path
        self._tables = tables
        self._thread = BackgroundThread("journal")
        self._database: sqlite3.Connection | None = None

    async def start(self) -> None:
        """Open the file; raises ConfigError where that fails or it is of a later version."""
        await self._thread.start()
        async with undo_on_failure(partial(self._thread.aclose, 0)):
            self._database = await self._thread.call(self._open)

    async def aclose(self) -> None:
        """Close the file, in time also where the disk hangs."""
        database, self._database = self._database, None
        if database is not None:
            self._thread.post(database.close)
            await self._thread.aclose(CLOSING)

    async def run(self, work: "Callable[[sqlite3.Connection], T]") -> T:
        """The result of ``work``, all of which is written or nothing of it.

        Raises JournalError where the disk does not take it.
        """
        database = self._database
        if database is None:
            raise JournalError("the journal is closed", where=self._where)
        try:
            return await self._thread.call(lambda: _transaction(database, work))
        except sqlite3.Error as error:
            raise JournalError(
                f"the journal can't be used: {error}", where=self._where, do="free disk space"
            ) from error

    async def execute(self, sql: str, *values: SqlValue) -> list[tuple[SqlValue, ...]]:
        """The rows of one statement; raises JournalError."""
        return await self.run(lambda database: database.execute(sql, values).fetchall())

    @property
    def _where(self) -> str:
        return "memory" if self._path is None else str(self._path)

    def _open(self) -> sqlite3.Connection:
        where = ":memory:" if self._path is None else str(self._path)
        try:
            if self._path is not None:
                self._path.parent.mkdir(parents=True, exist_ok=True)
                self._path.touch(mode=0o600)
            database = sqlite3.connect(where, isolation_level=None, check_same_thread=False)
            (version,) = database.execute("PRAGMA user_version").fetchone()
            if version > VERSION:
                do = "start the newer sidecar, or name another file"
                raise ConfigError("the journal is of a newer version", where=where, do=do)
            database.execute("PRAGMA journal_mode = WAL")
            database.execute("PRAGMA synchronous = FULL")
            database.executescript(self._tables)
            database.execute(f"PRAGMA user_version = {VERSION}")
        except (OSError, sqlite3.Error) as error:
            what = f"the journal can't be opened: {error}"
            raise ConfigError(what, where=where, do="name another file") from error
        return database


def _transaction(database: sqlite3.Connection, work: "Callable[[sqlite3.Connection], T]") -> T:
    database.execute("BEGIN IMMEDIATE")
    try:
        result = work(database)
        database.execute("COMMIT")
    finally:
        # After a failure, unless a failed COMMIT has ended the transaction itself.
        if database.in_transaction:
            database.execute("ROLLBACK")
    return result
