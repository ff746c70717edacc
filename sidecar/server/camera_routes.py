"""What other sidecars get, where the operator lets them: who is there, and each camera alone."""

import asyncio
import dataclasses
import json
from collections.abc import Sequence
from contextlib import aclosing
from typing import Final

from aiohttp import web
from multidict import CIMultiDict

from sidecar.rooms.hosted.names import Present
from sidecar.rooms.hosted.offer import Role, read_offer
from sidecar.rooms.hosted.room import EmbeddedRoom
from sidecar.server.room_manager import RoomManager
from sidecar.server.sse_routes import WRITING
from sidecar.server.whip import BODY_SECONDS, created

QUIET: Final = 2.0
"""Seconds without a change after which a comment shows that the server lives."""


class Cameras:
    """The routes over the participants of every room in ``lobby``."""

    def __init__(self, lobby: RoomManager) -> None:
        self._lobby = lobby

    def routes(self) -> list[web.RouteDef]:
        participants = "/rooms/{room}/participants"
        camera = f"{participants}/{{participant}}/whep"
        return [
            web.get(participants, self.participants),
            web.post(camera, self.watch),
            web.options(camera, self.describe),
        ]

    async def participants(self, request: web.Request) -> web.StreamResponse:
        """Who is there: once, or to who takes ``text/event-stream``, after every change too."""
        open_room = await self._lobby.enter(request.match_info["room"])
        if "text/event-stream" in request.headers.get("Accept", ""):
            # A listener keeps the room open: nobody may be in it yet.
            with open_room.meeting.events.listen():
                return await _stream(request, open_room.room)
        async with aclosing(open_room.room.rosters()) as rosters:
            payload = _payload(await anext(rosters))
        return web.json_response(payload, headers={"Cache-Control": "no-store"})

    async def watch(self, request: web.Request) -> web.Response:
        """POST: watch one camera alone; the session is like any viewer's of the room."""
        name = request.match_info["room"]
        async with asyncio.timeout(BODY_SECONDS):
            body = await request.read()
        offer = read_offer(body, request.headers.get("Content-Type", ""), Role.WATCH)
        room = self._lobby.find(name).room
        answer = await room.watch(offer, request.match_info["participant"])
        return created(f"/rooms/{name}/whep", answer, self._lobby.ice_servers)

    async def describe(self, request: web.Request) -> web.Response:
        """OPTIONS: what may be posted, and the ICE servers to use from the start."""
        self._lobby.check(request.match_info["room"])
        headers = CIMultiDict({"Allow": "POST, OPTIONS", "Accept-Post": "application/sdp"})
        for server in self._lobby.ice_servers:
            headers.add("Link", server.link())
        return web.Response(status=204, headers=headers)


def _payload(roster: Sequence[Present]) -> dict[str, object]:
    return {"participants": [dataclasses.asdict(present) for present in roster]}


async def _stream(request: web.Request, room: EmbeddedRoom) -> web.StreamResponse:
    """Write each roster until the room is left, or the client goes or reads too slowly."""
    rosters = room.rosters()
    # Asked before the response begins: a refusal has a status of its own.
    roster: Sequence[Present] | None = await anext(rosters)
    response = web.StreamResponse(
        headers={
            "Content-Type": "text/event-stream",
            "Cache-Control": "no-store",
            "X-Accel-Buffering": "no",
        }
    )
    await response.prepare(request)
    upcoming: asyncio.Future[Sequence[Present] | None] | None = None
    try:
        while roster is not None:
            data = json.dumps(_payload(roster), separators=(",", ":"))
            await _write(response, f"event: participants\ndata: {data}\n\n")
            upcoming = asyncio.ensure_future(anext(rosters, None))
            while not (await asyncio.wait([upcoming], timeout=QUIET))[0]:
                await _write(response, ": still here\n\n")
            roster = upcoming.result()
    except (ConnectionError, TimeoutError):
        request.protocol.force_close()
    finally:
        if upcoming is not None:
            upcoming.cancel()
            await asyncio.gather(upcoming, return_exceptions=True)
        await rosters.aclose()
    return response


async def _write(response: web.StreamResponse, text: str) -> None:
    async with asyncio.timeout(WRITING):
        await response.write(text.encode())
