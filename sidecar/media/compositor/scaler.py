"""Scale a camera's picture into its place on the canvas: copied, halved or resampled."""

import av
import numpy as np
from av.video.reformatter import ColorRange, Interpolation, VideoReformatter

from sidecar.media.compositor.i420 import Plane, Planes
from sidecar.media.compositor.layout import Placement, Rect


class Scaler:
    """Paints one participant's pictures; keeps the swscale context, and the last result of it."""

    def __init__(self) -> None:
        self._reformatter = VideoReformatter()
        self._source: av.VideoFrame | None = None
        self._scaled: av.VideoFrame | None = None

    def paint(self, canvas: Planes, frame: av.VideoFrame, placement: Placement) -> None:
        """Paint what is shown of ``frame``, of any size and format, where ``placement`` says."""
        shown = placement.shown
        there = canvas.cut(shown)
        x, y = shown.x - placement.x, shown.y - placement.y
        if _twice_as_large(frame, placement):
            source = Rect(2 * x, 2 * y, 2 * shown.width, 2 * shown.height)
            halve(Planes.of(frame).cut(source), there)
            return
        scaled = self._scale(frame, placement.width, placement.height)
        there.copy_from(Planes.of(scaled).cut(Rect(x, y, shown.width, shown.height)))

    def _scale(self, frame: av.VideoFrame, width: int, height: int) -> av.VideoFrame:
        """``frame`` as yuv420p of the given size; ``frame`` itself if it is that already."""
        scaled = self._scaled
        size = (width, height)
        if frame is self._source and scaled is not None and (scaled.width, scaled.height) == size:
            return scaled
        self._scaled = self._reformatter.reformat(
            frame,
            width,
            height,
            "yuv420p",
            interpolation=Interpolation.BILINEAR,
            dst_color_range=ColorRange.MPEG if _full_range(frame) else None,
            threads=1,
        )
        self._source = frame
        return self._scaled


def halve(source: Planes, target: Planes) -> None:
    """Write ``source`` at half its size into ``target``: the rounded mean of each 2x2 samples.

    Less than half of what swscale and the copy from its result cost, and as many participants in
    full size as a canvas of 1280x720 can take are shown at just that size.
    """
    _halve(source.luma, target.luma)
    _halve(source.blue, target.blue)
    _halve(source.red, target.red)


def _halve(source: Plane, target: Plane) -> None:
    # Pairs of neighbours as one number of two bytes: what is done to them takes whole rows.
    pairs = source.view(np.uint16)
    upper, lower = pairs[0::2], pairs[1::2]
    total = upper & 0xFF
    total += upper >> 8
    total += lower & 0xFF
    total += lower >> 8
    total += 2
    total >>= 2
    np.copyto(target, total, casting="unsafe")


def _twice_as_large(frame: av.VideoFrame, placement: Placement) -> bool:
    return (
        frame.format.name == "yuv420p"
        and (frame.width, frame.height) == (2 * placement.width, 2 * placement.height)
        and not _full_range(frame)
    )


def _full_range(frame: av.VideoFrame) -> bool:
    return frame.color_range == ColorRange.JPEG or frame.format.name.startswith("yuvj")
