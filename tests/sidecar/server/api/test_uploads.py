import io
from typing import Any

import numpy as np
import pytest
from PIL import Image

from config.errors import InputError
from sidecar.server.api.uploads import MAX_PIXELS, decode_plain, decode_upload


def encoded(image: Image.Image, kind: str = "JPEG", **options: object) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, kind, **options)
    return buffer.getvalue()


def picture(width: int = 640, height: int = 360) -> Image.Image:
    """Red at the top, blue below."""
    pixels = np.zeros((height, width, 3), np.uint8)
    pixels[: height // 2, :, 0] = 255
    pixels[height // 2 :, :, 2] = 255
    return Image.fromarray(pixels)


@pytest.mark.parametrize(
    ("kind", "content_type"), [("JPEG", "image/jpeg"), ("PNG", "image/png"), ("WEBP", "image/webp")]
)
def test_a_picture_is_decoded_as_it_is(kind: str, content_type: str) -> None:
    upload = decode_upload(encoded(picture(), kind), content_type, 640)
    assert upload.pixels.shape == (360, 640, 3)
    assert (upload.pixels[10, 10] > (200, -1, -1)).all()
    assert upload.pixels[350, 10, 2] > 200


@pytest.mark.parametrize("size", [(1920, 1080), (1281, 719), (4000, 300), (641, 641)])
def test_a_large_picture_is_scaled_down_and_its_size_is_kept(size: tuple[int, int]) -> None:
    upload = decode_upload(encoded(picture(*size)), "image/jpeg", 640)
    assert max(upload.pixels.shape[:2]) <= 640
    assert (upload.width, upload.height) == size


def test_a_turned_picture_is_seen_upright() -> None:
    exif = Image.Exif()
    exif[0x0112] = 6
    upload = decode_upload(encoded(picture(), exif=exif), "image/jpeg", 640)
    assert upload.pixels.shape == (640, 360, 3)
    assert upload.pixels[320, 350, 0] > 200


def test_a_grey_picture_is_decoded() -> None:
    upload = decode_upload(encoded(picture().convert("L")), "image/jpeg", 640)
    assert upload.pixels.shape == (360, 640, 3)


@pytest.mark.parametrize(
    ("data", "content_type", "status"),
    [
        (b"hello", "text/plain", 415),
        (b"hello", "image/jpeg", 422),
        (b"", "image/png", 422),
        (encoded(picture())[:2000], "image/jpeg", 422),
        (encoded(picture(), "PNG"), "image/jpeg", 422),
    ],
    ids=["type", "nonsense", "nothing", "cut", "other"],
)
def test_what_is_no_picture_is_refused(data: bytes, content_type: str, status: int) -> None:
    with pytest.raises(InputError) as refused:
        decode_upload(data, content_type, 640)
    assert refused.value.status == status
    assert refused.value.do


def test_a_picture_of_too_many_pixels_is_refused_by_its_header() -> None:
    side = int(MAX_PIXELS**0.5) + 10
    bomb = encoded(Image.new("L", (side, side)), "PNG")
    with pytest.raises(InputError, match="pixels") as refused:
        decode_upload(bomb, "image/png", 640)
    assert refused.value.status == 413


@pytest.mark.parametrize("options", [{}, {"subsampling": 0}, {"comment": b"of a camera"}])
def test_a_plain_jpeg_gives_the_same_pixels_either_way(options: dict[str, Any]) -> None:
    data = encoded(picture(), **options)
    quick = decode_plain(data, "image/jpeg", 640)
    assert quick is not None
    assert (quick.width, quick.height) == (640, 360)
    assert np.array_equal(quick.pixels, decode_upload(data, "image/jpeg", 640).pixels)


def turned() -> Image.Exif:
    exif = Image.Exif()
    exif[0x0112] = 6
    return exif


SCAN = b"\xff\xda\x00\x0c\x03\x01\x00\x02\x11\x03\x11\x00\x3f\x00"


@pytest.mark.parametrize(
    ("data", "content_type"),
    [
        (encoded(picture(), exif=turned()), "image/jpeg"),
        (encoded(picture(), icc_profile=b"of a camera"), "image/jpeg"),
        (encoded(picture(), progressive=True), "image/jpeg"),
        (encoded(picture().convert("L")), "image/jpeg"),
        (encoded(picture().convert("CMYK")), "image/jpeg"),
        (encoded(picture(641, 360)), "image/jpeg"),
        (encoded(picture())[:-2] + 1000 * SCAN + b"\xff\xd9", "image/jpeg"),
        (encoded(picture())[:2000], "image/jpeg"),
        (encoded(picture())[:20], "image/jpeg"),
        (b"", "image/jpeg"),
        (encoded(picture(), "PNG"), "image/png"),
        (encoded(picture()), "image/png"),
    ],
    ids=[
        *("turned", "profile", "progressive", "grey", "cmyk", "large", "many scans"),
        *("cut", "no scan", "nothing", "png", "wrong type"),
    ],
)
def test_what_takes_longer_or_is_damaged_is_no_plain_jpeg(data: bytes, content_type: str) -> None:
    assert decode_plain(data, content_type, 640) is None
