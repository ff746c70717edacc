"""One WHIP or WHEP session: negotiated, checked while it lasts, and deleted."""

import asyncio
import contextlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Final, TypeAlias

import aiohttp
import structlog
from aiortc import RTCIceServer

from config.errors import NegotiationError, RefusedError
from sidecar.aio import cancel_and_wait
from sidecar.media.ice import choose_servers
from sidecar.media.peer import Peer, PeerTimeouts
from sidecar.media.receive_peer import ReceivePeer
from sidecar.media.send_peer import SendPeer
from sidecar.redaction import shown_url
from sidecar.rooms.http import connection_failure, read_body
from sidecar.rooms.whep.client.endpoint import WhipEndpoint
from sidecar.rooms.whep.client.failures import Failure, Retry, garbage
from sidecar.rooms.whep.client.protocol import (
    MAX_BODY,
    HttpAnswer,
    MakeOffer,
    Negotiation,
    Request,
    Response,
    Step,
)

log = structlog.get_logger(__name__)

LOOK: Final = 0.25
"""Seconds between two looks at a connection."""


@dataclass(frozen=True, slots=True)
class WhipTimeouts:
    """How long each step of a session may take, in seconds."""

    negotiation: float = 15.0
    """All requests and the gathering of candidates, which takes 5 s where a server is down."""
    connection: float = 10.0
    """From the answer until media can flow."""
    delete: float = 0.9
    """The DELETE that ends the session."""
    doubt: float = 1.0
    """Silence after which the other side is asked by a consent check (RFC 7675)."""
    check: float = 1.2
    """The answer to that check, which is repeated after half a second."""
    silence: float = 12.0
    """Silence after which checks that are answered no longer count: some report every 5 s."""


@dataclass(frozen=True, slots=True)
class CallOptions:
    """How connections are made, in either direction."""

    ice_servers: Sequence[RTCIceServer] = field(default=(), repr=False)
    """Our own; TURN servers that the server names come on top."""
    relay_only: bool = False
    timeouts: WhipTimeouts = field(default_factory=WhipTimeouts)

    @property
    def peer_timeouts(self) -> PeerTimeouts:
        """The part of the timeouts that a peer connection keeps by itself."""
        return PeerTimeouts(self.timeouts.negotiation, self.timeouts.connection)


MakePeer: TypeAlias = Callable[[Sequence[RTCIceServer]], ReceivePeer | SendPeer]


class WhipSession:
    """A session at ``endpoint``: ``connect``, ``last`` as long as it may, and ``leave``.

    ``make_peer`` makes the connection, which is closed by ``leave``. ``known`` are the ICE servers
    that an earlier call learned of; each ``attempt`` takes the next TURN server of them.
    """

    def __init__(
        self,
        http: aiohttp.ClientSession,
        endpoint: WhipEndpoint,
        options: CallOptions,
        make_peer: MakePeer,
        known: Sequence[RTCIceServer] = (),
        attempt: int = 0,
    ) -> None:
        self._http = http
        self._where = shown_url(endpoint.url)
        self._options = options
        self._timeouts = options.timeouts
        self._make_peer = make_peer
        self._attempt = attempt
        self._negotiation = Negotiation(endpoint, known)
        self._pending: asyncio.Task[Response] | None = None
        self.peer: ReceivePeer | SendPeer | None = None
        self.answer: Response | None = None
        """What the offer was answered, once it was."""

    @property
    def ice_servers(self) -> tuple[RTCIceServer, ...]:
        """What the server has named so far: with the answer, it is too late for this call."""
        return self._negotiation.ice_servers

    async def connect(self) -> Failure | None:
        """Negotiate, and wait until the connection is up; why that failed, where it did."""
        try:
            async with asyncio.timeout(self._timeouts.negotiation):
                failure = await self._negotiate()
        except TimeoutError:
            return Failure("no answer in time", where=self._where)
        except NegotiationError as error:
            return Failure(error.what, error.do, self._where)
        return failure or await self._up()

    async def last(self) -> str:
        """Wait as long as the connection lives; what ended it.

        aiortc itself takes half a minute to notice a dead server. Media or reports come about once
        a second from most; one that is silent for longer is asked, as ICE does.
        """
        assert self.peer is not None
        ended = asyncio.create_task(self.peer.wait_over(), name="end of the session")
        silent = asyncio.create_task(self._silence(self.peer), name="silence of the session")
        try:
            done, _ = await asyncio.wait({ended, silent}, return_when=asyncio.FIRST_COMPLETED)
            return done.pop().result()
        finally:
            await cancel_and_wait(ended, silent)

    async def leave(self) -> None:
        """Delete the session, also one whose POST has not ended, and free the connection."""
        try:
            async with asyncio.timeout(self._timeouts.delete):
                if self._pending is not None:
                    # The session's address is in the response: without it no DELETE can be sent.
                    with contextlib.suppress(aiohttp.ClientError, OSError, RefusedError):
                        self._negotiation.receive(await self._pending)
                if (request := self._negotiation.end()) is not None:
                    await self._fetch(request)
        except (aiohttp.ClientError, OSError, RefusedError) as error:
            # A server that can't be reached notices by itself.
            log.debug("session not deleted", where=self._where, reason=repr(error))
        finally:
            try:
                if self._pending is not None:
                    await cancel_and_wait(self._pending)
            finally:
                if self.peer is not None:
                    await self.peer.aclose()

    async def _negotiate(self) -> Failure | None:
        step: Step = self._negotiation.begin()
        while True:
            match step:
                case Request():
                    step = await self._exchange(step)
                case MakeOffer():
                    step = self._negotiation.offer(await self._offer(step))
                case HttpAnswer():
                    return await self._take(step)
                case Failure():
                    return step

    async def _exchange(self, request: Request) -> Step:
        self._pending = asyncio.create_task(self._fetch(request), name=f"{request.method} call")
        try:
            # Not cancelled with us: ``leave`` wants to know what became of an offer.
            response = await asyncio.shield(self._pending)
        except (aiohttp.ClientError, OSError) as error:
            return self._negotiation.lost(f"can't be reached: {connection_failure(error)}")
        except RefusedError as error:
            return Failure(error.what, error.do, error.where, Retry.NEVER)
        finally:
            if self._pending.done():
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
            body = await read_body(response, MAX_BODY + 1)
            return Response(response.status, tuple(response.headers.items()), body)

    async def _offer(self, step: MakeOffer) -> str:
        servers = choose_servers(self._options.ice_servers, step.ice_servers, attempt=self._attempt)
        self.peer = self._make_peer(servers)
        await self.peer.start()
        return await self.peer.offer()

    async def _take(self, answer: HttpAnswer) -> Failure | None:
        assert self.peer is not None
        self.answer = answer.response
        try:
            await self.peer.accept(answer.sdp)
        except NegotiationError as error:
            return garbage(error.what[:200], self._where, error.do)
        return None

    async def _up(self) -> Failure | None:
        assert self.peer is not None
        try:
            await self.peer.wait_connected()
        except NegotiationError as error:
            return Failure(error.what, error.do, self._where, Retry.SOON)
        return None

    async def _silence(self, peer: Peer) -> str:
        """Wait until nothing comes from the other side any more, and return the reason."""
        loop, limits = asyncio.get_running_loop(), self._timeouts
        count, heard = 0, loop.time()
        answered = heard
        while True:
            await asyncio.sleep(LOOK)
            received, now = await peer.bytes_received(), loop.time()
            if received > count:
                count, heard = received, now
            elif now - heard > limits.silence:
                return "nothing comes from the server any more"
            elif now - max(heard, answered) > limits.doubt:
                if not await peer.responds(limits.check):
                    return "the server does not answer any more"
                answered = loop.time()
