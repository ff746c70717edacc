"""The newest of frames that come by themselves, for whoever reads them: never a queue."""

import asyncio

import av
from aiortc.mediastreams import MediaStreamError


class LatestFrame:
    """A ``VideoSource`` that is fed on the event loop; a frame that nobody read is replaced."""

    def __init__(self) -> None:
        self._newest: av.VideoFrame | None = None
        self._news = asyncio.Event()
        self.over = asyncio.Event()
        """Set when there will be no more frames."""

    def put(self, frame: av.VideoFrame) -> None:
        """Offer a frame in place of any that nobody has read."""
        self._newest = frame
        self._news.set()

    def end(self) -> None:
        """There will be no more; the last one may still be read."""
        self.over.set()
        self._news.set()

    async def recv(self) -> av.VideoFrame:
        """The next frame; raises MediaStreamError when there are no more."""
        while self._newest is None:
            if self.over.is_set():
                raise MediaStreamError
            self._news.clear()
            await self._news.wait()
        frame, self._newest = self._newest, None
        return frame
