"""Publish by WHIP (RFC 9725): one track once, or the composite with reconnects."""

from collections.abc import Sequence
from contextlib import AsyncExitStack
from functools import partial
from typing import Final, Self

from aiortc import MediaStreamTrack, RTCIceServer

from config.errors import SignallingError
from sidecar.aio import TaskSet
from sidecar.media.peer import PeerOptions
from sidecar.media.send_peer import SendPeer
from sidecar.redaction import shown_url
from sidecar.rooms.base import TrackSource
from sidecar.rooms.http import open_http
from sidecar.rooms.whep.client.endpoint import EndpointKind, WhipEndpoint, endpoint
from sidecar.rooms.whep.client.failures import Failure
from sidecar.rooms.whep.client.reconnecting_session import ReconnectingSession
from sidecar.rooms.whep.client.session import CallOptions, WhipSession

TOKEN: Final = "WHIP_TOKEN"  # noqa: S105
"""The environment's variable that holds a bearer token for the server."""
BUSY: Final = frozenset({409, 425, 429, 503})
"""Statuses of a server that is as it should be, but can't take us yet."""


class WhipPublisher:
    """Publishes ``track``, of VP8 packets, to ``url`` while it is entered, and stops it then.

    Raises SignallingError if the server refuses, or doesn't answer as a WHIP server does.
    """

    def __init__(
        self,
        url: str,
        track: MediaStreamTrack,
        *,
        token: str = "",
        options: CallOptions | None = None,
    ) -> None:
        self._endpoint = endpoint(EndpointKind.WHIP, url, token)
        self._track = track
        self._options = options or CallOptions()
        self._life = AsyncExitStack()

    async def __aenter__(self) -> Self:
        async with AsyncExitStack() as stack:
            stack.callback(self._track.stop)
            http = await stack.enter_async_context(open_http())
            call = WhipSession(http, self._endpoint, self._options, self._make_peer)
            stack.push_async_callback(call.leave)
            if (failure := await call.connect()) is not None:
                raise _error(failure, self._endpoint)
            self._life = stack.pop_all()
        return self

    async def __aexit__(self, *exc: object) -> None:
        await self._life.aclose()

    def _make_peer(self, servers: Sequence[RTCIceServer]) -> SendPeer:
        return _send_peer(self._track, servers, self._endpoint, self._options)


class ReconnectingWhip:
    """Shows the composite at ``url`` from ``publish`` until it is left.

    A connection that is lost is opened again, with backoff, unless the refusal is final.
    """

    def __init__(self, url: str, *, token: str = "", options: CallOptions | None = None) -> None:
        self._endpoint = endpoint(EndpointKind.WHIP, url, token)
        self._options = options or CallOptions()
        self._life = AsyncExitStack()
        self._session: ReconnectingSession | None = None

    @property
    def participant(self) -> str:
        """What a server of our own calls us now; empty for any other."""
        answer = None if self._session is None else self._session.answer
        return "" if answer is None else answer.value("sidecar-participant")

    async def aclose(self) -> None:
        """End what ``publish`` began."""
        await self._life.aclose()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *exc: object) -> None:
        await self.aclose()

    async def publish(self, composite: TrackSource) -> None:
        """Begin; raises SignallingError where the server refuses, or isn't there.

        A task waits for a server that is only busy.
        """
        async with AsyncExitStack() as stack:
            http = await stack.enter_async_context(open_http())
            name = f"publishing to {shown_url(self._endpoint.url)}"
            session = ReconnectingSession(
                http, self._endpoint, name, self._options, partial(self._make_peer, composite)
            )
            self._session = session
            tasks = await stack.enter_async_context(TaskSet())
            tasks.create_task(session.run(), name=name)
            await session.tried.wait()
            failure = session.failure
            if failure is not None and failure.status not in BUSY:
                raise _error(failure, self._endpoint)
            self._life = stack.pop_all()

    def _make_peer(self, composite: TrackSource, servers: Sequence[RTCIceServer]) -> SendPeer:
        return _send_peer(composite.subscribe(), servers, self._endpoint, self._options)


def _send_peer(
    track: MediaStreamTrack,
    servers: Sequence[RTCIceServer],
    endpoint: WhipEndpoint,
    options: CallOptions,
) -> SendPeer:
    peer_options = PeerOptions(
        shown_url(endpoint.url),
        servers,
        relay_only=options.relay_only,
        timeouts=options.peer_timeouts,
    )
    return SendPeer(track, peer_options)


def _error(failure: Failure, endpoint: WhipEndpoint) -> SignallingError:
    return SignallingError(
        failure.what,
        status=failure.status or 502,
        where=failure.where or shown_url(endpoint.url),
        do=failure.do,
    )
