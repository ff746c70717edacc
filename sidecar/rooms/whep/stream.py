"""One WHEP stream: watched, lost, and watched again, as one source of frames."""

import asyncio
import contextlib
import random
from collections.abc import Callable, Sequence
from typing import Final

import aiohttp
import av
import structlog
from aiortc import MediaStreamTrack, RTCIceServer, RTCPeerConnection
from aiortc.mediastreams import MediaStreamError

from sidecar.media.latest import LatestFrame
from sidecar.rooms.http_signalling.call import Call, CallOptions
from sidecar.rooms.http_signalling.endpoint import Endpoint
from sidecar.rooms.http_signalling.failures import Again, Failure
from sidecar.rooms.rejoin import Backoff

log = structlog.get_logger(__name__)

LATER: Final = Backoff(first=10.0, longest=30.0)
"""For a stream that somebody has to mend first."""
SETTLED: Final = 10.0
"""Seconds after which a stream's end is no failed attempt."""


class Stream:
    """The frames of ``endpoint``, in ``frames``, while ``run`` runs.

    Whatever ends it, it is watched anew, unless the server will never let us. ``frames`` go on
    where they stopped: to whoever reads them, a stream that is away is a camera that stands still.
    """

    def __init__(
        self,
        http: aiohttp.ClientSession,
        endpoint: Endpoint,
        name: str,
        options: CallOptions,
        *,
        backoff: Backoff | None = None,
        spread: Callable[[], float] = random.random,
    ) -> None:
        self._http = http
        self._endpoint = endpoint
        self._options = options
        self._backoff = backoff or Backoff()
        self._spread = spread
        self._call: Call | None = None
        self._known: Sequence[RTCIceServer] = ()
        self.name = name
        self.frames = LatestFrame()
        self.tried = asyncio.Event()
        """Set once the stream has been watched, or the first attempt failed."""
        self.failure: Failure | None = None
        """Why it isn't watched now; None while it is, or nothing is known yet."""

    @property
    def peer(self) -> RTCPeerConnection | None:
        """The connection of this moment."""
        return None if self._call is None else self._call.peer

    async def run(self) -> None:
        """Watch until cancelled, or until the server says that trying again can't help."""
        attempt = 0
        try:
            while True:
                failure, lasted = await self._watch()
                attempt = 0 if lasted else attempt + 1
                self._note(failure)
                if failure.again is Again.NEVER:
                    return
                await asyncio.sleep(self._pause(failure, attempt))
        except Exception as error:
            # One stream's surprise must not end the others.
            log.exception("stream failed", stream=self.name)
            self.failure = Failure(repr(error)[:200], again=Again.NEVER)
        finally:
            self.frames.end()
            self.tried.set()

    async def _watch(self) -> tuple[Failure, bool]:
        """One session, from offer to end: why it ended, and whether it had settled by then."""
        loop = asyncio.get_running_loop()
        call = self._call = Call(self._http, self._endpoint, self._options, _receive, self._known)
        try:
            if (failure := await call.connect()) is not None:
                return failure, False
            if self.failure is not None:
                log.info("stream is back", stream=self.name)
            self.failure = None
            self.tried.set()
            began = loop.time()
            what = await self._last(call)
            return Failure(what), loop.time() - began > SETTLED
        finally:
            self._known = call.ice_servers
            self._call = None
            await call.leave()

    async def _last(self, call: Call) -> str:
        """Take frames as long as there are any; why there are no more."""
        assert call.peer is not None
        (transceiver,) = call.peer.getTransceivers()
        track = transceiver.receiver.track
        pump = asyncio.create_task(self._pump(track), name=f"stream {self.name}")
        life = asyncio.create_task(call.last(), name=f"life of {self.name}")
        try:
            await asyncio.wait([pump, life], return_when=asyncio.FIRST_COMPLETED)
            if life.done():
                return life.result()
            pump.result()
            return "the server ended the stream"
        finally:
            pump.cancel()
            life.cancel()
            await asyncio.gather(pump, life, return_exceptions=True)

    async def _pump(self, track: MediaStreamTrack) -> None:
        with contextlib.suppress(MediaStreamError):
            while True:
                frame = await track.recv()
                if isinstance(frame, av.VideoFrame):
                    self.frames.put(frame)

    def _note(self, failure: Failure) -> None:
        if self.failure is None or str(self.failure) != str(failure):
            log.warning("stream is waited for", stream=self.name, reason=str(failure))
        self.failure = failure
        self.tried.set()

    def _pause(self, failure: Failure, attempt: int) -> float:
        backoff = LATER if failure.again is Again.LATER else self._backoff
        pause = backoff.delay(attempt, self._spread())
        return max(pause, failure.retry_after or 0.0)


def _receive(peer: RTCPeerConnection) -> None:
    peer.addTransceiver("video", direction="recvonly")
