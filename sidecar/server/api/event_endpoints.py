"""Events as server-sent events, of one room or of all, continued by ``Last-Event-ID``."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final

from aiohttp import web

from sidecar.server.api.endpoints import Endpoint, Exchange, Parameter
from sidecar.server.api.tokens import Scope
from sidecar.server.event_stream import EventStream, EventStreams
from sidecar.supervisor.event_log import EventId, EventReader, EventRecord
from sidecar.supervisor.supervisor import Supervisor

LAST: Final = "Last-Event-ID"
STREAM: Final = "text/event-stream"
PARAMETERS: Final = (
    Parameter(
        LAST, "The id of the last event that the client has", {"type": "string"}, place="header"
    ),
)


@dataclass(frozen=True, slots=True)
class EventEndpoints:
    """The event streams of ``supervisor``."""

    supervisor: Supervisor
    streams: EventStreams = field(default_factory=EventStreams)

    def endpoints(self) -> Sequence[Endpoint]:
        """The table."""
        return (
            Endpoint(
                "GET", "/v1/events", "allEvents", "Events of all rooms", Scope.EVENTS, self.all,
                content_type=STREAM, errors=(503,), tag="events", parameters=PARAMETERS,
            ),
            Endpoint(
                "GET", "/v1/rooms/{room}/events", "roomEvents", "Events of one room",
                Scope.EVENTS, self.room, content_type=STREAM, errors=(404, 503), tag="events",
                parameters=PARAMETERS,
            ),
        )  # fmt: skip

    async def all(self, exchange: Exchange) -> web.StreamResponse:
        return await self._stream(exchange, None)

    async def room(self, exchange: Exchange) -> web.StreamResponse:
        room = self.supervisor.room(exchange.request.match_info["room"])
        return await self._stream(exchange, room.id)

    async def _stream(self, exchange: Exchange, room: str | None) -> web.StreamResponse:
        request, streams = exchange.request, self.streams
        after = EventId.parse(request.headers.get(LAST, ""))
        with self.supervisor.events.read(room=room, after=after) as reader:
            ping, token = streams.timeouts.ping, exchange.caller.name
            async with streams.open(request, ping=ping, token=token) as stream:
                await stream.start()
                if reader.restarted:
                    reason = "the server was started again"
                    await stream.send("lost", {"count": None, "reason": reason})
                async for record in reader:
                    await self._send(stream, record, reader)
            return stream.response

    async def _send(self, stream: EventStream, record: EventRecord, reader: EventReader) -> None:
        lost, reader.lost = reader.lost, 0
        if lost:
            await stream.send("lost", {"count": lost})
        kind = str(record.event.get("event", "message"))
        number = EventId(self.supervisor.events.run, record.number)
        await stream.send(kind, {"room": record.room, **record.event}, str(number))
