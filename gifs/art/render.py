"""Render our stickers and effects from their SVG text: ``python -m gifs.art.render [NAME…]``.

Needs the ``dev`` extra (resvg). The files it writes are checked in: running needs none of it.
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
from gifs.art import effects, index
from gifs.art.style import INK
from gifs.art.svg_layers import SIZE, Effect, Sticker
from gifs.catalogue import FOLDER

Pixels: TypeAlias = npt.NDArray[np.uint8]

BORDER: Final = 6.5
"""Width of the white border around a sticker, in its pixels."""
SHADOW: Final = 4
"""How far the hard shadow falls below the border, in its pixels.

GIF knows no half-transparent pixels, so the shadow is solid; it keeps the white edge in sight over
bright pictures.
"""
COLOURS: Final = 96
"""Colours of a GIF; one more is transparent."""

FAINTEST: Final = 24
"""The least alpha of an effect."""

_NAMES: Final = (*index.DRAWINGS, *effects.DRAWINGS)


def rasterise(svg: str, width: int, height: int) -> Image.Image:
    """Premultiplied RGBA picture of an SVG document."""
    png = resvg_py.svg_to_bytes(svg_string=svg, width=width, height=height, skip_system_fonts=True)
    return Image.open(BytesIO(png)).convert("RGBA").convert("RGBa")


def render_files(sticker: Sticker) -> list[Image.Image]:
    """The frames of a sticker: RGBA, 240x240, every pixel either transparent or opaque."""
    return [render_frame(sticker, frame) for frame in range(sticker.frames)]


def render_frame(sticker: Sticker, frame: int) -> Image.Image:
    """One frame with a border and a shadow around it, and a hard edge."""
    art = rasterise(sticker.draw(frame), SIZE, SIZE)
    border = _grow(np.asarray(art)[..., 3], BORDER)
    shadow = np.zeros_like(border)
    shadow[SHADOW:] = border[:-SHADOW]
    ground = Image.new("RGBa", (SIZE, SIZE))
    for colour, mask in ((INK, np.maximum(border, shadow)), ("#ffffff", border)):
        ground.paste(
            Image.new("RGBa", (SIZE, SIZE), _premultiplied(colour)), mask=Image.fromarray(mask)
        )
    ground = Image.alpha_composite(ground.convert("RGBA"), art.convert("RGBA"))
    cut = np.array(ground)
    cut[..., 3] = np.where(cut[..., 3] >= 128, 255, 0)
    cut[cut[..., 3] == 0] = 0
    return Image.fromarray(cut)


def _premultiplied(colour: str) -> tuple[int, int, int, int]:
    red, green, blue = (int(colour[i : i + 2], 16) for i in (1, 3, 5))
    return red, green, blue, 255


def _grow(mask: Pixels, radius: float) -> Pixels:
    """The largest value within ``radius``, by samples on two rings: no part is thinner."""
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
    colours = (palette.getpalette() or [])[: 3 * COLOURS]
    pictures = []
    for frame in frames:
        indexed = frame.convert("RGB").quantize(palette=palette, dither=Image.Dither.NONE)
        indices = np.array(indexed)
        indices[np.asarray(frame)[..., 3] == 0] = COLOURS
        picture = Image.fromarray(indices)
        picture.putpalette([*colours, 0, 0, 0])
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


def render_effect(effect: Effect) -> list[Image.Image]:
    """The frames of an effect: RGBA of the size it asks for, with soft edges."""
    return [_soften(rasterise(effect.draw(frame), *effect.size)) for frame in range(effect.frames)]


def _soften(image: Image.Image) -> Image.Image:
    """Straight alpha, without what is all but transparent.

    Dividing by so small an alpha leaves nothing of the colour but its rounding error, which shows
    as a dark haze.
    """
    pixels = np.array(image.convert("RGBA"))
    pixels[pixels[..., 3] < FAINTEST] = 0
    return Image.fromarray(pixels)


def encode_webp(frames: Sequence[Image.Image], delay: float, quality: int) -> bytes:
    """A WebP that loops for ever; ``delay`` is in seconds, ``quality`` 0–100."""
    target = BytesIO()
    frames[0].save(
        target,
        "WEBP",
        save_all=True,
        append_images=frames[1:],
        duration=round(delay * 1000),
        loop=0,
        quality=quality,
        alpha_quality=quality,
        method=4,
        background=(0, 0, 0, 0),
    )
    return target.getvalue()


def render_to_file(name: str) -> Path:
    """Render the drawing ``name`` into its folder. Raises StickerError for an unknown one."""
    if (effect := effects.DRAWINGS.get(name)) is not None:
        path = FOLDER / "effects" / f"{name}.webp"
        data = encode_webp(render_effect(effect), effect.delay, effect.quality)
    elif (sticker := index.DRAWINGS.get(name)) is not None:
        path = FOLDER / "stickers" / f"{name}.gif"
        data = encode_gif(render_files(sticker), sticker.delay)
    else:
        raise StickerError(
            "is not one of our stickers", where=name, do=f"ours are {', '.join(_NAMES)}"
        )
    path.parent.mkdir(exist_ok=True)
    path.write_bytes(data)
    return path


def main(names: Sequence[str]) -> int:
    """Render ``names``, or everything, and say how large each file became."""
    with ProcessPoolExecutor() as pool:
        for path in pool.map(render_to_file, names or _NAMES):
            print(f"{path.name}: {path.stat().st_size / 1024:.0f} KiB")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
