"""Load stickers on a thread, so that no tick waits for one."""

import time
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from typing import TypeAlias

from gifs.animation import Animation
from sidecar.media.compositor.compositor import Stickers

KEPT = 5.0
"""Seconds for which an unused animation is kept; the cache behind has a limit of its own
in bytes, which must not be undone here."""

Key: TypeAlias = tuple[str, int, int]


@dataclass(slots=True)
class _Request:
    loading: Future[Animation | None]
    asked: float


class StickerPrefetcher:
    """``stickers`` without the wait: the first ``get`` of a size only begins to load it.

    Decoding a sticker takes tens of milliseconds, a full-frame effect hundreds, and a tick of the
    composite is 40. ``get`` belongs to one thread, and comes no more once ``close`` is called.
    """

    def __init__(self, stickers: Stickers, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._stickers = stickers
        self._clock = clock
        self._pool = ThreadPoolExecutor(1, thread_name_prefix="stickers")
        self._requests: dict[Key, _Request] = {}

    def get(self, name: str, width: int, height: int) -> Animation | None:
        """The animation if it is there, None while it loads; raises what loading raised."""
        key, now = (name, width, height), self._clock()
        request = self._requests.get(key)
        if request is None:
            self._sweep(now)
            loading = self._pool.submit(self._stickers.get, *key)
            self._requests[key] = _Request(loading, now)
            return None
        request.asked = now
        return request.loading.result() if request.loading.done() else None

    def close(self) -> None:
        """Load no more; waits for the one that is being loaded."""
        self._pool.shutdown(cancel_futures=True)
        self._requests.clear()

    def _sweep(self, now: float) -> None:
        for key, request in tuple(self._requests.items()):
            if now - request.asked > KEPT and request.loading.done():
                del self._requests[key]
