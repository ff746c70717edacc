"""The HTTP server of the embedded rooms: everything that a browser talks to."""

import errno
import ssl
from collections.abc import Collection, Mapping, Sequence
from contextlib import AsyncExitStack
from typing import Final, Self

from aiohttp import web

from config.errors import ServerError
from config.reaction_rule import ReactionRule
from config.settings import Settings
from sidecar.media.ice import configured_servers
from sidecar.rooms.hosted.sessions import Limits
from sidecar.server.camera_routes import Cameras
from sidecar.server.cors import cors_headers
from sidecar.server.event_stream import StreamTimeouts
from sidecar.server.pages import Pages
from sidecar.server.problem_json import problems
from sidecar.server.room_manager import RoomManager, SessionFactory
from sidecar.server.sse_routes import Streams
from sidecar.server.whip import Signalling

SHUTDOWN: Final = 2.0
"""Seconds that requests under way get to finish."""
_SECURITY: Final = {
    "Content-Security-Policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; "
        "media-src 'self' blob:; connect-src 'self'; base-uri 'none'; form-action 'none'; "
        "frame-ancestors 'none'"
    ),
    "Cross-Origin-Opener-Policy": "same-origin",
    "Permissions-Policy": "camera=(self), microphone=()",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
}


def create_app(
    lobby: RoomManager,
    *,
    pages: Collection[web.AbstractRouteDef] = (),
    origins: Collection[str] = (),
    max_body: int = 65536,
    timeouts: StreamTimeouts | None = None,
) -> web.Application:
    """The application over the rooms of ``lobby``, which the caller starts and closes.

    ``pages`` are the routes of the page, ``origins`` the other origins whose pages may use us, and
    ``max_body`` the most bytes of a request body.
    """
    app = web.Application(middlewares=[problems], client_max_size=max_body)

    async def add_headers(request: web.Request, response: web.StreamResponse) -> None:
        for name, value in _SECURITY.items():
            response.headers.setdefault(name, value)
        response.headers.update(cors_headers(request, origins))

    async def healthz(request: web.Request) -> web.Response:
        return web.json_response({"status": "ok", "rooms": len(lobby)})

    app.on_response_prepare.append(add_headers)
    app.router.add_get("/healthz", healthz)
    api = (Signalling(lobby), Streams(lobby, timeouts), Cameras(lobby, timeouts))
    app.add_routes([*(route for part in api for route in part.routes()), *pages])
    return app


def serve(
    settings: Settings,
    table: Mapping[str, ReactionRule],
    open_meeting: SessionFactory,
    *,
    rooms: Sequence[str] = (),
    tls: ssl.SSLContext | None = None,
) -> "Server":
    """The server that ``settings`` describe, with ``open_meeting`` for the session of a room.

    With ``rooms`` there are these and no others; without, every valid name is a room.
    """
    wanted = settings.server
    lobby = RoomManager(
        open_meeting,
        fixed=rooms,
        max_rooms=wanted.max_rooms,
        limits=Limits(wanted.max_participants, wanted.max_viewers, wanted.heartbeat_s),
        ice_servers=configured_servers(wanted.ice_servers),
        share_cameras=wanted.share_cameras,
    )
    pages = Pages(lobby, table, settings.stickers.folders).routes()
    app = create_app(lobby, pages=pages, origins=wanted.origins, max_body=wanted.max_body_bytes)
    return Server(app, lobby, wanted.host, wanted.port, tls=tls)


class Server:
    """Serves ``app`` on ``host``:``port``; port 0 takes any that is free.

    On closing, no new request is taken, then ``lobby`` is closed (which ends the streams), and
    requests under way get 2 s to finish.
    """

    def __init__(
        self,
        app: web.Application,
        lobby: RoomManager,
        host: str,
        port: int,
        *,
        tls: ssl.SSLContext | None = None,
    ) -> None:
        self._lobby = lobby
        self._host = host
        self._port = port
        self._tls = tls
        # A listener that hangs up must free its place at once, not at the next event.
        self._runner = web.AppRunner(
            app, access_log=None, shutdown_timeout=SHUTDOWN, handler_cancellation=True
        )
        self._life = AsyncExitStack()

    async def start(self) -> None:
        """Open the fixed rooms and listen; raises ServerError where that fails."""
        async with AsyncExitStack() as stack:
            await self._runner.setup()
            stack.push_async_callback(self._runner.cleanup)
            await stack.enter_async_context(self._lobby)
            site = web.TCPSite(self._runner, self._host, self._port, ssl_context=self._tls)
            try:
                await site.start()
            except OSError as error:
                raise _refused(self._host, self._port, error) from error
            stack.push_async_callback(site.stop)
            self._life = stack.pop_all()

    async def aclose(self) -> None:
        await self._life.aclose()

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(self, *exc: object) -> None:
        await self.aclose()

    @property
    def port(self) -> int:
        """The port that is really listened on."""
        return int(self._runner.addresses[0][1])

    def url(self, path: str = "/") -> str:
        """The URL of ``path`` for clients on this machine."""
        host = {"0.0.0.0": "127.0.0.1", "::": "[::1]"}.get(self._host, self._host)  # noqa: S104
        if ":" in host and not host.startswith("["):
            host = f"[{host}]"
        return f"{'https' if self._tls else 'http'}://{host}:{self.port}{path}"


def _refused(host: str, port: int, error: OSError) -> ServerError:
    reasons = {
        errno.EADDRINUSE: ("the port is taken", "choose another with --port, or 0 for any"),
        errno.EACCES: ("the port needs privileges", "choose one above 1023 with --port"),
        errno.EADDRNOTAVAIL: ("this machine has no such address", "choose another with --host"),
    }
    what, do = reasons.get(error.errno or 0, (error.strerror or str(error), "check --host"))
    return ServerError(what, where=f"{host}:{port}", do=do)
