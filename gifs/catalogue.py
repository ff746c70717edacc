"""Find shipped stickers and effects, and the user's own, by name."""

import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import MappingProxyType
from typing import Final
from unicodedata import normalize

from config.errors import StickerError

FOLDER: Final = Path(__file__).parent
"""Holds ``stickers/`` and ``effects/``."""


def _files(folder: str, suffix: str) -> Mapping[str, Path]:
    return MappingProxyType({path.stem: path for path in sorted((FOLDER / folder).glob(suffix))})


STICKERS: Final = _files("stickers", "*.gif")
"""Square stickers that follow a hand or a face: their files by name."""

EFFECTS: Final = _files("effects", "*.webp")
"""Effects that fill a whole tile: their files by name."""


def own_file(name: str) -> Path | None:
    """The file of the shipped sticker or effect ``name``; None if there is none."""
    return STICKERS.get(name) or EFFECTS.get(name)


def find_sticker(name: str, folders: Sequence[Path]) -> Path:
    """The file that ``name`` means: a shipped one by its bare name, else the first in ``folders``.

    A name may hold any character but those that separate folders. Accents that are written in
    another way (Unicode's NFC and NFD) are the same, and U+FFFD stands for bytes that are no UTF-8.
    Raises StickerError where there is none, for a name that could lead out of a folder, and for a
    link that does.
    """
    own = own_file(name)
    if own is not None:
        return own
    if not name.strip(". ") or "\0" in name or Path(name).name != name or "\\" in name:
        raise StickerError(
            "is not the name of a sticker or file",
            where=repr(name),
            do="give a shipped sticker's name, or a file name without its folder",
        )
    for folder in folders:
        found = _entry(name, folder)
        if found is not None:
            return found
    places = " or ".join(map(str, folders)) or "a folder of your own, as none is set"
    raise StickerError(
        f"is neither a shipped sticker nor a file in {places}",
        where=repr(name),
        do=f"ours are {', '.join([*STICKERS, *EFFECTS])}",
    )


def _entry(name: str, folder: Path) -> Path | None:
    """The file called ``name`` in ``folder``, with its links followed; None where there is none."""
    try:
        found = folder / name if (folder / name).is_file() else _spelled(name, folder)
        real = None if found is None else found.resolve(strict=True)
    except (OSError, RuntimeError, ValueError):
        # A name that is too long, a folder that may not be read, links in a circle.
        return None
    if real is not None and not real.is_relative_to(folder.resolve()):
        what = "is a link that leads out of its folder"
        raise StickerError(what, where=repr(name), do=f"copy the file into {folder}")
    return real


def _spelled(name: str, folder: Path) -> Path | None:
    wanted = normalize("NFC", name)
    entries = (entry for entry in sorted(folder.iterdir()) if entry.is_file())
    return next((entry for entry in entries if _plain_name(entry) == wanted), None)


def _plain_name(entry: Path) -> str:
    return normalize("NFC", os.fsencode(entry.name).decode(errors="replace"))
