"""Writes that a full disk refused."""

from collections.abc import Awaitable, Callable

from structlog.testing import capture_logs

from config.errors import JournalError
from sidecar.supervisor.late_writes import LateWrites


class Disk:
    """What is on a disk that may be full."""

    def __init__(self) -> None:
        self.full = True
        self.written: list[str] = []

    def writing(self, text: str) -> Callable[[], Awaitable[None]]:
        """Writes ``text`` when it is called."""

        async def write() -> None:
            if self.full:
                raise JournalError("the disk is full", where="journal")
            self.written.append(text)

        return write


async def test_a_write_that_failed_is_tried_until_the_disk_takes_it() -> None:
    disk, late = Disk(), LateWrites()
    with capture_logs() as logs:
        await late.write("end of a room", "r-1", disk.writing("r-1 ended"))
        await late.again()
        await late.again()
    assert [log["event"] for log in logs] == ["journal not written"]
    disk.full = False
    await late.again()
    await late.again()
    assert disk.written == ["r-1 ended"]


async def test_only_the_newest_write_of_a_kind_and_room_is_kept() -> None:
    disk, late = Disk(), LateWrites()
    await late.write("choices", "r-1", disk.writing("old"))
    await late.write("choices", "r-1", disk.writing("new"))
    await late.write("choices", "r-2", disk.writing("other"))
    disk.full = False
    await late.again()
    assert disk.written == ["new", "other"]


async def test_a_write_that_comes_through_takes_the_place_of_one_that_waits() -> None:
    disk, late = Disk(), LateWrites()
    await late.write("choices", "r-1", disk.writing("old"))
    disk.full = False
    await late.write("choices", "r-1", disk.writing("new"))
    await late.again()
    assert disk.written == ["new"]
