"""Events as server-sent events, of one room or of all, continued by ``Last-Event-ID``."""

import asyncio
import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from aiohttp import web

from sidecar.server.api.endpoints import Endpoint, Exchange
from sidecar.server.api.tokens import Scope
from sidecar.supervisor.event_log import EventReader, EventRecord
from sidecar.supervisor.supervisor import Supervisor

LAST: Final = "Last-Event-ID"
STREAM: Final = "text/event-stream"


@dataclass(frozen=True, slots=True)
class StreamTimeouts:
    """Seconds."""

    quiet: float = 10.0
    """Without an event until a comment shows that the stream lives."""
    write: float = 10.0
    """That a client may take to read what fills its connection."""


@dataclass(frozen=True, slots=True)
class EventEndpoints:
    """The event streams of ``supervisor``."""

    supervisor: Supervisor
    timeouts: StreamTimeouts = StreamTimeouts()

    def endpoints(self) -> Sequence[Endpoint]:
        """The table."""
        return (
            Endpoint(
                "GET", "/v1/events", "allEvents", "Events of all rooms", Scope.EVENTS, self.all,
                content_type=STREAM, errors=(503,), tag="events",
            ),
            Endpoint(
                "GET", "/v1/rooms/{room}/events", "roomEvents", "Events of one room",
                Scope.EVENTS, self.room, content_type=STREAM, errors=(404, 503), tag="events",
            ),
        )  # fmt: skip

    async def all(self, exchange: Exchange) -> web.StreamResponse:
        return await self._stream(exchange.request, None)

    async def room(self, exchange: Exchange) -> web.StreamResponse:
        room = self.supervisor.room(exchange.request.match_info["room"])
        return await self._stream(exchange.request, room.id)

    async def _stream(self, request: web.Request, room: str | None) -> web.StreamResponse:
        last = request.headers.get(LAST, "")
        after = int(last) if last.isascii() and last.isdigit() and len(last) < 16 else None
        with self.supervisor.events.read(room=room, after=after) as reader:
            response = web.StreamResponse(
                headers={
                    "Content-Type": STREAM,
                    "Cache-Control": "no-store",
                    "X-Accel-Buffering": "no",
                }
            )
            await response.prepare(request)
            try:
                await self._write(response, "retry: 2000\n\n")
                while (text := await self._next(reader)) is not None:
                    await self._write(response, text)
            except (ConnectionError, TimeoutError):
                request.protocol.force_close()
            return response

    async def _write(self, response: web.StreamResponse, text: str) -> None:
        async with asyncio.timeout(self.timeouts.write):
            await response.write(text.encode())

    async def _next(self, reader: EventReader) -> str | None:
        """The next event as text, a comment if none comes for a while, None at the end."""
        try:
            async with asyncio.timeout(self.timeouts.quiet):
                record = await anext(reader)
        except TimeoutError:
            return ": still here\n\n"
        except StopAsyncIteration:
            return None
        lost, reader.lost = reader.lost, 0
        return (_text("lost", {"count": lost}) if lost else "") + event_text(record)


def event_text(record: EventRecord) -> str:
    """One record in the format of an event stream."""
    body = {"room": record.room, **record.event}
    return f"id: {record.number}\n" + _text(str(record.event.get("event", "message")), body)


def _text(kind: str, body: object) -> str:
    return f"event: {kind}\ndata: {json.dumps(body, separators=(',', ':'))}\n\n"
