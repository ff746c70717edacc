"""The names of our own art, and the files that hold it and the user's."""

from collections.abc import Sequence
from pathlib import Path
from typing import Final

from config.errors import StickerError

STICKERS: Final = (
    "thumbs_up",
    "thumbs_down",
    "ok_hand",
    "victory",
    "rock",
    "ily",
    "open_palm",
    "fist",
    "pointing_up",
    "call_me",
    "raised_hand",
    "wave",
    "smile",
    "surprised",
    "thinking",
    "heart",
    "clap",
    "party",
    "laugh",
    "coffee",
    "question",
    "idea",
    "fire",
    "hundred",
    "eyes",
)
"""Square stickers that follow a hand or a face."""

EFFECTS: Final = ("confetti", "hearts", "fireworks", "balloons", "rain", "lasers")
"""Effects that fill a whole tile."""

_HERE: Final = Path(__file__).parent


def own_file(name: str) -> Path | None:
    """The file of our own sticker or effect ``name``; None when it is not ours."""
    if name in STICKERS:
        return _HERE / "stickers" / f"{name}.gif"
    if name in EFFECTS:
        return _HERE / "effects" / f"{name}.webp"
    return None


def find_file(name: str, folders: Sequence[Path]) -> Path:
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
        do=f"ours are {', '.join(STICKERS + EFFECTS)}",
    )
