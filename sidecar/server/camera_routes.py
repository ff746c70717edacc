"""What other sidecars get, where the operator allows it: the participants, each camera alone."""

import asyncio
import dataclasses
from collections.abc import AsyncGenerator, AsyncIterator, Sequence
from contextlib import aclosing

from aiohttp import web
from multidict import CIMultiDict

from config.errors import HttpRefusalError
from sidecar.rooms.hosted.names import Present
from sidecar.rooms.hosted.offer import Role, read_offer
from sidecar.rooms.whep.client.link_header import link_value
from sidecar.server.event_stream import EventStream, StreamTimeouts
from sidecar.server.hosts import is_loopback_name
from sidecar.server.room_manager import RoomManager
from sidecar.server.whip import BODY_SECONDS, created


class Cameras:
    """The routes over the participants of every room in ``lobby``."""

    def __init__(self, lobby: RoomManager, timeouts: StreamTimeouts | None = None) -> None:
        self._lobby = lobby
        self._timeouts = timeouts or StreamTimeouts()

    def routes(self) -> list[web.RouteDef]:
        participants = "/rooms/{room}/participants"
        camera = f"{participants}/{{participant}}/whep"
        return [
            web.get(participants, self.participants),
            web.post(camera, self.watch),
            web.options(camera, self.describe),
        ]

    async def participants(self, request: web.Request) -> web.StreamResponse:
        """The participants: once, or as ``text/event-stream`` now and after every change.

        A room that is not open has none, and is not opened by this.
        """
        name = self._lobby.check(request.match_info["room"])
        self._lobby.check_sharing()
        async with aclosing(self._rosters(name)) as rosters:
            if "text/event-stream" in request.headers.get("Accept", ""):
                return await self._stream(request, rosters)
            payload = _payload(await anext(rosters))
        return web.json_response(payload, headers={"Cache-Control": "no-store"})

    async def watch(self, request: web.Request) -> web.Response:
        """POST: watch one camera alone; the session is like any viewer's of the room."""
        name = request.match_info["room"]
        async with asyncio.timeout(BODY_SECONDS):
            body = await request.read()
        kind = request.headers.get("Content-Type", "")
        local = is_loopback_name(request.remote or "")
        offer = read_offer(body, kind, Role.WATCH, from_loopback=local)
        room = self._lobby.find(name).room
        answer = await room.watch(offer, request.match_info["participant"])
        return created(f"/rooms/{name}/whep", answer, self._lobby.ice_servers)

    async def describe(self, request: web.Request) -> web.Response:
        """OPTIONS: what may be posted, and the ICE servers to use from the start."""
        self._lobby.check(request.match_info["room"])
        headers = CIMultiDict({"Allow": "POST, OPTIONS", "Accept-Post": "application/sdp"})
        for server in self._lobby.ice_servers:
            headers.add("Link", link_value(server))
        return web.Response(status=204, headers=headers)

    async def _rosters(self, name: str) -> AsyncGenerator[Sequence[Present]]:
        sent: Sequence[Present] | None = None
        if not self._lobby.is_open(name):
            sent = []
            yield sent
        open_room = await self._lobby.opened(name)
        # A listener keeps the room open, though it may be empty again.
        with open_room.meeting.events.listen():
            async with aclosing(open_room.room.rosters()) as rosters:
                async for roster in rosters:
                    if roster != sent:
                        yield roster
                    sent = roster

    async def _stream(
        self, request: web.Request, rosters: AsyncIterator[Sequence[Present]]
    ) -> web.StreamResponse:
        """Send each roster until the room is left, or the client goes or reads too slowly."""
        limits = self._timeouts
        stream = EventStream(request, ping=limits.roster_ping, send_timeout=limits.send)
        # Asked before the response begins: a refusal has a status of its own.
        first = await anext(rosters)
        try:
            await stream.start()
            await stream.send("participants", _payload(first))
            async for roster in rosters:
                await stream.send("participants", _payload(roster))
        except (ConnectionError, TimeoutError):
            request.protocol.force_close()
        except HttpRefusalError:
            # While it waited, the server began to close, or others took all places: it may retry.
            pass
        finally:
            await stream.aclose()
        return stream.response


def _payload(roster: Sequence[Present]) -> dict[str, object]:
    return {"participants": [dataclasses.asdict(present) for present in roster]}
