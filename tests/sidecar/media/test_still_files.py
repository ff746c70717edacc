"""Still pictures in and out."""

import struct
import zlib
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest
from PIL import Image, ImageOps

from config.errors import PictureError
from sidecar.media.still_files import read_picture, write_picture


def save(path: Path, size: tuple[int, int], **options: Any) -> Path:
    Image.new("RGB", size, (10, 200, 30)).save(path, **options)
    return path


def test_a_picture_is_read_as_rgb(tmp_path: Path) -> None:
    picture = read_picture(save(tmp_path / "a.png", (40, 30)))
    assert picture.pixels.shape == (30, 40, 3)
    assert tuple(picture.pixels[0, 0]) == (10, 200, 30)


def test_a_large_picture_is_scaled_down_but_its_size_is_kept(tmp_path: Path) -> None:
    picture = read_picture(save(tmp_path / "a.png", (400, 200)), longest=100)
    assert picture.pixels.shape == (50, 100, 3)
    assert (picture.width, picture.height) == (400, 200)


def test_a_picture_stored_sideways_is_turned_upright(tmp_path: Path) -> None:
    exif = Image.Exif()
    exif[0x0112] = 6
    path = tmp_path / "a.jpg"
    Image.new("RGB", (40, 20)).save(path, exif=exif)
    picture = read_picture(path)
    assert (picture.width, picture.height) == (20, 40)


def test_a_picture_with_transparency_and_a_palette_is_read(tmp_path: Path) -> None:
    path = tmp_path / "a.gif"
    Image.new("P", (8, 6)).save(path, transparency=0)
    assert read_picture(path).pixels.shape == (6, 8, 3)


def test_a_missing_picture_is_named(tmp_path: Path) -> None:
    with pytest.raises(PictureError, match=r"gone\.png: can't be read: No such file"):
        read_picture(tmp_path / "gone.png")


@pytest.mark.parametrize("content", [b"", b"plain text", b"\x89PNG\r\n\x1a\n\x00\x00"])
def test_what_is_not_a_picture_is_refused(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "odd.png"
    path.write_bytes(content)
    with pytest.raises(PictureError, match=r"odd\.png"):
        read_picture(path)


def test_a_truncated_picture_is_refused(tmp_path: Path) -> None:
    path = save(tmp_path / "cut.jpg", (200, 200))
    path.write_bytes(path.read_bytes()[:-200])
    with pytest.raises(PictureError, match=r"cut\.jpg: can't be read"):
        read_picture(path)


def test_whatever_breaks_in_a_damaged_picture_is_told_by_its_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def break_down(picture: Image.Image) -> None:
        raise struct.error("unpack requires a buffer of 4 bytes")

    monkeypatch.setattr(ImageOps, "exif_transpose", break_down)
    with pytest.raises(PictureError, match=r"odd\.png: can't be read: unpack requires"):
        read_picture(save(tmp_path / "odd.png", (20, 20)))


def test_a_picture_of_too_many_pixels_is_refused_before_it_is_decoded(tmp_path: Path) -> None:
    def chunk(kind: bytes, data: bytes) -> bytes:
        return (
            struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
        )

    header = struct.pack(">IIBBBBB", 60_000, 60_000, 8, 2, 0, 0, 0)
    path = tmp_path / "bomb.png"
    path.write_bytes(b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IEND", b""))
    with pytest.raises(PictureError, match=r"bomb\.png"):
        read_picture(path)


def test_a_frame_is_written_in_the_format_of_the_suffix(tmp_path: Path) -> None:
    frame = av.VideoFrame.from_ndarray(np.full((20, 30, 3), 120, np.uint8), format="rgb24")
    write_picture(frame, tmp_path / "out.jpg")
    with Image.open(tmp_path / "out.jpg") as written:
        assert (written.format, written.size) == ("JPEG", (30, 20))


def test_a_folder_that_is_not_there_is_named(tmp_path: Path) -> None:
    frame = av.VideoFrame.from_ndarray(np.zeros((4, 4, 3), np.uint8), format="rgb24")
    with pytest.raises(PictureError, match=r"out\.png: can't be written"):
        write_picture(frame, tmp_path / "nowhere" / "out.png")
