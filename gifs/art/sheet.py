"""A picture of all our stickers, for the README: ``python -m gifs.art.sheet OUT.png``."""

import sys
from collections.abc import Sequence
from typing import Final

from PIL import Image

from gifs.catalogue import STICKERS

COLUMNS: Final = 9
CELL: Final = 120
"""Pixels of a sticker's square."""
GROUND: Final = (58, 74, 88)
"""Neither bright nor dark: white borders and dark outlines are both in sight."""


def sticker_sheet() -> Image.Image:
    """Our stickers in the order of their names, each in the middle of its loop."""
    rows = -(-len(STICKERS) // COLUMNS)
    sheet = Image.new("RGB", (COLUMNS * CELL, rows * CELL), GROUND)
    for place, file in enumerate(STICKERS.values()):
        with Image.open(file) as sticker:
            sticker.seek(getattr(sticker, "n_frames", 1) // 2)
            shown = sticker.convert("RGBA").resize((CELL, CELL), Image.Resampling.LANCZOS)
        row, column = divmod(place, COLUMNS)
        sheet.paste(shown, (column * CELL, row * CELL), shown)
    return sheet


def main(arguments: Sequence[str]) -> int:
    """The exit status."""
    if len(arguments) != 1:
        print("usage: python -m gifs.art.sheet OUT.png", file=sys.stderr)
        return 2
    sheet = sticker_sheet().quantize(256, kmeans=4, dither=Image.Dither.NONE)
    sheet.save(arguments[0], optimize=True)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
