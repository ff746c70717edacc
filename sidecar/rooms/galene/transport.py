"""Signalling with a Galène server: a group's status over HTTP, messages over a WebSocket."""

import asyncio
import contextlib
import json
from collections import deque
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Final, Self
from urllib.parse import urlsplit

import aiohttp

from config.errors import LostError, ProtocolError, RefusedError, RoomError
from sidecar.aio import TaskSet, cancel_and_wait
from sidecar.media.peer import PeerTimeouts
from sidecar.plain_text import clean_text
from sidecar.redaction import shown_url
from sidecar.rooms.galene.messages import MAX_MESSAGE
from sidecar.rooms.galene.protocol import GaleneEvent, GaleneProtocol
from sidecar.rooms.galene.url import GroupCredentials, GroupUrl, is_confidential, resolve_redirect
from sidecar.rooms.http import close_websocket, read_body, unreachable

MAX_BODY: Final = 64 * 1024
"""Bytes of an HTTP response that are read."""
MAX_REDIRECTS: Final = 5
"""Redirects that are followed; more count as a loop."""
REDIRECTS: Final = frozenset({301, 302, 303, 307, 308})
"""HTTP statuses of a redirect."""
NOT_GALENE: Final = "the server there is no Galène"


@dataclass(frozen=True, slots=True)
class GaleneTimeouts:
    """How long each step may take, in seconds."""

    request: float = 10.0
    """An HTTP request, and the WebSocket's handshake."""
    join: float = 15.0
    """From our ``join`` message to the server's decision."""
    ping: float = 3.0
    """Without a message until we ask for a sign of life."""
    silence: float = 10.0
    """Without a message until the server counts as dead."""
    leave: float = 0.5
    """For the server to take our last messages, and again to close the WebSocket."""
    layers: float = 1.0
    """Between two checks of the layers that are received."""
    offer: float = 5.0
    """From our request for a stream to the server's offer; without one, the stream has ended."""
    answer: float = 10.0
    """From our offer to the server's answer."""
    settle: float = 0.5
    """From a client's arrival to its request for streams at most, and from our publication's
    connection to its first packet."""
    peer: PeerTimeouts = field(default_factory=PeerTimeouts)


@dataclass(frozen=True, slots=True)
class GroupStatus:
    """A group as its server describes it before we join."""

    name: str
    url: GroupUrl
    endpoint: str
    """The WebSocket's URL."""
    auth_server: str = ""
    """The URL that turns a name and password into a token; empty without one."""


class GaleneHttp:
    """The HTTP requests that precede a WebSocket."""

    def __init__(self, http: aiohttp.ClientSession, timeouts: GaleneTimeouts) -> None:
        self._http = http
        self._timeouts = timeouts

    async def find_group(self, url: GroupUrl, credentials: GroupCredentials) -> GroupStatus:
        """The status of the group at ``url``, or of the group that it redirects to.

        Raises RefusedError where there is none, RoomError where the server can't be reached.
        """
        for _ in range(MAX_REDIRECTS):
            status = await self._status(url)
            if isinstance(location := status.get("redirect"), str) and location:
                url = resolve_redirect(url, location, credentials)
                continue
            return _group_status(status, url)
        raise RefusedError("the group redirects too often", where=url.url)

    async def is_galene(self, url: GroupUrl) -> bool:
        """Whether a Galène server answers at ``url``."""
        try:
            status = await self._status(url)
        except RoomError:
            return False
        return isinstance(status.get("endpoint") or status.get("redirect"), str)

    async def authorise(
        self, group: GroupStatus, credentials: GroupCredentials
    ) -> GroupCredentials:
        """The credentials to join ``group`` with: a token if its authorisation server gives one.

        Raises RefusedError where that server refuses, RoomError where it can't be reached.
        """
        if not group.auth_server or credentials.token:
            return credentials
        parts = urlsplit(group.auth_server)
        if not is_confidential(parts.scheme, parts.hostname):
            what = "the group's authorisation server would get the password unencrypted"
            raise RefusedError(what, where=group.url.url)
        body = {
            "location": group.url.url,
            "username": credentials.username,
            "password": credentials.password,
        }
        where = f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}"
        status, kind, text = await self._request("POST", group.auth_server, where, body)
        if status == 204:
            # The server leaves it to the group's own passwords.
            return credentials
        if status in (401, 403):
            what = f"HTTP {status}: the authorisation server refused"
            raise RefusedError(what, where=where, do="check GALENE_USERNAME and GALENE_PASSWORD")
        if status != 200 or kind.lower() != "application/jwt" or not text.strip():
            what = f"HTTP {status}: the authorisation server sent no token"
            raise ProtocolError(what, where=where)
        return replace(credentials, password="", token=text.strip())

    async def _status(self, url: GroupUrl) -> Mapping[str, Any]:
        status, kind, text = await self._request("GET", url.status_url, url.url)
        if status == 404:
            what = "HTTP 404: no such group"
            raise RefusedError(what, where=url.url, do="check the group's name")
        if status in REDIRECTS:
            return {"redirect": text}
        if status >= 500:
            raise RoomError(f"HTTP {status}", where=url.url)
        try:
            is_json = status == 200 and kind.lower() == "application/json"
            found = json.loads(text) if is_json else None
        except (ValueError, RecursionError):
            found = None
        if not isinstance(found, dict):
            raise RefusedError(NOT_GALENE, where=url.url, do="check the URL")
        return found

    async def _request(
        self, method: str, url: str, where: str, body: Mapping[str, str] | None = None
    ) -> tuple[int, str, str]:
        """Status, content type and text of a response; for a redirect, the location as the text.

        Raises RefusedError for a certificate that can't be trusted, otherwise RoomError.
        """
        try:
            async with (
                asyncio.timeout(self._timeouts.request),
                self._http.request(method, url, json=body, allow_redirects=False) as response,
            ):
                if response.status in REDIRECTS:
                    return response.status, "", response.headers.get("Location", "")
                text = (await read_body(response, MAX_BODY)).decode(errors="replace")
                return response.status, response.content_type, text
        except (aiohttp.ClientError, OSError, ValueError) as error:
            raise unreachable(error, where) from error


class GaleneTransport:
    """The WebSocket of one client, and the protocol that decides what is said over it.

    All actions of the protocol go through ``send_context``, so that what they produce is sent.
    Iterating yields the events of each message; it ends after ``aclose``, and raises RoomError when
    the connection is lost.
    """

    def __init__(
        self, protocol: GaleneProtocol, group: GroupStatus, tasks: TaskSet, timeouts: GaleneTimeouts
    ) -> None:
        self._protocol = protocol
        self._group = group
        self._tasks = tasks
        self._timeouts = timeouts
        self._events: deque[GaleneEvent] = deque()
        self._pending = asyncio.Event()
        self._received_at = 0.0
        self._closed = False
        self._socket: aiohttp.ClientWebSocketResponse | None = None
        self._writer: asyncio.Task[None] | None = None

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> GaleneEvent:
        while not self._events:
            try:
                self._events.extend(await self._receive())
            except RoomError:
                if self._closed:
                    raise StopAsyncIteration from None
                raise
        return self._events.popleft()

    async def connect(self, http: aiohttp.ClientSession) -> None:
        """Open the WebSocket and ask to join; raises RoomError where the WebSocket fails."""
        try:
            async with asyncio.timeout(self._timeouts.request):
                self._socket = await http.ws_connect(
                    self._group.endpoint,
                    timeout=aiohttp.ClientWSTimeout(ws_close=self._timeouts.leave),
                    max_msg_size=MAX_MESSAGE,
                )
        except (aiohttp.ClientError, OSError, ValueError) as error:
            raise unreachable(error, shown_url(self._group.endpoint)) from error
        self._received_at = asyncio.get_running_loop().time()
        self._writer = self._tasks.create_task(self._write(self._socket), name="galene transport")
        with self.send_context() as protocol:
            protocol.join()

    @contextlib.contextmanager
    def send_context(self) -> Iterator[GaleneProtocol]:
        """The protocol, to act on; what it has to send is sent soon after the context ends.

        Nothing waits for the socket: one writer task sends the messages in their order.
        """
        try:
            yield self._protocol
        finally:
            self._pending.set()

    async def aclose(self) -> None:
        """Leave the group and close the WebSocket; a dead server gets three times ``leave``."""
        self._closed = True
        self._protocol.leave()
        if self._socket is None or self._writer is None:
            return
        await cancel_and_wait(self._writer)
        with contextlib.suppress(aiohttp.ClientError, OSError, TimeoutError):
            async with asyncio.timeout(self._timeouts.leave):
                await self._send(self._socket)
        await close_websocket(self._socket, 2 * self._timeouts.leave)

    async def _receive(self) -> list[GaleneEvent]:
        """The events of the next message."""
        assert self._socket is not None, "the transport is not connected"
        message = await self._next(self._socket)
        self._received_at = asyncio.get_running_loop().time()
        match message.type:
            case aiohttp.WSMsgType.TEXT:
                with self.send_context() as protocol:
                    return protocol.receive(message.data)
            case aiohttp.WSMsgType.BINARY:
                return []
            case aiohttp.WSMsgType.CLOSE:
                reason = clean_text(message.extra or message.data)
                raise self._lost(f"the server closed the connection: {reason}")
        raise self._lost("the connection to the server was lost")

    async def _next(self, socket: aiohttp.ClientWebSocketResponse) -> aiohttp.WSMessage:
        """The next message; pings a server that is quiet, and gives up one that stays silent."""
        while True:
            left = self._received_at + self._timeouts.silence - asyncio.get_running_loop().time()
            if left <= 0:
                raise self._lost(f"the server was silent for {self._timeouts.silence:g} seconds")
            try:
                return await socket.receive(timeout=min(left, self._timeouts.ping))
            except TimeoutError:
                with self.send_context() as protocol:
                    protocol.ping()

    async def _write(self, socket: aiohttp.ClientWebSocketResponse) -> None:
        while True:
            await self._pending.wait()
            self._pending.clear()
            try:
                await self._send(socket)
            except (aiohttp.ClientError, OSError):
                # The reader finds the reason, and raises it.
                return

    async def _send(self, socket: aiohttp.ClientWebSocketResponse) -> None:
        for text in self._protocol.outgoing():
            await socket.send_str(text)

    def _lost(self, reason: str) -> LostError:
        return LostError(reason, where=self._group.url.url)


def _group_status(status: Mapping[str, Any], url: GroupUrl) -> GroupStatus:
    name, endpoint, auth = (status.get(key) for key in ("name", "endpoint", "authServer"))
    if not isinstance(name, str) or not isinstance(endpoint, str):
        raise RefusedError(NOT_GALENE, where=url.url, do="check the URL")
    parts = urlsplit(endpoint)
    secure = urlsplit(url.url).scheme == "https"
    local = parts.scheme == "ws" and not secure and is_confidential("ws", parts.hostname)
    if parts.scheme != "wss" and not local:
        what = "the server offers no encrypted WebSocket"
        raise RefusedError(what, where=url.url, do="ask its operator for a wss:// endpoint")
    return GroupStatus(name, url, endpoint, auth if isinstance(auth, str) else "")
