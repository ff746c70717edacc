"""Who may take part in a hosted room of ``sidecar serve``: clients with the room's token.

WHIP and WHEP clients send it as bearer token (RFC 9725 §4.7). The page gets it in the fragment of
its address, which no server sees, and exchanges it for a cookie, since event streams of browsers
send no header of ours. A token of the API with the scope ``rooms`` opens every room.
"""

from typing import Final, Protocol

from aiohttp import web
from aiohttp.typedefs import Handler

from config.errors import UnauthorizedError
from sidecar.server.api.endpoints import COOKIE
from sidecar.server.api.tokens import Authenticator, Scope, bearer

ROOM_COOKIE: Final = "sidecar_room"
"""Carries the token of a room's page: HttpOnly, SameSite=Strict, below the room's path."""
MISSING: Final = "this room needs its token"
DO: Final = "open the link with #token=…, or send Authorization: Bearer"


class GuardedRooms(Protocol):
    """What is asked of the hosted rooms."""

    def check(self, name: str) -> str:
        """Raise HttpRefusalError 404 where there is no such room."""
        ...

    def admits(self, name: str, token: str) -> bool:
        """Whether ``token``, empty for none, is the room's, or it has none."""
        ...


class RoomAccess:
    """Guards the routes of ``rooms``; ``authenticator`` knows the tokens of the API."""

    def __init__(self, rooms: GuardedRooms, authenticator: Authenticator) -> None:
        self._rooms = rooms
        self._authenticator = authenticator

    def routes(self) -> list[web.RouteDef]:
        """Where a page exchanges the token for a cookie."""
        return [web.post("/rooms/{room}/access", self.enter)]

    def guard(self, route: web.RouteDef) -> web.RouteDef:
        """``route`` behind the check, where it belongs to a room and names no session of it.

        A session's own address can't be guessed.
        """
        if not route.path.startswith("/rooms/{room}/") or "{token}" in route.path:
            return route
        handler: Handler = route.handler

        async def guarded(request: web.Request) -> web.StreamResponse:
            if request.method == "OPTIONS" and "Access-Control-Request-Method" in request.headers:
                # A preflight request carries no token, and is answered without ICE servers.
                return web.Response(status=204)
            await self._check(request)
            return await handler(request)

        return web.RouteDef(route.method, route.path, guarded, route.kwargs)

    async def enter(self, request: web.Request) -> web.Response:
        """POST with the token as bearer: 204 and a cookie for the room's page."""
        await self._check(request)
        response = web.Response(status=204, headers={"Cache-Control": "no-store"})
        if (token := bearer(request.headers.get("Authorization"))) is not None:
            response.set_cookie(
                ROOM_COOKIE,
                token,
                path=f"/rooms/{request.match_info['room']}",
                httponly=True,
                samesite="Strict",
                secure=request.secure,
            )
        return response

    async def _check(self, request: web.Request) -> None:
        """Raise HttpRefusalError 404 for no room, UnauthorizedError for a wrong token or none."""
        room = self._rooms.check(request.match_info["room"])
        shown = bearer(request.headers.get("Authorization")) or request.cookies.get(ROOM_COOKIE, "")
        if self._rooms.admits(room, shown):
            return
        of_api = shown or request.cookies.get(COOKIE, "")
        if not of_api:
            raise UnauthorizedError(MISSING, do=DO)
        (await self._authenticator.caller(of_api)).require(Scope.ROOMS)
