import base64
import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from config.errors import JournalError
from sidecar.supervisor.server_values import SnapshotView
from sidecar.supervisor.snapshot_folder import CONSENT, SnapshotFolder

NOW = datetime(2026, 11, 29, 12, 0, tzinfo=UTC)
PICTURE = SnapshotView(
    participant="p", name="Ada", width=64, height=36, jpeg=base64.b64encode(b"jpeg").decode()
)


def test_without_a_folder_pictures_are_answered_and_not_kept() -> None:
    taken = SnapshotFolder(None, 30).keep("r-1", [PICTURE], NOW)
    assert taken.pictures == (PICTURE,)
    assert taken.delete_after is None


def test_pictures_are_written_with_consent_and_date(tmp_path: Path) -> None:
    taken = SnapshotFolder(tmp_path, 30).keep("r-1", [PICTURE], NOW)
    assert taken.delete_after == NOW + timedelta(days=30)
    (picture,) = taken.pictures
    assert picture.jpeg is None
    assert picture.file is not None
    assert Path(picture.file).read_bytes() == b"jpeg"
    note = json.loads((Path(picture.file).parent / CONSENT).read_text())
    assert note["delete_after"] == "2026-12-29T12:00:00Z"
    assert note["pictures"][0]["name"] == "Ada"
    assert "not opted out" in note["note"]


def test_sets_whose_date_has_passed_are_deleted_and_nothing_else(tmp_path: Path) -> None:
    folder = SnapshotFolder(tmp_path, 30)
    folder.keep("r-1", [PICTURE], NOW)
    folder.keep("r-2", [PICTURE], NOW + timedelta(days=1))
    (tmp_path / "other").mkdir()
    (tmp_path / "other" / CONSENT).write_text("{}")
    folder.delete_expired(NOW + timedelta(days=30))
    assert sorted(path.name for path in tmp_path.iterdir()) == ["other", "r-2-20261130T120000Z"]


def test_a_folder_that_can_t_be_written_is_one_line(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(JournalError, match="can't be written"):
        SnapshotFolder(tmp_path / "file" / "x", 30).keep("r-1", [PICTURE], NOW)
