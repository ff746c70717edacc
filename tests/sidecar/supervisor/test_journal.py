import os
import signal
import sqlite3
import subprocess
import sys
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from config.errors import ConfigError, JournalError
from sidecar.supervisor.journal import Journal, WantedRoom
from sidecar.supervisor.values import RoomRequest

CREATED = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)

PROGRAM = (
    "import asyncio, datetime, pathlib, sys, time\n"
    "from sidecar.supervisor.journal import Journal, WantedRoom\n"
    "from sidecar.supervisor.values import RoomRequest\n"
    "async def main():\n"
    "    journal = Journal(pathlib.Path(sys.argv[1]))\n"
    "    await journal.start()\n"
    "    for number in range(100):\n"
    "        now = datetime.datetime.now(datetime.UTC)\n"
    "        request = RoomRequest(url='wss://sfu.example')\n"
    "        await journal.add(WantedRoom(f'r-{number}', request, {}, now))\n"
    "        print(number, flush=True)\n"
    "asyncio.run(main())\n"
)


def wanted(room: str = "r-1", **request: object) -> WantedRoom:
    asked = RoomRequest.model_validate({"url": "wss://sfu.example#room"} | request)
    return WantedRoom(room, asked, {"TOKEN": "env:TOKEN"}, CREATED)


def everything(folder: Path) -> bytes:
    return b"".join(path.read_bytes() for path in folder.iterdir())


def add_until_killed(path: Path) -> int:
    """Start a journal that adds rooms, kill it, and return the last that it acknowledged."""
    command = [sys.executable, "-c", PROGRAM, str(path)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as child:
        assert child.stdout is not None
        first = [int(child.stdout.readline()) for _ in range(10)]
        os.kill(child.pid, signal.SIGKILL)
        return max([*first, *map(int, child.stdout.read().split())])


async def test_rooms_outlive_the_journal_that_took_them(tmp_path: Path) -> None:
    async with Journal(tmp_path / "folder" / "journal.db") as journal:
        await journal.add(wanted(rate=2.0))
    async with Journal(tmp_path / "folder" / "journal.db") as journal:
        assert await journal.rooms() == [wanted(rate=2.0)]


async def test_secrets_of_the_request_are_not_written(tmp_path: Path) -> None:
    room = wanted(secrets={"JANUS_PIN": "tell-no-one"})
    async with Journal(tmp_path / "journal.db") as journal:
        await journal.add(room)
    assert b"tell-no-one" not in everything(tmp_path)


async def test_the_file_is_for_its_owner_alone(tmp_path: Path) -> None:
    async with Journal(tmp_path / "journal.db"):
        assert (tmp_path / "journal.db").stat().st_mode & 0o077 == 0


async def test_a_removed_room_is_forgotten_and_a_changed_one_remembered() -> None:
    async with Journal(None) as journal:
        await journal.add(wanted("r-1"))
        await journal.add(wanted("r-2"))
        await journal.remove("r-1")
        await journal.replace("r-2", wanted(rate=1.0).request)
        assert await journal.rooms() == [wanted("r-2", rate=1.0)]


async def test_a_second_room_with_the_same_key_is_refused() -> None:
    async with Journal(None) as journal:
        await journal.add(wanted("r-1", idempotency_key="k"))
        with pytest.raises(JournalError):
            await journal.add(wanted("r-2", idempotency_key="k"))


async def test_a_folder_in_place_of_the_file_is_one_clear_error(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="can't be opened"):
        await Journal(tmp_path).start()


async def test_a_file_that_is_no_journal_is_one_clear_error(tmp_path: Path) -> None:
    (tmp_path / "journal.db").write_text("not a database at all, and long enough to tell")
    with pytest.raises(ConfigError, match="can't be opened"):
        await Journal(tmp_path / "journal.db").start()


async def test_a_full_disk_is_one_clear_error_and_the_journal_stays_as_it_was(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with Journal(tmp_path / "journal.db") as journal:
        await journal.add(wanted("r-1"))
    connect = sqlite3.connect

    def full(*arguments: Any, **more: Any) -> sqlite3.Connection:
        """As on a disk without free space: SQLite gets no further page."""
        database: sqlite3.Connection = connect(*arguments, **more)
        (pages,) = database.execute("PRAGMA page_count").fetchone()
        database.execute(f"PRAGMA max_page_count = {pages}")
        return database

    monkeypatch.setattr(sqlite3, "connect", full)
    large = {f"SECRET_{number}": "x" * 4000 for number in range(16)}
    async with Journal(tmp_path / "journal.db") as journal:
        with pytest.raises(JournalError, match=r"full.*free disk space"):
            await journal.add(replace(wanted("r-2"), secrets=large))
        await journal.remove("r-1")
        await journal.add(wanted("r-3"))
        assert [room.id for room in await journal.rooms()] == ["r-3"]


async def test_what_was_added_survives_sigkill(tmp_path: Path) -> None:
    path = tmp_path / "journal.db"
    acknowledged = add_until_killed(path)
    async with Journal(path) as journal:
        kept = {room.id for room in await journal.rooms()}
    assert {f"r-{number}" for number in range(acknowledged + 1)} <= kept
