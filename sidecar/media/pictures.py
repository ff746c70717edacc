"""Picture files in and out: the one place that opens them, for recognition and for replay.

What a file is follows from its content. Pillow is given that one format: others of its plug-ins run
programs (Ghostscript for EPS). Sizes are compared with the limits before memory is taken.
"""

import ctypes
import warnings
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from fractions import Fraction
from functools import cache
from importlib.util import find_spec
from io import BytesIO
from pathlib import Path
from typing import Final, Self

import av
import numpy as np
import structlog
from PIL import Image, ImageFile, UnidentifiedImageError

from config.errors import PictureError, SidecarError
from gifs.delays import shown_seconds
from gifs.frames import seek_frame
from gifs.probe import probe
from reactions.landmark_types import RgbImage
from sidecar.captured import failure_text
from sidecar.media.container.codecs import fits
from sidecar.media.container.colour import PlainConverter
from sidecar.media.container.inputs import require_file, shown_path
from sidecar.media.container.reader import TimedFrame
from sidecar.media.new_file import new_file
from sidecar.media.picture_kinds import HEAD, picture_kind
from sidecar.media.viewed import Viewer

# The limit of pixels here is below the one that Pillow warns of, and is an error of one line.
warnings.filterwarnings("ignore", category=Image.DecompressionBombWarning)
log = structlog.get_logger(__name__)

MAX_BYTES: Final = 64 << 20
"""Bytes of a picture file that is read; a larger one is refused."""
MAX_PIXELS: Final = 64_000_000
"""Of a still picture: 256 MB while it is decoded; cameras in meetings have far fewer."""
MAX_SIDE: Final = 65_535
"""Pixels of one side, the most that JPEG has: Pillow takes 8 bytes for each line beside the pixels,
0.5 GB for a picture of 1x62,000,000."""
_FEWER_PIXELS: Final = {
    "AVIF": 48_000_000,
    "GIF": 16_000_000,
    "HEIF": 48_000_000,
    "JPEG2000": 16_000_000,
    "WEBP": 32_000_000,
}
"""Of the kinds whose decoders take several times as much."""
_PROBED: Final = frozenset({"GIF", "WEBP"})
"""Kinds for which Pillow takes memory before it says how much: for a WebP when it is opened, for a
GIF when a frame lies beyond the screen."""
_ANIMATED: Final = frozenset({"GIF", "PNG", "WEBP", "AVIF"})
_SMALLER: Final = "scale it down"
_MOST_FRAMES: Final = 100_000
"""Of an animation: about an hour at 30 frames a second."""

STILL_FORMATS: Final[Mapping[str, str]] = {
    ".jpg": "JPEG",
    ".jpeg": "JPEG",
    ".png": "PNG",
    ".webp": "WEBP",
    ".gif": "GIF",
    ".bmp": "BMP",
    ".tif": "TIFF",
    ".tiff": "TIFF",
    ".avif": "AVIF",
    ".jp2": "JPEG2000",
}
"""What still pictures are written as, by suffix, in Pillow's names."""
_SAVING: Final[Mapping[str, Mapping[str, int]]] = {
    "JPEG": {"quality": 92},
    "WEBP": {"quality": 90},
    "AVIF": {"quality": 85},
}


@dataclass(frozen=True, slots=True, eq=False)
class Picture:
    """A still picture, upright and opaque; ``pixels`` may be a scaled-down copy of the ``width`` x
    ``height`` that the file holds."""

    pixels: RgbImage
    width: int
    height: int


def is_picture(path: Path) -> bool:
    """Whether ``path`` holds a picture, still or animated; raises PictureError for no file."""
    return _kind(path) is not None


def is_animated(path: Path) -> bool:
    """Whether ``path`` holds a picture of several frames; raises PictureError where it is damaged
    or no picture that is read."""
    if _kind(path) not in _ANIMATED:
        return False
    with _opened(path) as image:
        return _frame_count(image) > 1


def read_picture(path: Path, *, longest: int = 1920) -> Picture:
    """The picture at ``path``, the first of several, at most ``longest`` pixels a side.

    Raises PictureError if the file is missing, not a picture, damaged or beyond the limits.
    """
    with _opened(path) as image:
        full = image.size
        image.draft(None, (longest, longest))
        viewer = Viewer(image)
        seen = viewer.view(image, longest)
        width, height = full[::-1] if viewer.transposed else full
        return Picture(np.asarray(seen), width, height)


def still_format(path: Path) -> str:
    """Pillow's name of the format that a still picture has at ``path``.

    Raises PictureError for a suffix that can't hold one.
    """
    kind = STILL_FORMATS.get(path.suffix.lower())
    if kind is None:
        what = f"{path.suffix or 'a name without a suffix'} can't hold a picture"
        raise PictureError(what, where=shown_path(path), do=f"name it {' '.join(STILL_FORMATS)}")
    return kind


def write_picture(frame: av.VideoFrame, path: Path) -> None:
    """Save ``frame`` in the format that the suffix of ``path`` names.

    The file appears whole or not at all. Raises PictureError if it can't be written.
    """
    kind = still_format(path)
    with new_file(path) as partial:
        try:
            picture = Image.fromarray(np.asarray(frame.to_ndarray(format="rgb24")))
            picture.save(partial, kind, **_SAVING.get(kind, {}))
        except (OSError, ValueError, KeyError) as error:
            what = f"can't be written: {failure_text(error)}"
            raise PictureError(what, where=shown_path(path)) from error


class AnimationReader:
    """The frames of an animated GIF, WebP, APNG or AVIF, once through, as browsers time them.

    It is read as `VideoReader` is. Raises PictureError where it can't be.
    """

    audio = None

    def __init__(self, path: Path) -> None:
        self._path = path
        self._shown = 0
        with _opened(path) as image:
            if not fits(*image.size):
                what = f"{image.width}x{image.height} is too large for an animation"
                raise PictureError(what, where=shown_path(path), do=_SMALLER)
            self._frames = _frame_count(image)
            self._delay = _delay(image)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc: object) -> None:
        """Nothing stays open between frames."""

    @property
    def rate(self) -> Fraction:
        """Frames a second by the delay of the first."""
        return 1 / Fraction(self._delay).limit_denominator(1000)

    @property
    def share(self) -> float:
        """How much of the file has been read, 0–1."""
        return self._shown / self._frames

    def __iter__(self) -> Iterator[TimedFrame]:
        time, converter = 0.0, PlainConverter()
        with _opened(self._path) as image:
            viewer, screen = Viewer(image), image.size
            for index in range(_first_frame(image), _first_frame(image) + self._frames):
                seek_frame(image, index)
                # What lies beyond the screen of a GIF is cut off, as in browsers.
                shown = image if image.size == screen else image.crop((0, 0, *screen))
                seen = viewer.view(shown, max(screen))
                frame = av.VideoFrame.from_ndarray(np.asarray(seen), format="rgb24")
                yield TimedFrame(converter.convert(frame, *seen.size), time)
                # Only now: WebP knows no delay before it has decoded.
                time += _delay(image)
                self._shown += 1


def _first_frame(image: Image.Image) -> int:
    """The first frame of the animation: an APNG may begin with a still for other programs."""
    return int(bool(getattr(image, "default_image", False)))


def _frame_count(image: Image.Image) -> int:
    return min(int(getattr(image, "n_frames", 1)) - _first_frame(image), _MOST_FRAMES)


def _delay(image: Image.Image) -> float:
    return shown_seconds(float(image.info.get("duration", 0)))


def _kind(path: Path) -> str | None:
    require_file(path)
    try:
        with path.open("rb") as file:
            return picture_kind(file.read(HEAD))
    except OSError as error:
        what = f"can't be read: {failure_text(error)}"
        raise PictureError(what, where=shown_path(path)) from error


@contextmanager
def _opened(path: Path) -> Iterator[ImageFile.ImageFile]:
    """The picture at ``path``, not decoded yet, within the limits of its kind."""
    where = shown_path(path)
    if require_file(path).st_size > MAX_BYTES:
        raise PictureError(f"exceeds {MAX_BYTES >> 20} MiB", where=where, do=_SMALLER)
    kind = _kind(path)
    if kind is None:
        raise PictureError("is not a picture of a kind that is read", where=where)
    limit = _FEWER_PIXELS.get(kind, MAX_PIXELS)

    def check(width: int, height: int) -> None:
        if width * height > limit:
            what = f"{width}x{height} exceeds {limit} pixels"
            raise PictureError(what, where=where, do=_SMALLER)

    try:
        data = path.read_bytes()
    except OSError as error:
        raise _picture_error(error, where) from error
    with opened_picture(data, kind, check, where=where) as image:
        yield image


@contextmanager
def opened_picture(
    data: bytes, kind: str, check: Callable[[int, int], None], *, where: str = ""
) -> Iterator[ImageFile.ImageFile]:
    """The picture in ``data``, of Pillow's format ``kind``, not decoded yet.

    ``check`` gets its width and height before memory is taken for them, and may raise. What breaks
    in the block, in decoding above all, is a PictureError; a SidecarError stays what it is.
    """
    try:
        _prepare(kind, where)
        if kind in _PROBED:
            check(*probe(data, max_frames=_MOST_FRAMES).canvas)
        with Image.open(BytesIO(data), formats=[kind]) as image:
            check(*image.size)
            if max(image.size) > MAX_SIDE:
                what = f"a side of {max(image.size)} pixels exceeds {MAX_SIDE}"
                raise PictureError(what, where=where, do=_SMALLER)
            yield image
    except SidecarError:
        raise
    except Exception as error:
        # Pillow meets damaged files with any exception: OSError, struct.error, KeyError, …
        raise _picture_error(error, where) from error


def _picture_error(error: Exception, where: str) -> PictureError:
    match error:
        case Image.DecompressionBombError():
            return PictureError("exceeds the limit of pixels", where=where, do=_SMALLER)
        case UnidentifiedImageError():
            return PictureError("is a damaged picture", where=where)
        case _:
            return PictureError(f"can't be read: {failure_text(error)}", where=where)


def _prepare(kind: str, where: str) -> None:
    """Load what reading ``kind`` needs; raises PictureError where that is not installed."""
    if kind == "HEIF":
        _load_heif(where)
    elif kind == "TIFF":
        _silence_libtiff()


@cache
def _silence_libtiff() -> None:
    """Keep libtiff from writing about damaged files to standard error; Pillow raises as well."""
    try:
        library = ctypes.CDLL(_linked_with_libtiff())
        library.TIFFSetErrorHandler.argtypes = [ctypes.c_void_p]
        library.TIFFSetErrorHandler.restype = ctypes.c_void_p
        library.TIFFSetErrorHandler(None)
    except (OSError, AttributeError) as error:
        log.debug("libtiff output not suppressed", reason=failure_text(error))


def _linked_with_libtiff() -> str | None:
    """The file of Pillow's own C code."""
    spec = find_spec("PIL._imaging")
    return None if spec is None else spec.origin


def _load_heif(where: str) -> None:
    try:
        from pillow_heif import register_heif_opener
    except ImportError as error:
        raise PictureError(
            "is a HEIC picture, which needs pillow-heif",
            where=where,
            do="pip install 'reaction-sidecar[heic]', or save it as JPEG",
        ) from error
    register: Callable[..., None] = register_heif_opener
    register(thumbnails=False)
