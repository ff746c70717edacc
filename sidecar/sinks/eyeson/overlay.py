"""A sticker as a picture of the size of a meeting: what eyeson shows as a layer."""

import io
from pathlib import Path
from typing import Final

from PIL import Image

from config.errors import StickerError
from gifs.frames import seek_frame
from sidecar.sinks.eyeson.client import LayerImage

SHARE: Final = 0.4
"""Of the picture's height that the sticker has."""
MARGIN: Final = 0.05
"""Of the picture's height below it."""


def overlay(path: Path, width: int, height: int) -> LayerImage:
    """The sticker of ``path`` at the bottom centre of a transparent picture, as WebP.

    An overlay is not scaled and begins in the upper left corner, so that it has the size of the
    meeting's picture. Of an animation it shows the frame in the middle. Raises StickerError.
    """
    try:
        with Image.open(path, formats=["GIF", "PNG", "WEBP"]) as image:
            seek_frame(image, getattr(image, "n_frames", 1) // 2)
            sticker = image.convert("RGBA")
    except (OSError, ValueError, EOFError) as error:
        raise StickerError("the sticker can't be read", where=path.name) from error
    size = round(height * SHARE)
    sticker.thumbnail((min(size, width), size))
    canvas = Image.new("RGBA", (width, height))
    left = (width - sticker.width) // 2
    canvas.paste(sticker, (left, height - sticker.height - round(height * MARGIN)))
    buffer = io.BytesIO()
    canvas.save(buffer, "WEBP", lossless=True, method=0)
    return LayerImage(f"{path.stem}.webp", buffer.getvalue(), "image/webp")
