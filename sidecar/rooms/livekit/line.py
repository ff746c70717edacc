"""A media section of the subscriber's connection, and whose camera it carries at the moment."""

import asyncio
from typing import Self

import structlog
from aiortc import MediaStreamTrack, RTCRtpTransceiver
from aiortc.mediastreams import MediaStreamError

from config.errors import RoomError
from sidecar.media.aiortc_patches import take_over
from sidecar.media.feed import Feed

log = structlog.get_logger(__name__)


class Handed:
    """One participant's share of what a line brings: the newest frame (a ``VideoSource``)."""

    def __init__(self) -> None:
        self._frame: object | None = None
        self._news = asyncio.Event()
        self._over = False

    def put(self, frame: object) -> None:
        """Here is a newer frame."""
        self._frame = frame
        self._news.set()

    def end(self) -> None:
        """There are no more."""
        self._over = True
        self._news.set()

    async def recv(self) -> object:
        """The newest frame, which nobody had yet; MediaStreamError once there are no more."""
        while self._frame is None:
            if self._over:
                raise MediaStreamError
            self._news.clear()
            await self._news.wait()
        frame, self._frame = self._frame, None
        return frame


class Line:
    """Reads one receiver's track from beginning to end, whoever it belongs to meanwhile.

    The server uses a section again for the next camera, in the same aiortc track. Whatever comes
    while it is nobody's is dropped, since aiortc would queue it without bound.
    """

    def __init__(self, transceiver: RTCRtpTransceiver) -> None:
        self._transceiver = transceiver
        self._ssrcs: tuple[int, ...] = ()
        self._handed: Handed | None = None
        self._reader: asyncio.Task[None] | None = None
        self.track = ""
        """The server's id of the track it carries; empty where it carries none."""
        self.feed: Feed | None = None

    async def carry(self, track: str, ssrcs: tuple[int, ...]) -> None:
        """From now on bring the stream of ``ssrcs``, that of ``track``.

        Raises RoomError where this aiortc can't use a section again.
        """
        if track == self.track and ssrcs == self._ssrcs:
            return
        await self.clear()
        if self._ssrcs and ssrcs != self._ssrcs and not take_over(self._transceiver, ssrcs):
            raise RoomError("this version of aiortc can't use a media section again")
        self.track, self._ssrcs = track, ssrcs
        if self._reader is None:
            reading = self._read(self._transceiver.receiver.track)
            self._reader = asyncio.create_task(reading, name=f"line {self._transceiver.mid}")
        self._handed = Handed()
        self.feed = await Feed(self._handed).__aenter__()

    async def clear(self) -> None:
        """It carries nobody's camera any more."""
        feed, self.feed, self._handed, self.track = self.feed, None, None, ""
        if feed is not None:
            await feed.__aexit__()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *exc: object) -> None:
        await self.clear()
        if self._reader is not None:
            self._reader.cancel()
            await asyncio.gather(self._reader, return_exceptions=True)

    async def _read(self, track: MediaStreamTrack) -> None:
        try:
            while True:
                frame = await track.recv()
                if self._handed is not None:
                    self._handed.put(frame)
        except MediaStreamError:
            pass
        except Exception:
            # One participant's stream must not disturb the others.
            log.exception("a camera's stream failed", track=self.track)
        finally:
            if self._handed is not None:
                self._handed.end()
