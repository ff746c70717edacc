"""One event stream over HTTP (server-sent events), written by aiohttp-sse."""

import json
from collections.abc import Mapping
from dataclasses import dataclass

from aiohttp import web
from aiohttp_sse import EventSourceResponse

from sidecar.session.events import SessionEvent, as_json

RETRY = b"retry: 2000\n\n"
"""Milliseconds after which a client connects again: a restarted server is back in that time."""


@dataclass(frozen=True, slots=True)
class StreamTimeouts:
    """Seconds."""

    send: float = 10.0
    """How long a client may take to read what fills its connection; the stream ends after that."""
    ping: float = 10.0
    """Between comments that show that an event stream lives."""
    roster_ping: float = 2.0
    """The same for the participants' stream: other sidecars notice a dead server by it."""


class EventStream:
    """The response to ``request``; each ``send`` raises ConnectionError or TimeoutError at its end.

    Comments go out every ``ping`` seconds from start to close.
    """

    def __init__(self, request: web.Request, *, ping: float, send_timeout: float) -> None:
        self._request = request
        self.response = EventSourceResponse(sep="\n", ping_interval=ping, send_timeout=send_timeout)
        self.response.headers["Cache-Control"] = "no-store"

    async def start(self) -> None:
        """Send the headers."""
        await self.response.prepare(self._request)
        await self.response.write(RETRY)

    async def send(self, kind: str, data: Mapping[str, object], number: int | None = None) -> None:
        """Send one event whose data is a JSON object; ``number`` is for ``Last-Event-ID``."""
        text = json.dumps(data, separators=(",", ":"))
        await self.response.send(text, event=kind, id=None if number is None else str(number))

    async def aclose(self) -> None:
        """Send no more comments."""
        self.response.stop_streaming()
        await self.response.wait()


class SseSink:
    """Implements ``EventSink``: a session's events to one HTTP client."""

    name = "event stream"

    def __init__(self, stream: EventStream) -> None:
        self._stream = stream

    async def start(self) -> None:
        await self._stream.start()

    async def write(self, event: SessionEvent) -> None:
        await self._stream.send(event.kind, as_json(event))

    async def aclose(self) -> None:
        await self._stream.aclose()
