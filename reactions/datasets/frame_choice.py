"""Which frames of a video become pictures of a data set."""

from collections import deque
from typing import Final

from reactions.datasets.look import ALIKE, differing_bits

SCENE: Final = 24
"""Bits of 64 in which two frames in a row differ where a cut is between them. Unrelated pictures
differ in about 32, people who move in under 15."""
_REMEMBERED: Final = 500
"""Chosen frames that the next ones are compared with."""


class FrameChoice:
    """Chooses every n-th frame and each first frame after a cut, without near-duplicates.

    ``every``: 1 or more; ``scenes``: whether cuts count; ``alike``: bits in which a frame may
    differ from a chosen one and be its duplicate, -1 to keep duplicates.
    """

    def __init__(self, every: int = 30, *, scenes: bool = True, alike: int = ALIKE) -> None:
        self._every = every
        self._scenes = scenes
        self._alike = alike
        self._chosen: deque[int] = deque(maxlen=_REMEMBERED)
        self._last: int | None = None
        self._index = 0
        self.duplicates = 0
        """Frames that were due and are like a chosen one."""

    @property
    def due(self) -> bool:
        """Whether `take` has to see the next frame's bits; else 0 does."""
        return self._scenes or self._index % self._every == 0

    def take(self, bits: int) -> bool:
        """Whether the next frame, which looks like ``bits``, is chosen."""
        last, self._last = self._last, bits
        cut = self._scenes and last is not None and differing_bits(last, bits) >= SCENE
        nth = self._index % self._every == 0
        self._index += 1
        if not nth and not cut:
            return False
        if any(differing_bits(bits, chosen) <= self._alike for chosen in self._chosen):
            self.duplicates += 1
            return False
        self._chosen.append(bits)
        return True
