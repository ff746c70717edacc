"""Rendering gives the checked-in pictures."""

from io import BytesIO

import numpy as np
import pytest
from PIL import Image

from config.errors import StickerError
from gifs.art import effects, index
from gifs.art.render import (
    encode_gif,
    encode_webp,
    rasterise,
    render_effect,
    render_frame,
    render_to_file,
)
from gifs.art.svg_layers import Effect
from gifs.catalogue import EFFECTS, STICKERS, own_file


def test_every_name_of_the_catalogue_has_a_drawing() -> None:
    assert set(index.DRAWINGS) == set(STICKERS)
    assert set(effects.DRAWINGS) == set(EFFECTS)


@pytest.mark.parametrize(("name", "frame"), [("thumbs_up", 0), ("coffee", 14)])
def test_a_sticker_drawn_again_is_the_same_picture(name: str, frame: int) -> None:
    path = own_file(name)
    assert path is not None
    with Image.open(path) as image:
        image.seek(frame)
        kept = np.asarray(image.convert("RGBA")).astype(int)
    drawn = np.asarray(render_frame(index.DRAWINGS[name], frame)).astype(int)
    assert (kept[..., 3] != drawn[..., 3]).mean() < 0.002
    shown = (kept[..., 3] == 255) & (drawn[..., 3] == 255)
    assert np.abs(kept - drawn)[shown].mean() < 4


def test_an_effect_drawn_again_is_the_same_picture() -> None:
    path = own_file("balloons")
    assert path is not None
    with Image.open(path) as image:
        image.seek(3)
        kept = np.asarray(image.convert("RGBa")).astype(int)
    drawing = effects.DRAWINGS["balloons"]
    drawn = np.asarray(rasterise(drawing.draw(3), *drawing.size)).astype(int)
    assert np.abs(kept - drawn).mean() < 2


def test_a_gif_keeps_colours_holes_and_pace() -> None:
    pixels = np.zeros((2, 20, 20, 4), dtype=np.uint8)
    pixels[0, :10] = (255, 203, 61, 255)
    pixels[1, 10:] = (63, 151, 255, 255)
    data = encode_gif([Image.fromarray(frame) for frame in pixels], 0.05)
    with Image.open(BytesIO(data)) as image:
        for frame in range(2):
            image.seek(frame)
            shown = np.asarray(image.convert("RGBA")).astype(int)
            assert np.array_equal(shown[..., 3], pixels[frame, ..., 3])
            assert np.abs(shown - pixels[frame])[shown[..., 3] == 255].max() <= 2
            assert image.info["duration"] == 50
        assert image.info["loop"] == 0


def test_a_webp_keeps_half_transparent_pixels() -> None:
    frames = [Image.new("RGBA", (16, 16), (255, 0, 0, alpha)) for alpha in (120, 200)]
    with Image.open(BytesIO(encode_webp(frames, 0.06, 90))) as image:
        image.seek(1)
        assert abs(image.convert("RGBA").getpixel((8, 8))[3] - 200) <= 4  # type: ignore[index]
        assert image.info["duration"] == 60


def test_an_unknown_name_is_refused() -> None:
    with pytest.raises(StickerError, match="not one of our stickers"):
        render_to_file("thumb")


def test_an_effect_has_as_many_frames_as_it_says() -> None:
    still = Effect(layers=(), frames=3, size=(32, 18))
    frames = render_effect(still)
    assert [frame.size for frame in frames] == [(32, 18)] * 3
