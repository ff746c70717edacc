"""The names of our own art, and the files that hold it."""

from pathlib import Path
from typing import Final

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
