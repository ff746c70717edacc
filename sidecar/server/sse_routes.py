"""What goes on in a room, as server-sent events and as numbers."""

import asyncio
import dataclasses
import json
from typing import Final

from aiohttp import web

from sidecar.rooms.hosted.offer import Role
from sidecar.server.room_manager import RoomManager
from sidecar.session.events import Listener, SessionEvent, as_json

QUIET: Final = 10.0
"""Seconds without an event after which a comment shows that the stream lives."""
WRITING: Final = 10.0
"""Seconds that a client may take to read what fills its connection."""


class Streams:
    """The event and statistics routes of every room in ``lobby``."""

    def __init__(self, lobby: RoomManager) -> None:
        self._lobby = lobby

    def routes(self) -> list[web.RouteDef]:
        return [
            web.get("/rooms/{room}/events", self.events),
            web.get("/rooms/{room}/whip/{token}/events", self.own_events),
            web.get("/rooms/{room}/stats", self.stats),
        ]

    async def events(self, request: web.Request) -> web.StreamResponse:
        """The room's events; opens the room, so that a page may listen before anybody joins."""
        room = await self._lobby.enter(request.match_info["room"])
        with room.meeting.events.listen() as listener:
            return await _stream(request, listener)

    async def own_events(self, request: web.Request) -> web.StreamResponse:
        """The room's events, and the scores of whoever holds this session (nobody else's)."""
        room = self._lobby.find(request.match_info["room"])
        place = room.room.place(Role.PUBLISH, request.match_info["token"])
        with room.meeting.events.listen(place.participant) as listener:
            return await _stream(request, listener)

    async def stats(self, request: web.Request) -> web.Response:
        """The room's numbers at this moment."""
        room = self._lobby.find(request.match_info["room"])
        numbers = dataclasses.asdict(room.meeting.stats())
        return web.json_response(numbers, headers={"Cache-Control": "no-store"})


async def _stream(request: web.Request, listener: Listener) -> web.StreamResponse:
    """Write ``listener``'s events until it ends, the client goes, or reads too slowly."""
    response = web.StreamResponse(
        headers={
            "Content-Type": "text/event-stream",
            "Cache-Control": "no-store",
            "X-Accel-Buffering": "no",
        }
    )
    await response.prepare(request)
    try:
        # A restarted server is back in a second or two.
        await _write(response, "retry: 2000\n\n")
        while (text := await _next(listener)) is not None:
            await _write(response, text)
    except (ConnectionError, TimeoutError):
        request.protocol.force_close()
    return response


async def _write(response: web.StreamResponse, text: str) -> None:
    async with asyncio.timeout(WRITING):
        await response.write(text.encode())


async def _next(listener: Listener) -> str | None:
    """The next event as text, a comment if none comes for a while, None at the end."""
    try:
        async with asyncio.timeout(QUIET):
            return _text(await anext(listener))
    except TimeoutError:
        return ": still here\n\n"
    except StopAsyncIteration:
        return None


def _text(event: SessionEvent) -> str:
    data = json.dumps(as_json(event), separators=(",", ":"))
    return f"event: {event.kind}\ndata: {data}\n\n"
