"""From premultiplied RGBA to the premultiplied planes that a composite blends."""

from typing import Final, TypeAlias

import numpy as np
import numpy.typing as npt

from gifs.animation import YuvaFrame

Floats: TypeAlias = npt.NDArray[np.float32]

_BT601: Final = np.array(
    [
        [65.481, 128.553, 24.966, 16.0],
        [-37.797, -74.203, 112.0, 128.0],
        [112.0, -93.786, -18.214, 128.0],
    ],
    dtype=np.float32,
)
"""ITU-R BT.601, limited range: Y, Cb, Cr from R, G, B and 1, each in 0–1.

The offsets scale with alpha just as the colours do, so premultiplied RGB and alpha in the place of
the 1 give premultiplied YCbCr without ever dividing by alpha.
"""


def to_yuva(rgba: npt.NDArray[np.uint8]) -> YuvaFrame:
    """Convert (height, width, 4) premultiplied RGBA; height and width are even.

    Chroma is the mean of each 2x2 block, weighted by alpha, as is right for premultiplied values.
    """
    height, width = rgba.shape[:2]
    colour = np.empty((height, width, 4), dtype=np.float32)
    alpha = rgba[..., 3]
    # A resampling filter that overshoots may leave a colour brighter than its alpha allows.
    np.minimum(rgba[..., :3], alpha[..., None], out=colour[..., :3])
    colour[..., 3] = alpha
    quarter: Floats = colour.reshape(height // 2, 2, width // 2, 2, 4).mean(
        axis=(1, 3), dtype=np.float32
    )
    scaled: Floats = _BT601.T / np.float32(255)
    chroma: Floats = quarter @ scaled[:, 1:]
    return YuvaFrame(
        luma=_to_bytes(colour @ scaled[:, 0]),
        blue=_to_bytes(chroma[..., 0]),
        red=_to_bytes(chroma[..., 1]),
        alpha=np.ascontiguousarray(alpha),
        chroma_alpha=_to_bytes(quarter[..., 3]),
    )


def _to_bytes(values: Floats) -> npt.NDArray[np.uint8]:
    rounded: npt.NDArray[np.uint8] = np.rint(values).clip(0, 255).astype(np.uint8)
    return np.ascontiguousarray(rounded)
