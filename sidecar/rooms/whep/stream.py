"""One WHEP stream: watched, lost, and watched again, as one source of frames."""

import asyncio
import contextlib

import aiohttp
import av
from aiortc import MediaStreamTrack, RTCPeerConnection
from aiortc.mediastreams import MediaStreamError

from sidecar.media.latest import LatestFrame
from sidecar.rooms.whep.client.endpoint import Endpoint
from sidecar.rooms.whep.client.reconnecting_session import ReconnectingSession
from sidecar.rooms.whep.client.session import CallOptions, WhipSession


class Stream(ReconnectingSession):
    """The frames of a stream, in ``frames``, while ``run`` runs.

    ``frames`` go on where they stopped: to whoever reads them, a stream that is away is a camera
    that stands still. They end where the server won't ever let us have them.
    """

    def __init__(
        self, http: aiohttp.ClientSession, endpoint: Endpoint, name: str, options: CallOptions
    ) -> None:
        super().__init__(http, endpoint, name, options)
        self.frames = LatestFrame()

    async def run(self) -> None:
        try:
            await super().run()
        finally:
            self.frames.end()

    def _prepare(self, peer: RTCPeerConnection) -> None:
        peer.addTransceiver("video", direction="recvonly")

    async def _attend(self, call: WhipSession) -> str:
        assert call.peer is not None
        (transceiver,) = call.peer.getTransceivers()
        pump = asyncio.create_task(self._pump(transceiver.receiver.track), name=self.name)
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
