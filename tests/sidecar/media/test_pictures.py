"""Pictures in and out, as viewers show them and within limits."""

import io
import os
import struct
import subprocess
import sys
import warnings
from pathlib import Path

import av
import numpy as np
import numpy.typing as npt
import pytest
from PIL import Image

from config.errors import PictureError
from sidecar.media.container.reader import TimedFrame
from sidecar.media.pictures import (
    STILL_FORMATS,
    AnimationReader,
    is_animated,
    is_picture,
    read_picture,
    still_format,
    write_picture,
)
from tests.confined import confined
from tests.gifs.pictures import GifWriter
from tests.picture_cases import (
    ODD_EXIF,
    Pixels,
    animation,
    colours,
    cutout,
    jpeg_with_exif,
    lab,
    png_header,
    ramp,
    sideways,
)


def shown(path: Path) -> Pixels:
    return read_picture(path).pixels


def saved(path: Path, image: Image.Image, **options: object) -> Path:
    image.save(path, **options)  # type: ignore[arg-type]
    return path


def thirds(pixels: Pixels) -> list[int]:
    """The strongest channel of the left, middle and right."""
    row = pixels[pixels.shape[0] // 2]
    return [int(row[len(row) * at // 6].argmax()) for at in (1, 3, 5)]


# Pixels


@pytest.mark.parametrize("suffix", sorted(STILL_FORMATS))
def test_every_kind_is_read_under_any_name(tmp_path: Path, suffix: str) -> None:
    path = tmp_path / "picture.txt"
    colours().save(path, STILL_FORMATS[suffix])
    pixels = shown(path)
    assert pixels.shape == (30, 40, 3)
    assert thirds(pixels) == [0, 1, 2]


def test_a_heic_is_read_under_any_name(tmp_path: Path) -> None:
    pillow_heif = pytest.importorskip("pillow_heif")
    path = tmp_path / "IMG_0001.jpg"
    pillow_heif.from_pillow(colours(64, 48)).save(path)
    assert thirds(shown(path)) == [0, 1, 2]


def test_a_heic_without_its_library_names_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(__import__("sys").modules, "pillow_heif", None)
    path = tmp_path / "IMG_0001.jpg"
    path.write_bytes(b"\0\0\0\x18ftypheic\0\0\0\0mif1heic" + bytes(40))
    with pytest.raises(PictureError, match=r"HEIC .* needs pillow-heif .*reaction-sidecar\[heic\]"):
        read_picture(path)


@pytest.mark.parametrize("orientation", range(1, 9))
def test_every_orientation_is_turned_upright(tmp_path: Path, orientation: int) -> None:
    path = tmp_path / "phone.jpg"
    path.write_bytes(sideways(orientation))
    picture = read_picture(path)
    assert (picture.width, picture.height) == (40, 30)
    assert thirds(picture.pixels) == [0, 1, 2]


@pytest.mark.parametrize("mode", ["I;16", "I", "F", "F of 255", "F of 65535"])
def test_deep_greys_keep_their_contrast(tmp_path: Path, mode: str) -> None:
    levels = ramp().astype(np.float32) / 255
    kinds: dict[str, npt.NDArray[np.generic]] = {
        "I;16": (levels * 65535).astype(np.uint16),
        "I": (levels * 65535).astype(np.int32),
        "F": levels,
        "F of 255": levels * 255,
        "F of 65535": levels * 65535,
    }
    path = saved(tmp_path / "grey.tif", Image.fromarray(kinds[mode]))
    assert np.abs(shown(path)[..., 0].astype(int) - ramp()).max() <= 1


def test_a_16_bit_png_is_not_white(tmp_path: Path) -> None:
    path = saved(tmp_path / "a.png", Image.fromarray(ramp().astype(np.uint16) * 257))
    assert np.abs(shown(path)[..., 0].astype(int) - ramp()).max() <= 1


def test_levels_that_are_no_number_are_black(tmp_path: Path) -> None:
    levels = np.full((30, 40), np.nan, np.float32)
    levels[:, 20:] = 1.0
    pixels = shown(saved(tmp_path / "a.tif", Image.fromarray(levels)))
    assert (int(pixels[0, 0, 0]), int(pixels[0, 30, 0])) == (0, 255)


@pytest.mark.parametrize("suffix", [".jpg", ".tif"])
def test_cmyk_has_the_right_colours(tmp_path: Path, suffix: str) -> None:
    path = saved(tmp_path / f"print{suffix}", colours().convert("CMYK"))
    assert thirds(shown(path)) == [0, 1, 2]


def test_lab_has_the_right_colours(tmp_path: Path) -> None:
    lab(tmp_path / "a.tif")
    pixels = shown(tmp_path / "a.tif")
    assert thirds(pixels) == [0, 1, 2]
    assert np.abs(pixels.astype(int) - np.asarray(colours())).mean() < 8


def test_a_broken_colour_profile_does_not_matter(tmp_path: Path) -> None:
    path = saved(tmp_path / "a.png", colours(), icc_profile=b"no profile" * 30)
    assert thirds(shown(path)) == [0, 1, 2]


@pytest.mark.parametrize("kind", ["RGBA", "LA", "palette", "colour key", "GIF", "WebP"])
def test_what_transparency_hides_is_not_seen(tmp_path: Path, kind: str) -> None:
    image = cutout()
    path = tmp_path / {"GIF": "a.gif", "WebP": "a.webp"}.get(kind, "a.png")
    if kind == "LA":
        image.convert("LA").save(path)
    elif kind == "palette":
        image.quantize(64, Image.Quantize.FASTOCTREE).save(path)
    elif kind == "colour key":
        keyed = Image.new("RGB", (40, 30), (0, 200, 0))
        keyed.paste((9, 9, 9), (20, 0, 40, 30))
        keyed.save(path, transparency=(9, 9, 9))
    else:
        image.save(path, lossless=True, exact=True)
    right = shown(path)[:, 22:].astype(int)
    assert right.min() >= 250


@pytest.mark.parametrize("data", ODD_EXIF.values(), ids=ODD_EXIF)
@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP"])
def test_odd_exif_never_refuses_good_pixels(
    tmp_path: Path, data: bytes, kind: str, capfd: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "a.bin"
    if kind == "JPEG":
        path.write_bytes(jpeg_with_exif(data))
    else:
        colours().save(path, kind, exif=data, lossless=True)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        assert thirds(shown(path)) == [0, 1, 2]
    assert capfd.readouterr().err == ""


def test_a_large_picture_is_scaled_down_but_its_size_is_kept(tmp_path: Path) -> None:
    picture = read_picture(saved(tmp_path / "a.png", colours(410, 205)), longest=100)
    assert picture.pixels.shape == (50, 100, 3)
    assert (picture.width, picture.height) == (410, 205)
    assert thirds(picture.pixels) == [0, 1, 2]


# Animations


@pytest.mark.parametrize("kind", ["GIF", "WEBP", "PNG", "AVIF"])
def test_an_animation_is_known_by_its_content(tmp_path: Path, kind: str) -> None:
    path = animation(tmp_path / "moving.jpg", kind, [100, 200, 300])
    still = saved(tmp_path / "still.gif", colours())
    assert is_animated(path)
    assert not is_animated(still)
    frames = list(AnimationReader(path))
    assert all(isinstance(item, TimedFrame) for item in frames)
    assert [item.time for item in frames] == pytest.approx([0, 0.1, 0.3])
    lumas = [int(item.frame.to_ndarray(format="gray").mean()) for item in frames]
    assert lumas == pytest.approx([20, 50, 80], abs=6)


@pytest.mark.parametrize("kind", ["GIF", "WEBP", "PNG"])
def test_short_delays_are_those_of_browsers(tmp_path: Path, kind: str) -> None:
    path = animation(tmp_path / "fast", kind, [10, 20, 10, 10])
    assert [item.time for item in AnimationReader(path)] == pytest.approx([0, 0.1, 0.12, 0.22])


def test_the_still_of_an_apng_is_no_frame(tmp_path: Path) -> None:
    path = animation(tmp_path / "a.png", "PNG", [100, 100, 100], default_image=True)
    lumas = [int(item.frame.to_ndarray(format="gray").mean()) for item in AnimationReader(path)]
    assert lumas == pytest.approx([50, 80], abs=4)


def test_pages_of_a_tiff_are_no_animation(tmp_path: Path) -> None:
    path = tmp_path / "fax.tif"
    colours().save(path, save_all=True, append_images=[colours()])
    assert not is_animated(path)


def test_a_picture_of_several_cameras_is_a_still(tmp_path: Path) -> None:
    path = tmp_path / "phone.jpg"
    colours().save(path, "MPO", save_all=True, append_images=[colours()])
    assert not is_animated(path)
    assert thirds(shown(path)) == [0, 1, 2]


def test_an_animation_of_a_large_screen_is_refused(tmp_path: Path) -> None:
    path = animation(tmp_path / "a.gif", "GIF", [100, 100])
    data = bytearray(path.read_bytes())
    data[6:10] = struct.pack("<HH", 3900, 3900)
    path.write_bytes(data)
    with pytest.raises(PictureError, match="3900x3900 is too large for an animation"):
        AnimationReader(path)


def test_what_lies_beyond_the_screen_of_a_gif_is_cut_off(tmp_path: Path) -> None:
    path = tmp_path / "a.gif"
    path.write_bytes(GifWriter(8, 8).frame(1, (0, 0, 8, 8)).frame(2, (0, 0, 12, 9)).done())
    sizes = [(item.frame.width, item.frame.height) for item in AnimationReader(path)]
    assert sizes == [(8, 8), (8, 8)]


def test_a_gif_whose_frames_lie_far_beyond_its_screen_takes_no_memory(tmp_path: Path) -> None:
    path = tmp_path / "a.gif"
    far = GifWriter(8, 8).frame(1, (0, 0, 8, 8)).frame(2, (12_000, 12_000, 8, 8))
    path.write_bytes(far.done())
    assert "12008x12008 exceeds" in confined(refusal, path, megabytes=30, seconds=5)


# What is refused


def test_a_missing_picture_is_named(tmp_path: Path) -> None:
    with pytest.raises(PictureError, match=r"gone\.png: can't be read: No such file"):
        read_picture(tmp_path / "gone.png")


@pytest.mark.parametrize("content", [b"", b"plain text", b"\x89PNG\r\n\x1a\n\x00\x00"])
def test_what_is_not_a_picture_is_refused(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "odd.png"
    path.write_bytes(content)
    with pytest.raises(PictureError, match=r"odd\.png"):
        read_picture(path)


@pytest.mark.parametrize("suffix", [".jpg", ".png", ".gif", ".webp", ".bmp", ".tif", ".jp2"])
def test_a_truncated_picture_is_refused(tmp_path: Path, suffix: str) -> None:
    noise = np.random.default_rng(1).integers(0, 255, (200, 200, 3), np.uint8)
    path = saved(tmp_path / f"cut{suffix}", Image.fromarray(noise))
    path.write_bytes(path.read_bytes()[:-5000])
    with pytest.raises(PictureError, match=rf"cut\{suffix}"):
        read_picture(path)


def test_a_damaged_tiff_writes_nothing_to_standard_error(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    path = saved(tmp_path / "a.tif", colours(), compression="tiff_lzw")
    data = bytearray(path.read_bytes())
    data[8:40] = bytes([0xFF]) * 32
    path.write_bytes(data)
    with pytest.raises(PictureError):
        read_picture(path)
    assert capfd.readouterr().err == ""


def test_a_picture_of_many_pixels_is_refused_without_a_warning(tmp_path: Path) -> None:
    path = saved(tmp_path / "a.png", Image.new("1", (10_000, 9_000)))
    code = f"from sidecar.media.pictures import *\ntry: read_picture(Path({str(path)!r}))"
    done = subprocess.run(
        [sys.executable, "-c", f"{code}\nexcept PictureError as error: print(error.what)"],
        check=True, capture_output=True, text=True,
    )  # fmt: skip
    assert "exceeds" in done.stdout
    assert done.stderr == ""


def postscript(path: Path, marker: Path) -> None:
    """An EPS that writes ``marker`` where an interpreter runs it, named as a picture."""
    path.write_text(
        "%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 40 30\n%%EndComments\n"
        f"({marker}) (w) file closefile showpage\n%%EOF\n"
    )


@pytest.mark.parametrize("name", ["a.jpg", "a.eps", "a.png"])
def test_programs_in_files_are_not_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    ran = tmp_path / "ran"
    tool = tmp_path / "bin" / "gs"
    tool.parent.mkdir()
    tool.write_text(f"#!/bin/sh\ntouch '{ran}'\n")
    tool.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tool.parent}:{os.environ['PATH']}")
    postscript(tmp_path / name, ran)
    assert not is_picture(tmp_path / name)
    with pytest.raises(PictureError, match="is not a picture of a kind that is read"):
        read_picture(tmp_path / name)
    assert not ran.exists()


def test_pipes_and_devices_are_refused(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.png")
    for path in (tmp_path / "pipe.png", Path("/dev/zero"), tmp_path):
        with pytest.raises(PictureError, match=r"not a regular file|is a folder"):
            read_picture(path)


def bombs(folder: Path) -> list[Path]:
    """Small files that announce 60,000x60,000 or 16,000x16,000 pixels."""
    files = {
        "a.png": png_header(60_000, 60_000),
        "a.webp": b"RIFF\x20\0\0\0WEBPVP8X\x0a\0\0\0\0\0\0\0" + b"\x7f\x3e\0" * 2 + bytes(12),
        "a.bmp": _resized(colours(), "BMP", 18, "<ii", 60_000, 60_000),
        "a.gif": _resized(colours(), "GIF", 6, "<HH", 60_000, 60_000),
        "a.jpg": _jpeg_of(60_000),
        "a.ppm": b"P6 60000 60000 255\n" + bytes(100),
        "tall.ppm": b"P6 1 62088180 255\n" + bytes(100),
    }
    for name, data in files.items():
        (folder / name).write_bytes(data)
    return [folder / name for name in files]


def _resized(image: Image.Image, kind: str, at: int, form: str, *size: int) -> bytes:
    stream = io.BytesIO()
    image.save(stream, kind)
    data = bytearray(stream.getvalue())
    struct.pack_into(form, data, at, *size)
    return bytes(data)


def _jpeg_of(side: int) -> bytes:
    stream = io.BytesIO()
    colours().save(stream, "JPEG")
    data = bytearray(stream.getvalue())
    struct.pack_into(">HH", data, data.index(b"\xff\xc0") + 5, side, side)
    return bytes(data)


def refusal(path: Path) -> str:
    try:
        read_picture(path)
    except PictureError as error:
        return str(error)
    return ""


def test_a_picture_of_too_many_pixels_takes_no_memory(tmp_path: Path) -> None:
    for path in bombs(tmp_path):
        text = confined(refusal, path, megabytes=30, seconds=5)
        assert "exceed" in text, path


def largest(path: Path) -> tuple[int, ...]:
    return read_picture(path).pixels.shape


@pytest.mark.parametrize("suffix", [".png", ".jpg", ".bmp"])
def test_the_largest_picture_takes_four_bytes_a_pixel(tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"large{suffix}"
    mode = "RGBA" if suffix == ".png" else "RGB"
    Image.new(mode, (8000, 2000), (9, 9, 9, 0)[: len(mode)]).save(path)
    size = 8000 * 2000 * 4 >> 20
    shape = confined(largest, path, megabytes=size + 30 + (path.stat().st_size >> 20), seconds=20)
    assert shape == (480, 1920, 3)


# Out


def frame() -> av.VideoFrame:
    return av.VideoFrame.from_ndarray(np.asarray(colours()), format="rgb24")


@pytest.mark.parametrize("suffix", sorted(STILL_FORMATS))
def test_a_frame_is_written_in_the_format_of_the_suffix(tmp_path: Path, suffix: str) -> None:
    write_picture(frame(), tmp_path / f"out{suffix}")
    with Image.open(tmp_path / f"out{suffix}") as written:
        assert (written.format, written.size) == (STILL_FORMATS[suffix], (40, 30))


def test_a_folder_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(PictureError, match=r"out\.png: can't be written"):
        write_picture(frame(), tmp_path / "nowhere" / "out.png")


def test_a_failure_leaves_an_older_picture(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "out.png"
    path.write_text("older")

    def fail(*args: object, **options: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Image.Image, "save", fail)
    with pytest.raises(PictureError, match="No space left"):
        write_picture(frame(), path)
    assert path.read_text() == "older"
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize("name", ["out.mp4", "out", "out.heic", "out.psd"])
def test_a_suffix_that_can_t_hold_a_picture_is_refused_with_a_list(name: str) -> None:
    with pytest.raises(PictureError, match=r"can't hold a picture \(name it \.jpg .*\.webp"):
        still_format(Path(name))
