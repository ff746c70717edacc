"""Pixels of any picture file as a viewer shows them: upright, opaque, 8-bit sRGB."""

from io import BytesIO
from typing import Final

import numpy as np
import numpy.typing as npt
from PIL import Image, ImageCms

from sidecar.captured import Captured
from sidecar.media.container.colour import GROUND

_ORIENTATION: Final = 0x0112
"""The Exif tag; 1 is upright."""
_TURNS: Final = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}
_BAND: Final = 1 << 18
"""Pixels that are converted at once: a picture is never in memory twice at full size."""
_PROFILED: Final = frozenset({"L", "RGB", "CMYK", "LAB"})
_INTEGERS: Final = frozenset({"I", "I;16", "I;16L", "I;16B", "I;16N"})


class Viewer:
    """Shows ``image`` (or each frame of it) as RGB.

    Raises what Pillow raises on damaged files.
    """

    def __init__(self, image: Image.Image) -> None:
        orientation = _orientation(image)
        self._turn = _TURNS.get(orientation)
        self._profile = _profile(image)
        self.transposed = 5 <= orientation <= 8
        """Whether width and height are exchanged."""
        self.plain = orientation == 1 and self._profile is None and image.mode == "RGB"
        """Whether the pixels are shown as they are stored."""

    def view(self, image: Image.Image, longest: int) -> Image.Image:
        """The picture in RGB, upright, at most ``longest`` pixels a side."""
        image.load()
        factor = max(1, max(image.size) // longest)
        rows = max(_BAND // image.width // factor, 1) * factor
        scale = _grey_scale(image)
        size = -(-image.width // factor), -(-image.height // factor)
        seen = Image.new("RGB", size)
        for top in range(0, image.height, rows):
            box = (0, top, image.width, min(top + rows, image.height))
            band = self._coloured(image.crop(box), scale)
            seen.paste(band.reduce(factor) if factor > 1 else band, (0, top // factor))
        if self._turn is not None:
            seen = seen.transpose(self._turn)
        seen.thumbnail((longest, longest), Image.Resampling.BILINEAR)
        return seen

    def _coloured(self, band: Image.Image, scale: float) -> Image.Image:
        """``band`` in RGB; grey levels of deep pictures are multiplied by ``scale``."""
        if band.mode == "F" or band.mode in _INTEGERS:
            return _deep(band, scale)
        if self._profile is not None and band.mode == self._profile.in_mode:
            converted = ImageCms.applyTransform(band, self._profile.transform)
            if converted is not None:
                return converted
        if not band.has_transparency_data:
            return band.convert("RGB")
        colours = band.convert("RGBA")
        ground = Image.new("RGBA", band.size, (GROUND, GROUND, GROUND, 255))
        return Image.alpha_composite(ground, colours).convert("RGB")


class _Profile:
    """A conversion to sRGB of pictures in ``in_mode``."""

    def __init__(self, profile: ImageCms.ImageCmsProfile, in_mode: str) -> None:
        self.in_mode = in_mode
        self.transform = ImageCms.buildTransform(
            profile, ImageCms.createProfile("sRGB"), in_mode, "RGB"
        )


def _profile(image: Image.Image) -> _Profile | None:
    """The conversion that ``image`` asks for; None where it is sRGB, or doesn't say."""
    data = image.info.get("icc_profile")
    try:
        if image.mode == "LAB":
            return _Profile(ImageCms.ImageCmsProfile(ImageCms.createProfile("LAB")), "LAB")
        if not isinstance(data, bytes) or image.mode not in _PROFILED or b"sRGB" in data[:4096]:
            return None
        return _Profile(ImageCms.ImageCmsProfile(BytesIO(data)), image.mode)
    except (ImageCms.PyCMSError, OSError, ValueError, TypeError):
        # A damaged profile doesn't make the pixels unreadable.
        return None


def _orientation(image: Image.Image) -> int:
    # Exif is written wrong in every way; the pixels are good all the same.
    with Captured():
        value = image.getexif().get(_ORIENTATION, 1)
        return value if isinstance(value, int) else 1
    return 1


def _grey_scale(image: Image.Image) -> float:
    """What the levels of a deep grey picture are multiplied by to get 0–255."""
    if image.mode.startswith("I;16"):
        return 255 / 65535
    if image.mode not in ("I", "F"):
        return 1.0
    extrema = image.getextrema()
    with np.errstate(invalid="ignore"):
        most = float(np.nan_to_num(np.asarray(extrema, np.float64)).max())
    # Levels are in 0–1, in bytes, in 16 bits, or in units of their own.
    for white in (1.0, 255.0, 65535.0):
        if (image.mode == "F" or white > 1) and most <= white:
            return 255 / white
    return 255 / most


def _deep(band: Image.Image, scale: float) -> Image.Image:
    with np.errstate(invalid="ignore", over="ignore"):
        levels: npt.NDArray[np.float64] = np.asarray(band, np.float64) * scale
    grey = np.nan_to_num(levels).clip(0, 255).round().astype(np.uint8)
    return Image.fromarray(grey).convert("RGB")
