"""Convert decoded pictures to what the composite takes: 8-bit 4:2:0, limited range, opaque.

The contrast is what a player shows: full range is compressed to limited range, HDR is mapped to
BT.709 as swscale maps it. Other colour tags stay as they are and go along to what is written.
"""

from typing import Final

import av
import numpy as np
from av.video.reformatter import (
    ColorPrimaries,
    ColorRange,
    Colorspace,
    ColorTrc,
    VideoReformatter,
)

GROUND: Final = 255
"""Grey level (0–255) that is laid below transparent pictures: white, as pages and viewers have."""

_HDR: Final = frozenset({ColorTrc.SMPTE2084, ColorTrc.ARIB_STD_B67})
_WIDE: Final = frozenset({9, 10})
"""AVCOL_SPC_BT2020_NCL and _CL: few players know them in 8 bits."""
_FORMAT: Final = "yuv420p"


class PlainConverter:
    """Converts the pictures of one track; swscale takes seconds to prepare for the first of HDR."""

    def __init__(self) -> None:
        self._scaler = VideoReformatter()

    def convert(self, frame: av.VideoFrame, width: int, height: int) -> av.VideoFrame:
        """``frame`` as ``width`` x ``height`` pixels of 8-bit 4:2:0, limited range, without alpha.

        It is the frame itself where it is all that already.
        """
        if _transparent(frame):
            frame = _on_ground(frame)
        wide = frame.color_trc in _HDR or frame.colorspace in _WIDE
        shape = (frame.format.name, frame.width, frame.height)
        if shape == (_FORMAT, width, height) and not wide and frame.color_range != ColorRange.JPEG:
            return frame
        if not wide:
            return self._scaler.reformat(
                frame, width, height, _FORMAT, dst_color_range=ColorRange.MPEG
            )
        return self._scaler.reformat(
            frame,
            width,
            height,
            _FORMAT,
            dst_colorspace=Colorspace.ITU709,
            dst_color_range=ColorRange.MPEG,
            dst_color_trc=ColorTrc.BT709,
            dst_color_primaries=ColorPrimaries.BT709,
        )


def copy_tags(source: av.VideoFrame, target: av.VideoFrame) -> None:
    """Give ``target`` the colour tags of ``source``: matrix, transfer, primaries and range."""
    target.colorspace = source.colorspace
    target.color_trc = source.color_trc
    target.color_primaries = source.color_primaries
    target.color_range = source.color_range


def _transparent(frame: av.VideoFrame) -> bool:
    pixels = frame.format
    return pixels.has_palette or any(component.is_alpha for component in pixels.components)


def _on_ground(frame: av.VideoFrame) -> av.VideoFrame:
    """``frame`` over a plain ground: what is hidden under its alpha stays hidden."""
    rgba = np.asarray(frame.to_ndarray(format="rgba"), np.uint8)
    alpha = rgba[..., 3:].astype(np.uint16)
    mixed = (rgba[..., :3] * alpha + GROUND * (255 - alpha) + 127) // 255
    opaque = av.VideoFrame.from_ndarray(mixed.astype(np.uint8), format="rgb24")
    opaque.pts = frame.pts
    return opaque
