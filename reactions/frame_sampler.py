"""Convert a decoded video frame to an RGB sample."""

from fractions import Fraction

import av
import numpy as np
from av.video.reformatter import Interpolation, VideoReformatter

from reactions.landmark_types import Sample


def fitted(width: int, height: int, longest: int) -> tuple[int, int]:
    """``width`` x ``height`` scaled down, aspect kept, so that no side exceeds ``longest``."""
    scale = min(Fraction(1), Fraction(longest, max(width, height)))
    return max(1, round(width * scale)), max(1, round(height * scale))


class FrameSampler:
    """Converts frames to samples; keeps its scaler, so it belongs to one thread.

    ``longest`` is the longest side of a sample in pixels. The models read crops of 128–256 pixels:
    640 is as much as they can use of a person in front of a webcam.
    """

    def __init__(self, longest: int = 640) -> None:
        self._longest = longest
        self._reformatter = VideoReformatter()

    def sample(self, frame: av.VideoFrame, time: float) -> Sample:
        """The sample of ``frame``, taken at ``time`` seconds on the session's clock."""
        width, height = fitted(frame.width, frame.height, self._longest)
        rgb = self._reformatter.reformat(
            frame, width, height, "rgb24", interpolation=Interpolation.FAST_BILINEAR
        )
        return Sample(np.asarray(rgb.to_ndarray(), np.uint8), time)
