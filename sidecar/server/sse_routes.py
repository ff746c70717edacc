"""Routes for a room's events (server-sent events) and statistics."""

import dataclasses
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import aclosing

from aiohttp import web

from config.errors import HttpRefusalError
from sidecar.rooms.hosted.offer import Role
from sidecar.server.event_stream import EventStreams, SseSink
from sidecar.server.room_directory import RoomDirectory
from sidecar.session.events import SessionEvent


class Streams:
    """The event and statistics routes of every room of ``rooms``."""

    def __init__(self, rooms: RoomDirectory, streams: EventStreams) -> None:
        self._rooms = rooms
        self._streams = streams

    def routes(self) -> list[web.RouteDef]:
        return [
            web.get("/rooms/{room}/events", self.events),
            web.get("/rooms/{room}/whip/{token}/events", self.own_events),
            web.get("/rooms/{room}/stats", self.stats),
        ]

    async def events(self, request: web.Request) -> web.StreamResponse:
        """The room's events. A page may listen before the room is open, and does not open it."""
        name = self._rooms.check(request.match_info["room"])
        if not self._rooms.is_open(name):
            async with aclosing(self._when_open(name)) as events:
                return await self._stream(request, events)
        with self._rooms.find(name).meeting.events.listen() as listener:
            return await self._stream(request, listener)

    async def _when_open(self, name: str) -> AsyncGenerator[SessionEvent]:
        room = await self._rooms.opened(name)
        with room.meeting.events.listen() as listener:
            async for event in listener:
                yield event

    async def own_events(self, request: web.Request) -> web.StreamResponse:
        """The room's events, and the scores of the participant who holds this session."""
        room = self._rooms.find(request.match_info["room"])
        place = room.room.place(Role.PUBLISH, request.match_info["token"])
        with room.meeting.events.listen(place.participant) as listener:
            return await self._stream(request, listener)

    async def stats(self, request: web.Request) -> web.Response:
        """The room's numbers at this moment."""
        room = self._rooms.find(request.match_info["room"])
        numbers = dataclasses.asdict(room.meeting.stats())
        return web.json_response(numbers, headers={"Cache-Control": "no-store"})

    async def _stream(
        self, request: web.Request, events: AsyncIterator[SessionEvent]
    ) -> web.StreamResponse:
        """Send ``events`` until they end, the client goes, or reads too slowly."""
        async with self._streams.open(request, ping=self._streams.timeouts.ping) as stream:
            sink = SseSink(stream)
            await sink.start()
            try:
                async for event in events:
                    await sink.write(event)
            except HttpRefusalError:
                # While it waited, the server began to close, or others took all places: it may
                # retry.
                pass
        return stream.response
