"""Expired snapshots are deleted while the server runs, not with the next snapshot."""

from datetime import timedelta
from pathlib import Path

from sidecar.supervisor.snapshot_cleaner import SnapshotCleaner
from sidecar.supervisor.snapshot_folder import SnapshotFolder
from tests.sidecar.clients import eventually
from tests.sidecar.supervisor.test_snapshot_folder import NOW, PICTURE


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


async def test_what_expired_while_no_server_ran_is_deleted_at_the_start(tmp_path: Path) -> None:
    folder = SnapshotFolder(tmp_path, 30)
    folder.keep("r-1", [PICTURE], NOW)
    folder.keep("r-2", [PICTURE], NOW + timedelta(days=1))
    async with SnapshotCleaner(folder, now=lambda: NOW + timedelta(days=30)):
        assert names(tmp_path) == ["r-2-20261130T120000Z"]


async def test_what_expires_later_is_deleted_on_a_timer(tmp_path: Path) -> None:
    folder = SnapshotFolder(tmp_path, 30)
    now = NOW
    async with SnapshotCleaner(folder, every=0.01, now=lambda: now):
        folder.keep("r-1", [PICTURE], NOW)
        assert names(tmp_path)
        now = NOW + timedelta(days=30)
        await eventually(lambda: not names(tmp_path))
