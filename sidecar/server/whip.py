"""Routes of WHIP and WHEP: endpoints that take offers, and the sessions they create."""

import json
from collections.abc import Iterable
from typing import Final

from aiohttp import web
from aiortc import RTCIceServer
from multidict import CIMultiDict

from config.errors import HttpRefusalError
from sidecar.rooms.base import Consent
from sidecar.rooms.hosted.names import HostedAnswer, display_name
from sidecar.rooms.hosted.offer import Role, read_offer
from sidecar.rooms.hosted.room import HostedRoom
from sidecar.rooms.hosted.sessions import Place
from sidecar.rooms.hosted.trickle import CONTENT_TYPE, check_entity, read_fragment
from sidecar.rooms.whep.client.link_header import link_value
from sidecar.server.hosts import client_address, client_key, is_loopback_name
from sidecar.server.room_directory import RoomDirectory

ROLE: Final = "{role:whip|whep}"
_EXTENSION: Final = "urn:reaction-sidecar:ext"


class Signalling:
    """The WHIP and WHEP routes of every room of ``rooms``."""

    def __init__(self, rooms: RoomDirectory) -> None:
        self._rooms = rooms

    def routes(self) -> list[web.RouteDef]:
        endpoint = f"/rooms/{{room}}/{ROLE}"
        session = f"{endpoint}/{{token}}"
        return [
            web.post(endpoint, self.offer),
            web.options(endpoint, self.describe),
            web.patch(session, self.trickle),
            web.delete(session, self.leave),
            web.options(session, self.describe_session),
            web.post(f"{session}/heartbeat", self.heartbeat),
            web.options(f"{session}/heartbeat", self.describe_session),
            web.post(f"{session}/consent", self.consent),
            web.options(f"{session}/consent", self.describe_session),
        ]

    async def offer(self, request: web.Request) -> web.Response:
        """POST: join or watch; 201 with the answer, the session's URL and its ETag."""
        role = Role(request.match_info["role"])
        name = self._rooms.check(request.match_info["room"])
        body = await request.read()
        kind = request.headers.get("Content-Type", "")
        address = client_address(request)
        offer = read_offer(body, kind, role, from_loopback=is_loopback_name(address))
        client = client_key(address)
        room = (await self._rooms.enter(name, client)).room
        if role is Role.PUBLISH:
            opted_out = request.query.get("opted_out") in {"1", "true"}
            consent = Consent.OPT_OUT if opted_out else Consent.OPT_IN
            person = display_name(request.query.get("name"))
            answer = await room.join(offer, person, consent, client)
        else:
            answer = await room.watch(offer, client=client)
        return created(request.path, answer, self._rooms.ice_servers)

    async def describe(self, request: web.Request) -> web.Response:
        """OPTIONS of an endpoint: what may be posted, and the ICE servers to use from the start."""
        self._rooms.check(request.match_info["room"])
        headers = CIMultiDict({"Allow": "POST, OPTIONS", "Accept-Post": "application/sdp"})
        for server in self._rooms.ice_servers:
            headers.add("Link", link_value(server))
        return web.Response(status=204, headers=headers)

    async def describe_session(self, request: web.Request) -> web.Response:
        """OPTIONS of a session."""
        headers = {"Allow": "PATCH, DELETE, OPTIONS", "Accept-Patch": CONTENT_TYPE}
        return web.Response(status=204, headers=headers)

    async def trickle(self, request: web.Request) -> web.Response:
        """PATCH: more candidates of the client (204)."""
        room, place = self._session(request)
        check_entity(request.headers.get("If-Match"), place.etag)
        body = await request.read()
        candidates = read_fragment(body, request.headers.get("Content-Type", ""))
        await room.trickle(place, candidates, len(body))
        return web.Response(status=204)

    async def leave(self, request: web.Request) -> web.Response:
        """DELETE: the session is over; its place is free when this is answered."""
        room, place = self._session(request)
        room.leave(place)
        return web.Response(status=200)

    async def heartbeat(self, request: web.Request) -> web.Response:
        """POST: the client lives (204); 404 tells it that its place is gone."""
        room, place = self._session(request)
        room.beat(place)
        return web.Response(status=204)

    async def consent(self, request: web.Request) -> web.Response:
        """POST ``{"opted_out": true}``: stop sampling this participant (204)."""
        room, place = self._session(request)
        if place.role is not Role.PUBLISH:
            raise HttpRefusalError("only participants opt out", status=404)
        room.consent(place, _consent(await request.read()))
        return web.Response(status=204)

    def _session(self, request: web.Request) -> tuple[HostedRoom, Place]:
        room = self._rooms.find(request.match_info["room"]).room
        role = Role(request.match_info["role"])
        return room, room.place(role, request.match_info["token"])


def _consent(body: bytes) -> Consent:
    try:
        value = json.loads(body)
        if isinstance(value, dict) and isinstance(value.get("opted_out"), bool):
            return Consent.OPT_OUT if value["opted_out"] else Consent.OPT_IN
    except ValueError:
        pass
    raise HttpRefusalError('the body must be {"opted_out": true} or false', status=400)


def created(path: str, answer: HostedAnswer, ice_servers: Iterable[RTCIceServer]) -> web.Response:
    """The 201 of a session below ``path``."""
    session = f"{path}/{answer.token}"
    headers = CIMultiDict(
        {
            "Location": session,
            "ETag": answer.etag,
            "Accept-Patch": CONTENT_TYPE,
            "Cache-Control": "no-store",
            "Sidecar-Participant": answer.participant,
        }
    )
    for server in ice_servers:
        headers.add("Link", link_value(server))
    headers.add("Link", f'<{session}/heartbeat>; rel="{_EXTENSION}:heartbeat"')
    return web.Response(
        status=201, text=answer.sdp, content_type="application/sdp", headers=headers
    )
