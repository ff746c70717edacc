"""Frames of animations that Pillow opened."""

from io import BytesIO

import pytest
from PIL import Image

from gifs.frames import seek_frame
from tests.gifs.pictures import BLUE, GREEN, RED, encode, interlaced_apng, plain

COLOURS = (RED, GREEN, BLUE)


@pytest.mark.parametrize(
    "data",
    [
        pytest.param(interlaced_apng(*COLOURS), id="interlaced APNG"),
        pytest.param(encode(plain(*COLOURS), "PNG"), id="APNG"),
        pytest.param(encode(plain(*COLOURS), "WEBP", lossless=True), id="WebP"),
        pytest.param(encode(plain(*COLOURS), "GIF"), id="GIF"),
    ],
)
@pytest.mark.parametrize("order", [(0, 1, 2), (2,), (2, 0, 1)])
def test_frames_are_found_in_any_order(data: bytes, order: tuple[int, ...]) -> None:
    with Image.open(BytesIO(data)) as image:
        for index in order:
            seek_frame(image, index)
            assert image.convert("RGBA").getpixel((4, 4)) == COLOURS[index]
