"""A WHIP client (RFC 9725): publishes one track to an HTTP endpoint and takes it away again."""

import asyncio
import contextlib
from typing import Self
from urllib.parse import urljoin

import aiohttp
from aiortc import MediaStreamTrack, RTCPeerConnection, RTCSessionDescription

from config.errors import SignallingError
from sidecar.media.peer import close, peer_connection

SIGNALLING_SECONDS = 15
MAX_REDIRECTS = 5
MAX_ANSWER_BYTES = 64 * 1024


class WhipPublisher:
    """Publishes ``track`` to ``url`` while it is entered; raises SignallingError if refused."""

    def __init__(self, url: str, track: MediaStreamTrack) -> None:
        self._url = url
        self._track = track
        self._peer: RTCPeerConnection | None = None
        self._resource: str | None = None

    async def __aenter__(self) -> Self:
        self._peer = peer_connection()
        try:
            self._peer.addTransceiver(self._track, direction="sendonly")
            await self._peer.setLocalDescription(await self._peer.createOffer())
            answer = await self._post(self._peer.localDescription.sdp)
            await self._peer.setRemoteDescription(RTCSessionDescription(answer, "answer"))
        except BaseException:
            await self.__aexit__()
            raise
        return self

    async def __aexit__(self, *exc: object) -> None:
        self._track.stop()
        if self._resource is not None:
            with contextlib.suppress(aiohttp.ClientError, TimeoutError):
                async with aiohttp.ClientSession() as http, asyncio.timeout(SIGNALLING_SECONDS):
                    await http.delete(self._resource)
            self._resource = None
        if self._peer is not None:
            await close(self._peer)
            self._peer = None

    async def _post(self, offer: str) -> str:
        """Send the offer, following 307 and 308 as RFC 9725 asks; the answer's SDP."""
        url = self._url
        try:
            async with aiohttp.ClientSession() as http, asyncio.timeout(SIGNALLING_SECONDS):
                for _ in range(MAX_REDIRECTS):
                    headers = {"Content-Type": "application/sdp"}
                    async with http.post(
                        url, data=offer, headers=headers, allow_redirects=False
                    ) as response:
                        if response.status in (307, 308):
                            url = urljoin(url, response.headers.get("Location", ""))
                            continue
                        return await self._answer(response)
        except (aiohttp.ClientError, TimeoutError) as error:
            reason = str(error) or "no answer in time"
            raise SignallingError(reason, status=502, where=_shown(url)) from error
        raise SignallingError("too many redirects", status=502, where=_shown(url))

    async def _answer(self, response: aiohttp.ClientResponse) -> str:
        body = await response.content.read(MAX_ANSWER_BYTES)
        if response.status != 201:
            what = f"answered {response.status} {response.reason}"
            raise SignallingError(what, status=response.status, where=_shown(str(response.url)))
        # Relative to where the redirects led, or DELETE goes to the wrong server.
        self._resource = urljoin(str(response.url), response.headers.get("Location", ""))
        return body.decode()


def _shown(url: str) -> str:
    """``url`` without its query, where tokens travel."""
    return url.partition("?")[0]
