"""Routes for other sidecars, where the operator allows it: participants, and each camera alone."""

import dataclasses
from collections.abc import AsyncGenerator, AsyncIterator, Sequence
from contextlib import aclosing

from aiohttp import web
from multidict import CIMultiDict

from config.errors import HttpRefusalError
from sidecar.rooms.hosted.names import Present
from sidecar.rooms.hosted.offer import Role, read_offer
from sidecar.rooms.whep.client.link_header import link_value
from sidecar.server.event_stream import EventStreams
from sidecar.server.hosts import client_address, client_key, is_loopback_name
from sidecar.server.room_directory import RoomDirectory
from sidecar.server.whip import created


class Cameras:
    """The routes over the participants of every room of ``rooms``."""

    def __init__(self, rooms: RoomDirectory, streams: EventStreams) -> None:
        self._rooms = rooms
        self._streams = streams

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
        name = self._rooms.check(request.match_info["room"])
        self._rooms.check_sharing()
        async with aclosing(self._rosters(name)) as rosters:
            if "text/event-stream" in request.headers.get("Accept", ""):
                return await self._stream(request, rosters)
            payload = _payload(await anext(rosters))
        return web.json_response(payload, headers={"Cache-Control": "no-store"})

    async def watch(self, request: web.Request) -> web.Response:
        """POST: watch one camera alone; the session is like any viewer's of the room."""
        name = request.match_info["room"]
        body = await request.read()
        kind = request.headers.get("Content-Type", "")
        address = client_address(request)
        offer = read_offer(body, kind, Role.WATCH, from_loopback=is_loopback_name(address))
        room = self._rooms.find(name).room
        answer = await room.watch(offer, request.match_info["participant"], client_key(address))
        return created(f"/rooms/{name}/whep", answer, self._rooms.ice_servers)

    async def describe(self, request: web.Request) -> web.Response:
        """OPTIONS: what may be posted, and the ICE servers to use from the start."""
        self._rooms.check(request.match_info["room"])
        headers = CIMultiDict({"Allow": "POST, OPTIONS", "Accept-Post": "application/sdp"})
        for server in self._rooms.ice_servers:
            headers.add("Link", link_value(server))
        return web.Response(status=204, headers=headers)

    async def _rosters(self, name: str) -> AsyncGenerator[Sequence[Present]]:
        sent: Sequence[Present] | None = None
        if not self._rooms.is_open(name):
            sent = []
            yield sent
        open_room = await self._rooms.opened(name)
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
        # Asked before the response begins: a refusal has a status of its own.
        first = await anext(rosters)
        async with self._streams.open(request, ping=self._streams.timeouts.roster_ping) as stream:
            await stream.start()
            try:
                await stream.send("participants", _payload(first))
                async for roster in rosters:
                    await stream.send("participants", _payload(roster))
            except HttpRefusalError:
                # While it waited, the server began to close, or others took all places: it may
                # retry.
                pass
        return stream.response


def _payload(roster: Sequence[Present]) -> dict[str, object]:
    return {"participants": [dataclasses.asdict(present) for present in roster]}
