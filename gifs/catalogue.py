"""Our own stickers and effects, found in their folders, and the user's."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from types import MappingProxyType
from typing import Final

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
    """The file of our own sticker or effect ``name``; None when it is not ours."""
    return STICKERS.get(name) or EFFECTS.get(name)


def find_sticker(name: str, folders: Sequence[Path]) -> Path:
    """The file that ``name`` means: our own art by its bare name, else the first in ``folders``.

    Raises StickerError where there is none, and for a name that could lead out of a folder.
    """
    own = own_file(name)
    if own is not None:
        return own
    # Backslash and colon are separators on Windows; a folder must serve alike everywhere.
    if not name.strip(". ") or any(sign in name for sign in "/\\:\0") or not name.isprintable():
        raise StickerError(
            "is not the name of a sticker or file",
            where=repr(name),
            do="give one of ours, or a file name without its folder",
        )
    for folder in folders:
        if (folder / name).is_file():
            return folder / name
    places = " or ".join(map(str, folders)) or "a folder of your own, as none is set"
    raise StickerError(
        f"is neither one of our stickers nor a file in {places}",
        where=repr(name),
        do=f"ours are {', '.join([*STICKERS, *EFFECTS])}",
    )
