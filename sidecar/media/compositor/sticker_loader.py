"""Load stickers on a thread, so that no tick waits for one."""

import threading
import time
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from typing import TypeAlias

from gifs.animation import Animation
from sidecar.media.compositor.compositor import StickerSource

KEPT = 5.0
"""Seconds for which an unused animation is kept; the cache behind has a limit of its own
in bytes, which must not be undone here."""

Key: TypeAlias = tuple[str, int, int]


@dataclass(slots=True)
class _Request:
    loading: Future[Animation | None]
    asked: float


class StickerPrefetcher:
    """``stickers`` without the wait: ``prepare`` and the first ``get`` of a size begin to load it.

    Decoding a sticker takes tens of milliseconds, a full-frame effect hundreds, and a tick of the
    composite is 40. Both belong to one thread, and are called no more once ``close`` is.
    """

    def __init__(
        self, stickers: StickerSource, *, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._stickers = stickers
        self._clock = clock
        self._pool = ThreadPoolExecutor(1, thread_name_prefix="stickers")
        self._requests: dict[Key, _Request] = {}
        self._outdated = threading.Event()

    def get(self, name: str, width: int, height: int) -> Animation | None:
        """The animation if it is there, None while it loads; raises what loading raised."""
        known = (name, width, height) in self._requests
        loading = self._request(name, width, height)
        return loading.result() if known and loading.done() else None

    def prepare(self, name: str, width: int, height: int) -> None:
        """Begin to load the animation unless it is there; its failure is for ``get``."""
        self._request(name, width, height)

    def _request(self, *key: *Key) -> Future[Animation | None]:
        if self._outdated.is_set():
            self._outdated.clear()
            self._requests.clear()
        now = self._clock()
        request = self._requests.get(key)
        if request is None:
            self._sweep(now)
            request = _Request(self._pool.submit(self._stickers.get, *key), now)
            self._requests[key] = request
        request.asked = now
        return request.loading

    def refresh(self) -> None:
        """Files may have changed: ask for each animation again; for any thread."""
        self._outdated.set()

    def close(self) -> None:
        """Load no more; waits for the one that is being loaded."""
        self._pool.shutdown(cancel_futures=True)
        self._requests.clear()

    def _sweep(self, now: float) -> None:
        for key, request in tuple(self._requests.items()):
            if now - request.asked > KEPT and request.loading.done():
                del self._requests[key]
