"""How requests get to a Janus server and messages back: by WebSocket, or by HTTP's long poll."""

import asyncio
import json
import ssl
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Final, Protocol, Self

import aiohttp

from config.errors import RoomError
from sidecar.rooms.janus.address import Address
from sidecar.rooms.janus.messages import MAX_BYTES

CONNECTING: Final = 5.0
"""Seconds for a connection, or for an answer by HTTP."""
POLL: Final = 45.0
"""Seconds for a long poll, which the server ends after 30."""
BATCH: Final = 10
"""Messages that one long poll may bring."""


class DroppedError(RoomError):
    """The connection to the server is lost, or can't be made."""


class Transport(Protocol):
    """A connection to the server."""

    async def send(self, request: Mapping[str, object]) -> None:
        """Send one request; raises DroppedError."""
        ...

    async def receive(self) -> str:
        """What comes next, one message or several; raises DroppedError at the end."""
        ...


@asynccontextmanager
async def connected(address: Address) -> AsyncIterator[Transport]:
    """A connection to ``address``; raises DroppedError where there is none to be had."""
    # Made here and not by aiohttp at its import, so that SSL_CERT_FILE counts whenever it is set.
    tls = ssl.create_default_context() if address.server.startswith(("wss", "https")) else True
    timeout = aiohttp.ClientTimeout(total=None, connect=CONNECTING)
    connector = aiohttp.TCPConnector(ssl=tls)
    async with aiohttp.ClientSession(connector=connector, timeout=timeout) as http:
        if address.long_polls:
            async with _LongPoll(http, address) as poll:
                yield poll
        else:
            async with _websocket(http, address) as socket:
                yield _WebSocket(socket, address)


@asynccontextmanager
async def _websocket(
    http: aiohttp.ClientSession, address: Address
) -> AsyncIterator[aiohttp.ClientWebSocketResponse]:
    try:
        async with asyncio.timeout(CONNECTING):
            socket = await http.ws_connect(
                address.server,
                protocols=["janus-protocol"],
                max_msg_size=MAX_BYTES,
                timeout=aiohttp.ClientWSTimeout(ws_close=0.5),
            )
    except (aiohttp.ClientError, OSError, TimeoutError) as error:
        raise _dropped(address, error) from error
    try:
        yield socket
    finally:
        await socket.close()


class _WebSocket:
    def __init__(self, socket: aiohttp.ClientWebSocketResponse, address: Address) -> None:
        self._socket = socket
        self._address = address

    async def send(self, request: Mapping[str, object]) -> None:
        try:
            await self._socket.send_str(json.dumps(request))
        except (aiohttp.ClientError, OSError) as error:
            raise _dropped(self._address, error) from error

    async def receive(self) -> str:
        message = await self._socket.receive()
        if message.type is aiohttp.WSMsgType.TEXT:
            return str(message.data)
        if message.type is aiohttp.WSMsgType.BINARY:
            return ""
        raise DroppedError("the server closed the connection", where=self._address.shown)


class _LongPoll:
    """Requests by POST; whatever isn't answered at once is fetched by a GET that waits for it."""

    def __init__(self, http: aiohttp.ClientSession, address: Address) -> None:
        self._http = http
        self._address = address
        self._received: asyncio.Queue[str | DroppedError] = asyncio.Queue()
        self._poll: asyncio.Task[None] | None = None

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *exc: object) -> None:
        if self._poll is not None:
            self._poll.cancel()
            await asyncio.gather(self._poll, return_exceptions=True)

    async def send(self, request: Mapping[str, object]) -> None:
        body = dict(request)
        session, handle = body.pop("session_id", None), body.pop("handle_id", None)
        path = "".join(f"/{number}" for number in (session, handle) if number is not None)
        if request["janus"] == "info":
            path = ""
        timeout = aiohttp.ClientTimeout(total=CONNECTING)
        try:
            async with self._http.post(
                self._address.server + path, json=body, timeout=timeout
            ) as response:
                self._received.put_nowait(await _text(response))
        except (aiohttp.ClientError, OSError, TimeoutError, ValueError) as error:
            raise _dropped(self._address, error) from error
        if session is not None and self._poll is None:
            signature: dict[str, str] = {
                key: str(body[key]) for key in ("token", "apisecret") if key in body
            }
            self._poll = asyncio.create_task(self._fetch(f"/{session}", signature), name="janus")

    async def receive(self) -> str:
        message = await self._received.get()
        if isinstance(message, DroppedError):
            raise message
        return message

    async def _fetch(self, path: str, signature: Mapping[str, str]) -> None:
        timeout = aiohttp.ClientTimeout(total=POLL)
        query = {"maxev": str(BATCH), **signature}
        try:
            while True:
                async with self._http.get(
                    self._address.server + path, params=query, timeout=timeout
                ) as response:
                    self._received.put_nowait(await _text(response))
                    if response.status != 200:
                        raise ValueError(f"answered {response.status}")
        except (aiohttp.ClientError, OSError, TimeoutError, ValueError) as error:
            self._received.put_nowait(_dropped(self._address, error))


async def _text(response: aiohttp.ClientResponse) -> str:
    """The body, or as much of it as is taken from anybody."""
    data = b""
    async for chunk in response.content.iter_chunked(1 << 16):
        data += chunk
        if len(data) > MAX_BYTES:
            raise ValueError("its answer is too long")
    return data.decode(errors="replace")


def _dropped(address: Address, error: Exception) -> DroppedError:
    """What to tell of ``error``, whose own words may hold the secrets of a URL's query."""
    match error:
        case aiohttp.WSServerHandshakeError():
            what = f"answered {error.status} where a WebSocket was asked for"
        case aiohttp.ClientConnectorCertificateError() | aiohttp.ClientSSLError():
            what = "its certificate can't be trusted"
        case aiohttp.ClientConnectorError():
            what = error.strerror or "can't be reached"
        case TimeoutError():
            what = "does not answer"
        case ValueError() if not isinstance(error, aiohttp.ClientError):
            what = str(error)
        case _:
            what = f"the connection was lost ({type(error).__name__})"
    do = "check the address, and that the server runs and can be reached from here"
    return DroppedError(what, where=address.shown, do=do)
