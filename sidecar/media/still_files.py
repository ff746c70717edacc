"""Still pictures in and out, with limits enforced before anything is decoded."""

from dataclasses import dataclass
from pathlib import Path

import av
import numpy as np
from PIL import Image, ImageOps, UnidentifiedImageError

from config.errors import PictureError
from reactions.landmark_types import RgbImage

SUFFIXES = frozenset({".bmp", ".gif", ".jpeg", ".jpg", ".png", ".tif", ".tiff", ".webp"})
"""File names that are taken for pictures; everything else is tried as a video."""

MAX_BYTES = 64 * 2**20
MAX_PIXELS = 64_000_000
"""A picture of 64 megapixels is 192 MB of RGB; no camera in a meeting comes near."""
_SMALLER = "scale it down"


@dataclass(frozen=True, slots=True, eq=False)
class Picture:
    """A still picture, upright; ``pixels`` may be a scaled-down copy of the ``width`` x ``height``
    that the file holds."""

    pixels: RgbImage
    width: int
    height: int


def read_picture(path: Path, *, longest: int = 1920) -> Picture:
    """The picture at ``path``, scaled down to at most ``longest`` pixels a side.

    Raises PictureError if the file is missing, not a picture, damaged or beyond the limits.
    """
    try:
        size = path.stat().st_size
        if size > MAX_BYTES:
            what = f"{size} bytes exceed the limit of {MAX_BYTES}"
            raise PictureError(what, where=str(path), do=_SMALLER)
        with Image.open(path) as picture:
            if picture.width * picture.height > MAX_PIXELS:
                what = f"{picture.width}x{picture.height} exceeds {MAX_PIXELS} pixels"
                raise PictureError(what, where=str(path), do=_SMALLER)
            upright = ImageOps.exif_transpose(picture).convert("RGB")
            width, height = upright.size
            upright.thumbnail((longest, longest), Image.Resampling.BILINEAR)
            return Picture(np.asarray(upright), width, height)
    except PictureError:
        raise
    except Image.DecompressionBombError as error:
        raise PictureError(f"exceeds {MAX_PIXELS} pixels", where=str(path), do=_SMALLER) from error
    except UnidentifiedImageError as error:
        raise PictureError("not a picture that we can read", where=str(path)) from error
    except Exception as error:
        # Pillow meets damaged files with whatever happens to break: OSError, struct.error, …
        reason = getattr(error, "strerror", None) or str(error)
        raise PictureError(f"can't be read: {reason}", where=str(path)) from error


def write_picture(frame: av.VideoFrame, path: Path) -> None:
    """Save ``frame`` in the format that the suffix of ``path`` names.

    Raises PictureError if there is no such format or the file can't be written.
    """
    try:
        Image.fromarray(frame.to_ndarray(format="rgb24")).save(path)
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        do = "name it .jpg, .png or .webp, in a folder that you may write to"
        raise PictureError(f"can't be written: {reason}", where=str(path), do=do) from error
