"""Snapshots on disk, each set with a note of consent and a date of deletion. Blocks: for a thread.

A set is a folder ``ROOM-TIME`` with numbered JPEGs and ``consent.json``, which says who is shown,
why they may be, and until when.
"""

import base64
import shutil
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final

import structlog
from pydantic import ValidationError

from config.errors import JournalError
from sidecar.supervisor.server_values import SnapshotSet, SnapshotView

log = structlog.get_logger(__name__)

NOTE: Final = (
    "Taken by the operator from a meeting. Shows participants who have not opted out of being "
    "looked at. Use it for what they agreed to alone, and delete it by the date given."
)
CONSENT: Final = "consent.json"


class SnapshotFolder:
    """The sets in ``folder``, kept for ``days``; without a folder pictures are answered alone."""

    def __init__(self, folder: Path | None, days: int) -> None:
        self._folder = folder
        self._kept = timedelta(days=days)

    def keep(self, room: str, pictures: Sequence[SnapshotView], now: datetime) -> SnapshotSet:
        """A set of ``pictures`` taken at ``now``, written where there is a folder.

        Raises JournalError where the disk does not take it.
        """
        now = now.astimezone(UTC).replace(microsecond=0)
        if self._folder is None:
            return SnapshotSet(
                room=room, taken=now, note=NOTE, delete_after=None, pictures=tuple(pictures)
            )
        until = now + self._kept
        target = self._folder / f"{room}-{now:%Y%m%dT%H%M%SZ}"
        try:
            target.mkdir(parents=True, exist_ok=True, mode=0o700)
            written = [_write(target, n, one) for n, one in enumerate(pictures, 1)]
            taken = SnapshotSet(
                room=room, taken=now, note=NOTE, delete_after=until, pictures=tuple(written)
            )
            (target / CONSENT).write_text(taken.model_dump_json(indent=1), encoding="utf-8")
        except OSError as error:
            shutil.rmtree(target, ignore_errors=True)
            what = f"the snapshots can't be written: {error.strerror}"
            raise JournalError(what, where=str(target), do="free disk space") from error
        return taken

    def delete_expired(self, now: datetime) -> None:
        """Delete the sets whose date has passed at ``now``; other folders are left alone."""
        if self._folder is None or not self._folder.is_dir():
            return
        for consent in self._folder.glob(f"*/{CONSENT}"):
            try:
                taken = SnapshotSet.model_validate_json(consent.read_bytes())
            except (OSError, ValidationError):
                continue
            if taken.delete_after is not None and taken.delete_after <= now:
                shutil.rmtree(consent.parent, ignore_errors=True)
                log.info("snapshots deleted", room=taken.room, reason="their date has passed")


def _write(folder: Path, number: int, picture: SnapshotView) -> SnapshotView:
    file = folder / f"{number}.jpg"
    file.write_bytes(base64.b64decode(picture.jpeg or ""))
    return picture.model_copy(update={"jpeg": None, "file": str(file)})
