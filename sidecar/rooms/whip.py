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
    """Publishes ``track`` to ``url`` while it is entered; the track is stopped on the way out.

    Raises SignallingError if the server refuses, or doesn't answer as a WHIP server does.
    """

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
            await self._take(await self._post(self._peer.localDescription.sdp))
        except BaseException:
            await self.__aexit__()
            raise
        return self

    async def __aexit__(self, *exc: object) -> None:
        self._track.stop()
        resource, self._resource = self._resource, None
        peer, self._peer = self._peer, None
        try:
            if resource is not None:
                await _delete(resource)
        finally:
            if peer is not None:
                await close(peer)

    async def _take(self, answer: bytes) -> None:
        assert self._peer is not None
        try:
            description = RTCSessionDescription(answer.decode(), "answer")
            await self._peer.setRemoteDescription(description)
        except Exception as error:
            # Whatever breaks in aiortc at an answer that it can't take: ValueError, KeyError, …
            what = f"its answer can't be used: {error!r}"
            raise SignallingError(what, status=502, where=_shown(self._url)) from error

    async def _post(self, offer: str) -> bytes:
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

    async def _answer(self, response: aiohttp.ClientResponse) -> bytes:
        if response.status != 201:
            what = f"answered {response.status} {response.reason}"
            raise SignallingError(what, status=response.status, where=_shown(str(response.url)))
        if (location := response.headers.get("Location")) is not None:
            # Relative to where the redirects led, or DELETE goes to the wrong server.
            self._resource = urljoin(str(response.url), location)
        try:
            await response.content.readexactly(MAX_ANSWER_BYTES + 1)
        except asyncio.IncompleteReadError as all_of_it:
            return all_of_it.partial
        what = f"its answer has more than {MAX_ANSWER_BYTES} bytes"
        raise SignallingError(what, status=502, where=_shown(str(response.url)))


async def _delete(resource: str) -> None:
    """Say goodbye; a server that can't be reached notices by itself."""
    with contextlib.suppress(aiohttp.ClientError, TimeoutError):
        async with aiohttp.ClientSession() as http, asyncio.timeout(SIGNALLING_SECONDS):
            await http.delete(resource)


def _shown(url: str) -> str:
    """``url`` without its query, where tokens travel."""
    return url.partition("?")[0]
