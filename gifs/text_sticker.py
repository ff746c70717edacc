"""A sticker made of a word or two: what a label plays that has no drawing."""

from pathlib import Path
from typing import Final

from PIL import Image, ImageDraw, ImageFont

_SIZE: Final = 240
"""Pixels of a side, as of our drawings."""
_PLATE, _EDGE, _INK = (255, 248, 231, 255), (38, 42, 58, 255), (38, 42, 58, 255)
_STEPS: Final = (0.2, 0.7, 1.0, 0.97, 1.0, 0.97, 1.0)
"""Shares of the full size, a frame each: it pops up, and then breathes."""
_FRAME_MS: Final = 110
_LARGEST, _SMALLEST = 64, 14
"""Pixels of letters."""


def draw_text_sticker(text: str, path: Path) -> None:
    """Write an animated GIF at ``path`` that shows ``text`` on a plate, a word a line."""
    plate = _plate(text)
    frames = [_frame(plate, step) for step in _STEPS]
    frames[0].save(
        path,
        "GIF",
        save_all=True,
        append_images=frames[1:],
        duration=_FRAME_MS,
        loop=0,
        disposal=2,
        transparency=255,
    )


def _plate(text: str) -> Image.Image:
    lines = "\n".join(text.split()[:4]) or "?"
    picture = Image.new("RGBA", (_SIZE, _SIZE))
    draw = ImageDraw.Draw(picture)
    draw.rounded_rectangle((10, 40, 230, 200), 40, fill=_PLATE, outline=_EDGE, width=8)
    size = _LARGEST
    while True:
        font = ImageFont.load_default(size)
        box = draw.multiline_textbbox((0, 0), lines, font=font, align="center", spacing=4)
        fits = box[2] - box[0] <= 196 and box[3] - box[1] <= 136
        if fits or size <= _SMALLEST:
            break
        size -= 4
    place = ((_SIZE - box[0] - box[2]) / 2, (_SIZE - box[1] - box[3]) / 2)
    draw.multiline_text(place, lines, fill=_INK, font=font, align="center", spacing=4)
    return picture


def _frame(plate: Image.Image, size: float) -> Image.Image:
    """``plate`` at a share of its size, in 255 colours and one that is transparent."""
    side = round(_SIZE * size)
    frame = Image.new("RGBA", (_SIZE, _SIZE))
    frame.paste(plate.resize((side, side), Image.Resampling.LANCZOS), ((_SIZE - side) // 2,) * 2)
    flat = frame.convert("RGB").quantize(255)
    clear = frame.getchannel("A").point(lambda value: 255 if value < 128 else 0)
    flat.paste(255, mask=clear)
    return flat
