"""One WHIP or WHEP session over real sockets: negotiated, watched over, and taken away again."""

import asyncio
import contextlib
import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Final

import aiohttp
import structlog
from aiortc import RTCIceServer, RTCPeerConnection, RTCSessionDescription

from sidecar.media.aiortc_patches import ice_pair
from sidecar.media.peers import close, peer_connection
from sidecar.rooms.whep.client.endpoint import Endpoint, shown
from sidecar.rooms.whep.client.failures import Again, Failure, garbage
from sidecar.rooms.whep.client.protocol import (
    MAX_BODY,
    Answer,
    MakeOffer,
    Negotiation,
    Request,
    Response,
    Step,
)

log = structlog.get_logger(__name__)

NEGOTIATING: Final = 15.0
"""Seconds for all requests and the gathering of candidates, which takes 5 where STUN is down."""
CONNECTING: Final = 10.0
"""Seconds from the answer to the first packet's way being found."""
FAREWELL: Final = 0.9
"""Seconds that a server gets to hear that we go."""
LOOK: Final = 0.25
"""Seconds between two looks at a connection."""
DOUBT: Final = 1.0
"""Seconds of silence after which the server is asked whether it is there."""
ASKING: Final = 1.2
"""Seconds that it gets to answer; the question is repeated after half a second."""
SILENT: Final = 12.0
"""Seconds after which answers alone no longer count: some servers report every five seconds."""


@dataclass(frozen=True, slots=True)
class CallOptions:
    """How connections are made, whatever flows over them."""

    ice_servers: Sequence[RTCIceServer] = field(default=(), repr=False)
    """Our own; the server's come on top."""
    relay_only: bool = False


class WhipSession:
    """A session at ``endpoint``: ``connect``, ``last`` as long as it may, and ``leave``.

    ``prepare`` puts onto a new connection what is to flow over it. ``known`` are the ICE servers
    that an earlier call learned of.
    """

    def __init__(
        self,
        http: aiohttp.ClientSession,
        endpoint: Endpoint,
        options: CallOptions,
        prepare: Callable[[RTCPeerConnection], None],
        known: Sequence[RTCIceServer] = (),
    ) -> None:
        self._http = http
        self._where = shown(endpoint.url)
        self._options = options
        self._prepare = prepare
        self._negotiation = Negotiation(endpoint, known)
        self._pending: asyncio.Task[Response] | None = None
        self._changed = asyncio.Event()
        self.peer: RTCPeerConnection | None = None
        self.answer: Response | None = None
        """What the offer was answered, once it was."""

    @property
    def ice_servers(self) -> tuple[RTCIceServer, ...]:
        """What the server has named so far: with the answer, it is too late for this call."""
        return self._negotiation.ice_servers

    async def connect(self) -> Failure | None:
        """Negotiate, and wait until the connection is up; why that failed, where it did."""
        try:
            async with asyncio.timeout(NEGOTIATING):
                failure = await self._negotiate()
        except TimeoutError:
            return Failure("no answer in time", where=self._where)
        return failure or await self._up()

    async def last(self) -> str:
        """Wait as long as the connection lives; what ended it.

        aiortc itself takes half a minute to notice a dead server. Media or reports come about once
        a second from most; one that is silent for longer is asked, as ICE does.
        """
        assert self.peer is not None
        loop = asyncio.get_running_loop()
        count, heard = 0, loop.time()
        answered = heard
        while self.peer.connectionState == "connected":
            self._changed.clear()
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(LOOK):
                    await self._changed.wait()
            received, now = await self._received(), loop.time()
            if received > count:
                count, heard = received, now
            elif now - heard > SILENT:
                return "nothing comes from the server any more"
            elif now - max(heard, answered) > DOUBT:
                if not await self._answers():
                    return "the server does not answer any more"
                answered = loop.time()
        return "the server ended the connection"

    async def leave(self) -> None:
        """Say goodbye, also to a session that is only being made, and free the connection."""
        try:
            async with asyncio.timeout(FAREWELL):
                if self._pending is not None:
                    # The session's address is in the response: without it there is no goodbye.
                    with contextlib.suppress(aiohttp.ClientError, OSError):
                        self._negotiation.receive(await self._pending)
                if (request := self._negotiation.end()) is not None:
                    await self._fetch(request)
        except (aiohttp.ClientError, OSError, TimeoutError) as error:
            # A server that can't be reached notices by itself.
            log.debug("no goodbye", where=self._where, reason=repr(error))
        finally:
            if self._pending is not None:
                self._pending.cancel()
                await asyncio.gather(self._pending, return_exceptions=True)
            if self.peer is not None:
                await close(self.peer)

    async def _negotiate(self) -> Failure | None:
        step: Step = self._negotiation.begin()
        while True:
            match step:
                case Request():
                    step = await self._exchange(step)
                case MakeOffer():
                    step = self._negotiation.offer(await self._offer(step))
                case Answer():
                    return await self._take(step)
                case Failure():
                    return step

    async def _exchange(self, request: Request) -> Step:
        self._pending = asyncio.create_task(self._fetch(request), name=f"{request.method} call")
        try:
            # Not cancelled with us: ``leave`` wants to know what became of an offer.
            response = await asyncio.shield(self._pending)
        except (aiohttp.ClientError, OSError) as error:
            self._pending = None
            return self._negotiation.lost(_reason(error))
        self._pending = None
        return self._negotiation.receive(response)

    async def _fetch(self, request: Request) -> Response:
        async with self._http.request(
            request.method,
            request.url,
            headers=request.headers,
            data=request.body or None,
            allow_redirects=False,
        ) as response:
            body = b""
            while len(body) <= MAX_BODY and (part := await response.content.read(MAX_BODY + 1)):
                body += part
            return Response(response.status, tuple(response.headers.items()), body[: MAX_BODY + 1])

    async def _offer(self, step: MakeOffer) -> str:
        servers = [*self._options.ice_servers, *step.ice_servers]
        self.peer = peer_connection(servers, relay_only=self._options.relay_only)
        self.peer.on("connectionstatechange", self._changed.set)
        self._prepare(self.peer)
        await self.peer.setLocalDescription(await self.peer.createOffer())
        return self.peer.localDescription.sdp

    async def _take(self, answer: Answer) -> Failure | None:
        assert self.peer is not None
        self.answer = answer.response
        try:
            await self.peer.setRemoteDescription(RTCSessionDescription(answer.sdp, "answer"))
        except Exception as error:
            # Whatever breaks in aiortc at an answer that it can't take: ValueError, KeyError, …
            return garbage(f"its answer can't be used: {error!r}"[:200], self._where)
        return None

    async def _up(self) -> Failure | None:
        assert self.peer is not None
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(CONNECTING):
                while self.peer.connectionState in ("new", "connecting"):
                    self._changed.clear()
                    await self._changed.wait()
        if self.peer.connectionState == "connected":
            return None
        what = "media can't reach us from there"
        do = "let UDP through, or name a TURN server"
        return Failure(what, do, self._where, Again.SOON)

    async def _answers(self) -> bool:
        """Whether the other side answers a consent check; True where it can't be asked."""
        assert self.peer is not None
        try:
            async with asyncio.timeout(ASKING):
                pair = await ice_pair(self.peer)
        except TimeoutError:
            return False
        return pair is None or pair.round_trip is not None

    async def _received(self) -> int:
        """Bytes that have come, reports included."""
        assert self.peer is not None
        report = await self.peer.getStats()
        return sum(stats.bytesReceived for stats in report.values() if stats.type == "transport")


def _reason(error: Exception) -> str:
    """What went wrong, without the address that most of aiohttp's errors repeat with its query."""
    match error:
        case aiohttp.ClientConnectorCertificateError() | aiohttp.ClientConnectorSSLError():
            return "its certificate or its TLS is not to be trusted"
        case aiohttp.ClientConnectorError():
            number = error.os_error.errno
            return f"can't be reached: {os.strerror(number) if number else error.os_error}"
        case aiohttp.ClientResponseError():
            return f"speaks no HTTP that we know: {error.message[:120]}"
        case aiohttp.InvalidURL():
            return "has an address that can't be used"
    return str(error) or type(error).__name__
