"""Webhook deliveries on disk: those that wait, and dead letters."""

import sqlite3
from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from typing import Final, TypeAlias

from config.errors import NotFoundError
from sidecar.sinks.journal_file import JournalFile, SqlValue

TABLES: Final = """
CREATE TABLE IF NOT EXISTS webhooks (
    id TEXT PRIMARY KEY,
    url TEXT NOT NULL,
    secret TEXT NOT NULL
) STRICT;
CREATE TABLE IF NOT EXISTS deliveries (
    number INTEGER PRIMARY KEY AUTOINCREMENT,
    id TEXT NOT NULL,
    webhook TEXT NOT NULL,
    room TEXT NOT NULL,
    body TEXT NOT NULL,
    created REAL NOT NULL,
    attempts INTEGER NOT NULL,
    reason TEXT NOT NULL,
    dead INTEGER NOT NULL,
    UNIQUE (id, webhook)
) STRICT;
CREATE INDEX IF NOT EXISTS waiting_deliveries ON deliveries (dead, webhook, room, number);
"""
DEAD_KEPT: Final = 10_000
"""Dead letters that are kept, the newest."""

Stream: TypeAlias = tuple[str, str]
"""A webhook's id and a room: the deliveries of one keep their order."""


@dataclass(frozen=True, slots=True)
class Delivery:
    """One event on its way to one webhook."""

    id: str
    """Stays the same over all attempts; the receiver may get it more than once."""
    webhook: str
    room: str
    body: str
    """JSON."""
    created: float
    """Unix time in seconds."""
    number: int | None = None
    """Its place in the file; None while it is in memory alone."""
    attempts: int = 0
    reason: str = ""
    """Why the last attempt failed."""
    dead: bool = False
    """It was given up."""

    @property
    def stream(self) -> Stream:
        return self.webhook, self.room


@dataclass(frozen=True, slots=True)
class StoredWebhook:
    """A room's webhook as it stands on disk, so that it outlives the room."""

    id: str
    url: str
    secret: str
    """A reference or sealed, never in the clear."""


_FIELDS: Final = "id, webhook, room, body, created, number, attempts, reason, dead"


class Outbox:
    """The tables of ``TABLES`` in ``file``; all methods raise JournalError."""

    def __init__(self, file: JournalFile) -> None:
        self._file = file

    async def store(self, new: Sequence[Delivery], done: Sequence[int] = ()) -> list[Delivery]:
        """Write ``new`` at the end and forget the numbers ``done``; returns ``new`` with numbers.

        One transaction for all of it.
        """

        def work(database: sqlite3.Connection) -> list[Delivery]:
            database.executemany(
                "DELETE FROM deliveries WHERE number = ?", [(one,) for one in done]
            )
            return [_insert(database, delivery) for delivery in new]

        return await self._file.run(work)

    async def load(self, stream: Stream, after: int, limit: int) -> list[Delivery]:
        """Waiting deliveries of ``stream`` with numbers above ``after``, in order."""
        rows = await self._file.execute(
            f"SELECT {_FIELDS} FROM deliveries WHERE dead = 0 AND webhook = ? AND room = ? "  # noqa: S608
            "AND number > ? ORDER BY number LIMIT ?",
            *(*stream, after, limit),
        )
        return [_delivery(row) for row in rows]

    async def streams(self) -> list[tuple[Stream, int]]:
        """All streams that have waiting deliveries, with how many."""
        rows = await self._file.execute(
            "SELECT webhook, room, COUNT(*) FROM deliveries WHERE dead = 0 GROUP BY webhook, room"
        )
        return [((str(webhook), str(room)), int(count or 0)) for webhook, room, count in rows]

    async def bury(self, delivery: Delivery, reason: str) -> None:
        """Keep ``delivery`` as a dead letter with its reason; the oldest ones are dropped."""
        dead = replace(delivery, reason=reason, dead=True)

        def work(database: sqlite3.Connection) -> None:
            if dead.number is not None:
                database.execute("DELETE FROM deliveries WHERE number = ?", (dead.number,))
            _insert(database, dead)
            database.execute(
                "DELETE FROM deliveries WHERE dead = 1 AND number <= "
                "(SELECT number FROM deliveries WHERE dead = 1 ORDER BY number DESC "
                "LIMIT 1 OFFSET ?)",
                (DEAD_KEPT,),
            )

        await self._file.run(work)

    async def revive(self, number: int, now: float) -> Delivery:
        """Make a dead letter the last waiting one of its stream; raises NotFoundError."""

        def work(database: sqlite3.Connection) -> Delivery:
            found = database.execute(
                f"DELETE FROM deliveries WHERE number = ? AND dead = 1 RETURNING {_FIELDS}",  # noqa: S608
                (number,),
            ).fetchall()
            if not found:
                raise NotFoundError("there is no such dead letter", where=str(number))
            old = _delivery(found[0])
            # The limit of time begins again.
            return _insert(database, replace(old, created=now, attempts=0, dead=False))

        return await self._file.run(work)

    async def deliveries(
        self, *, dead: bool | None, webhook: str, room: str, after: int, limit: int
    ) -> list[Delivery]:
        """Deliveries in the order of their numbers, above ``after``; empty texts select all."""
        wanted = {"dead": None if dead is None else int(dead), "webhook": webhook, "room": room}
        chosen = {name: value for name, value in wanted.items() if value not in (None, "")}
        where = " AND ".join([*(f"{name} = ?" for name in chosen), "number > ?"])
        rows = await self._file.execute(
            f"SELECT {_FIELDS} FROM deliveries WHERE {where} ORDER BY number LIMIT ?",  # noqa: S608
            *(*chosen.values(), after, limit),
        )
        return [_delivery(row) for row in rows]

    async def add_webhook(self, webhook: StoredWebhook) -> None:
        """Remember a room's webhook."""
        sql = "INSERT OR REPLACE INTO webhooks VALUES (?, ?, ?)"
        await self._file.execute(sql, webhook.id, webhook.url, webhook.secret)

    async def webhooks(self) -> list[StoredWebhook]:
        """The webhooks that are remembered."""
        rows = await self._file.execute("SELECT id, url, secret FROM webhooks")
        return [StoredWebhook(*map(str, row)) for row in rows]

    async def forget_webhooks(self, wanted: Collection[str]) -> None:
        """Forget webhooks that have no deliveries, but for those with the ids ``wanted``."""

        def work(database: sqlite3.Connection) -> None:
            used = {one for (one,) in database.execute("SELECT DISTINCT webhook FROM deliveries")}
            known = [one for (one,) in database.execute("SELECT id FROM webhooks")]
            unused = [(one,) for one in known if one not in used and one not in wanted]
            database.executemany("DELETE FROM webhooks WHERE id = ?", unused)

        await self._file.run(work)


def _insert(database: sqlite3.Connection, delivery: Delivery) -> Delivery:
    cursor = database.execute(
        "INSERT OR REPLACE INTO deliveries "
        "(id, webhook, room, body, created, attempts, reason, dead) "
        "VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
        (
            delivery.id,
            delivery.webhook,
            delivery.room,
            delivery.body,
            delivery.created,
            delivery.attempts,
            delivery.reason,
            int(delivery.dead),
        ),
    )
    return replace(delivery, number=cursor.lastrowid)


def _delivery(row: "tuple[SqlValue, ...]") -> Delivery:
    delivery, webhook, room, body, created, number, attempts, reason, dead = row
    return Delivery(
        id=str(delivery),
        webhook=str(webhook),
        room=str(room),
        body=str(body),
        created=float(created or 0.0),
        number=int(number or 0),
        attempts=int(attempts or 0),
        reason=str(reason),
        dead=bool(dead),
    )
