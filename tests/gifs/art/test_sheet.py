"""The picture of all stickers."""

from pathlib import Path

import numpy as np

from gifs.art.sheet import CELL, COLUMNS, GROUND, main, sticker_sheet
from gifs.catalogue import STICKERS


def test_each_sticker_is_in_a_square_of_its_own() -> None:
    pixels = np.asarray(sticker_sheet())
    assert pixels.shape[0] // CELL * COLUMNS >= len(STICKERS)
    for place in range(pixels.shape[0] // CELL * COLUMNS):
        row, column = divmod(place, COLUMNS)
        square = pixels[row * CELL :, column * CELL :][:CELL, :CELL]
        drawn = float((square != GROUND).any(axis=2).mean())
        assert drawn > 0.1 if place < len(STICKERS) else drawn == 0


def test_without_a_file_the_command_says_how_it_is_used(tmp_path: Path) -> None:
    assert main([]) == 2
    assert main([str(tmp_path / "sheet.png")]) == 0
    assert (tmp_path / "sheet.png").read_bytes().startswith(b"\x89PNG")
