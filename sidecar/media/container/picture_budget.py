"""How much memory the decoders of all cameras together may keep in pictures."""

import threading
from typing import Final
from weakref import WeakKeyDictionary

MOST: Final = 1 << 30
"""Bytes. 49 cameras at 1280x720 whose decoders keep 5 pictures each take 340 MB; one camera at the
limits of `codecs` may take 192 MiB, and 49 of them 9.2 GiB without this."""
SMALL: Final = 32 << 20
"""Bytes that a decoder may take as long as they are there: 10 pictures of 1920x1080."""


class PictureBudget:
    """Bytes by decoder, ``most`` in all. Decoders run in threads of their own; a decoder that is
    freed gives back what it has."""

    def __init__(self, most: int = MOST) -> None:
        self.most = most
        self._taken: WeakKeyDictionary[object, int] = WeakKeyDictionary()
        self._lock = threading.Lock()

    @property
    def taken(self) -> int:
        """Bytes of all decoders."""
        with self._lock:
            return sum(self._taken.values())

    def reserve(self, decoder: object, nbytes: int) -> bool:
        """Let ``decoder`` take ``nbytes`` in place of what it had.

        False, and nothing, where that is more than is left, or more than a quarter of it: a few
        cameras of the largest size must not take the place of all others.
        """
        with self._lock:
            others = sum(self._taken.values()) - self._taken.get(decoder, 0)
            left = self.most - others
            if nbytes > (left if nbytes <= SMALL else left // 4):
                self._taken.pop(decoder, None)
                return False
            self._taken[decoder] = nbytes
            return True


ALL_CAMERAS: Final = PictureBudget()
"""The budget of this process."""
