"""Render our stickers and effects from their SVG text: ``python -m gifs.render [NAME…]``.

Needs the ``dev`` extra (resvg). The files it writes are checked in, so that nobody needs it to run.
"""

import sys
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from io import BytesIO
from math import cos, pi, sin
from pathlib import Path
from typing import Final, TypeAlias

import numpy as np
import numpy.typing as npt
import resvg_py
from PIL import Image

from config.errors import StickerError
from gifs.art.scene import SIZE, Sticker
from gifs.art.stickers import DRAWINGS
from gifs.art.style import INK
from gifs.catalogue import EFFECTS, STICKERS, own_file

Pixels: TypeAlias = npt.NDArray[np.uint8]

OVERSAMPLING: Final = 2
BORDER: Final = 6.5
"""Width of the white border around a sticker, in its pixels."""
SHADOW: Final = 4
"""How far the hard shadow falls below the border, in its pixels.

GIF knows no half-transparent pixels, so the shadow is solid; it keeps the white edge in sight over
bright pictures.
"""
COLOURS: Final = 96
"""Colours of a GIF; one more is transparent."""


def rasterise(svg: str, width: int, height: int) -> Image.Image:
    """Premultiplied RGBA picture of an SVG document."""
    png = resvg_py.svg_to_bytes(svg_string=svg, width=width, height=height, skip_system_fonts=True)
    return Image.open(BytesIO(png)).convert("RGBA").convert("RGBa")


def render(sticker: Sticker) -> list[Image.Image]:
    """The frames of a sticker: RGBA, 240x240, every pixel either transparent or opaque."""
    return [_cut_out(sticker.draw(frame)) for frame in range(sticker.frames)]


def _cut_out(svg: str) -> Image.Image:
    """Draw one frame, put a border and a shadow around it, and make its edge hard."""
    side = SIZE * OVERSAMPLING
    art = rasterise(svg, side, side)
    border = _grow(np.asarray(art)[..., 3], BORDER * OVERSAMPLING)
    shadow = np.zeros_like(border)
    drop = SHADOW * OVERSAMPLING
    shadow[drop:] = border[:-drop]
    ground = Image.new("RGBa", (side, side))
    for colour, mask in ((INK, np.maximum(border, shadow)), ("#ffffff", border)):
        ground.paste(Image.new("RGBa", (side, side), _premultiplied(colour)), mask=_image(mask))
    ground = Image.alpha_composite(ground.convert("RGBA"), art.convert("RGBA"))
    small = np.array(
        ground.convert("RGBa").resize((SIZE, SIZE), Image.Resampling.BOX).convert("RGBA")
    )
    small[..., 3] = np.where(small[..., 3] >= 128, 255, 0)
    small[small[..., 3] == 0] = 0
    return Image.fromarray(small)


def _premultiplied(colour: str) -> tuple[int, int, int, int]:
    red, green, blue = (int(colour[i : i + 2], 16) for i in (1, 3, 5))
    return red, green, blue, 255


def _image(mask: Pixels) -> Image.Image:
    return Image.fromarray(mask)


def _grow(mask: Pixels, radius: float) -> Pixels:
    """The largest value within ``radius``: two rings of samples, as no part is thinner than that."""
    reach = int(radius) + 1
    padded = np.pad(mask, reach)
    grown = mask.copy()
    height, width = mask.shape
    for ring, steps in ((radius, 40), (radius / 2, 16)):
        for step in range(steps):
            y = reach + round(ring * sin(2 * pi * step / steps))
            x = reach + round(ring * cos(2 * pi * step / steps))
            np.maximum(grown, padded[y : y + height, x : x + width], out=grown)
    return grown


def encode_gif(frames: Sequence[Image.Image], delay: float) -> bytes:
    """A GIF that loops for ever, all frames in one palette; ``delay`` is in seconds."""
    strip = np.concatenate([np.asarray(frame) for frame in frames])
    opaque = strip[strip[..., 3] == 255][:, :3]
    palette = Image.fromarray(opaque[None]).quantize(
        COLOURS, method=Image.Quantize.MEDIANCUT, kmeans=3
    )
    pictures = []
    for frame in frames:
        indexed = frame.convert("RGB").quantize(palette=palette, dither=Image.Dither.NONE)
        indices = np.array(indexed)
        indices[np.asarray(frame)[..., 3] == 0] = COLOURS
        picture = Image.fromarray(indices)
        picture.putpalette(palette.getpalette()[: 3 * COLOURS] + [0, 0, 0])
        pictures.append(picture)
    target = BytesIO()
    pictures[0].save(
        target,
        "GIF",
        save_all=True,
        append_images=pictures[1:],
        duration=round(delay * 1000),
        loop=0,
        transparency=COLOURS,
        disposal=2,
        optimize=False,
    )
    return target.getvalue()


def render_to_file(name: str) -> Path:
    """Render one sticker or effect to its place in the catalogue."""
    path = own_file(name)
    if path is None:
        raise StickerError(
            "is not one of our stickers", where=name, do=f"ours are {', '.join(STICKERS + EFFECTS)}"
        )
    sticker = DRAWINGS[name]
    path.parent.mkdir(exist_ok=True)
    path.write_bytes(encode_gif(render(sticker), sticker.delay))
    return path


def main(names: Sequence[str]) -> int:
    """Render ``names``, or everything, and say how large each file became."""
    with ProcessPoolExecutor() as pool:
        for path in pool.map(render_to_file, names or STICKERS + EFFECTS):
            print(f"{path.name}: {path.stat().st_size / 1024:.0f} KiB")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
