"""Stickers that clients upload: files of one folder, checked before they are kept."""

import os
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from config.errors import (
    ConfigError,
    InputError,
    JournalError,
    NotFoundError,
    PictureError,
    RefusedError,
    StickerError,
)
from gifs.catalogue import own_file
from gifs.loader import StickerLimits, load_sticker
from gifs.probe import probe
from sidecar.media.new_file import new_file
from sidecar.supervisor.server_values import StickerView

NAME: Final = r"^[A-Za-z0-9][A-Za-z0-9_-]{0,63}\.(gif|webp|png|apng)$"
MAX_FILES: Final = 200
"""Of one folder."""
LIMITS: Final = StickerLimits()
_CHECK_SIZE: Final = 16


class StickerFolder:
    """The stickers in ``folder``, which is made with the first of them. Blocks: for a thread."""

    def __init__(self, folder: Path) -> None:
        self.path = folder

    def list(self) -> Sequence[StickerView]:
        """All stickers by name; links and files that are no stickers are left out."""
        names = sorted(name for name in self._names() if re.match(NAME, name))
        views = (self._view(name) for name in names)
        return [view for view in views if view is not None]

    def add(self, name: str, data: bytes) -> StickerView:
        """Keep ``data`` as the sticker ``name``, in place of one that is there.

        What it is follows from its content. Raises InputError 422 for what is no GIF, WebP, PNG or
        APNG within the limits, RefusedError where the folder is full or ``name`` is a link.
        """
        self._check_name(name)
        if len(data) > LIMITS.file_bytes:
            what = f"the file exceeds {LIMITS.file_bytes} bytes"
            raise InputError(what, status=413, do="make it smaller")
        target = self.path / name
        if target.is_symlink() or self.path.is_symlink():
            raise RefusedError("is a link", where=name, do="give another name")
        if not target.exists() and len(self._names()) >= MAX_FILES:
            raise RefusedError(f"{MAX_FILES} stickers are there", where=name, do="delete some")
        try:
            self.path.mkdir(parents=True, exist_ok=True, mode=0o700)
            with new_file(target) as partial:
                partial.write_bytes(data)
                _check_content(partial, name)
        except (OSError, PictureError) as error:
            what = f"the sticker can't be written: {error}"
            raise JournalError(what, where=name, do="free disk space") from error
        view = self._view(name)
        assert view is not None
        return view

    def read(self, name: str) -> bytes:
        """The file; raises NotFoundError."""
        if (data := self._read(name)) is None:
            raise NotFoundError("there is no such sticker", where=name)
        return data

    def remove(self, name: str) -> None:
        """Delete a sticker; raises NotFoundError."""
        if self._read(name) is None:
            raise NotFoundError("there is no such sticker", where=name)
        (self.path / name).unlink()

    def _names(self) -> Sequence[str]:
        try:
            return [entry.name for entry in self.path.iterdir()]
        except OSError:
            return []

    def _read(self, name: str) -> bytes | None:
        """The content of a regular file; a link is never followed."""
        if re.match(NAME, name) is None or self.path.is_symlink():
            return None
        try:
            descriptor = os.open(self.path / name, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
            with os.fdopen(descriptor, "rb") as file:
                data = file.read(LIMITS.file_bytes + 1)
        except OSError:
            return None
        return data if len(data) <= LIMITS.file_bytes else None

    def _view(self, name: str) -> StickerView | None:
        data = self._read(name)
        try:
            found = None if data is None else probe(data, max_frames=LIMITS.frames)
        except ValueError:
            return None
        if data is None or found is None:
            return None
        return StickerView(
            name=name,
            kind=found.kind,
            width=found.width,
            height=found.height,
            frames=found.frames,
            bytes=len(data),
        )

    @staticmethod
    def _check_name(name: str) -> None:
        if re.match(NAME, name) is None:
            what = "is not a name of letters, digits, - and _ with .gif, .webp, .png or .apng"
            raise ConfigError(what, where=repr(name[:80]), do="name it like party.gif")
        if own_file(name) is not None:
            raise RefusedError("is one of our own stickers", where=name, do="give another name")


def _check_content(file: Path, name: str) -> None:
    try:
        load_sticker(file, _CHECK_SIZE, _CHECK_SIZE, LIMITS)
    except StickerError as error:
        do = "send a GIF, WebP, PNG or APNG"
        raise InputError(error.what, status=422, where=name, do=do) from error
