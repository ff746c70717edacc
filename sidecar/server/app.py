"""The HTTP server of the hosted rooms: page, WHIP, WHEP, events and statistics."""

import ssl
from collections.abc import Collection, Mapping, Sequence
from typing import Final

from aiohttp import web

from config.reaction_rule import ReactionRule
from config.settings import ServerSettings, Settings
from sidecar.media.ice import configured_servers
from sidecar.rooms.hosted.sessions import Limits
from sidecar.server.camera_routes import Cameras
from sidecar.server.connections import limit_requests
from sidecar.server.cors import cors_headers
from sidecar.server.event_stream import EventStreams
from sidecar.server.hosts import PROXIES, TrustedProxies, check_hosts, own_names
from sidecar.server.listener import HttpListener, connection_limits
from sidecar.server.pages import Pages
from sidecar.server.problem_json import problems
from sidecar.server.quotas import ClientQuota
from sidecar.server.room_manager import RoomManager, SessionFactory
from sidecar.server.sse_routes import Streams
from sidecar.server.whip import Signalling

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
    rooms: RoomManager,
    *,
    pages: Collection[web.AbstractRouteDef] = (),
    host: str = "",
    origins: Collection[str] = (),
    max_body: int = 65536,
    body_timeout: float = 30.0,
    proxies: Collection[str] = (),
    streams: EventStreams | None = None,
) -> web.Application:
    """The application over ``rooms``, which the caller starts and closes.

    ``pages`` are the routes of the page, ``host`` the configured address or name, ``origins`` the
    other origins whose pages may use us, ``max_body`` the most bytes of a request body, and
    ``body_timeout`` the seconds in which it must come. ``proxies`` are trusted reverse proxies.
    """
    hosts = check_hosts(own_names(host, origins))
    app = web.Application(
        middlewares=[limit_requests(body_timeout), problems, hosts], client_max_size=max_body
    )
    app[PROXIES] = TrustedProxies(proxies)
    streams = streams or EventStreams()

    async def add_headers(request: web.Request, response: web.StreamResponse) -> None:
        for name, value in _SECURITY.items():
            response.headers.setdefault(name, value)
        response.headers.update(cors_headers(request, origins, host))

    async def healthz(request: web.Request) -> web.Response:
        return web.json_response({"status": "ok", "rooms": len(rooms)})

    app.on_response_prepare.append(add_headers)
    app.router.add_get("/healthz", healthz)
    api = (Signalling(rooms), Streams(rooms, streams), Cameras(rooms, streams))
    app.add_routes([*(route for part in api for route in part.routes()), *pages])
    return app


def hosted_server(
    settings: Settings,
    table: Mapping[str, ReactionRule],
    open_meeting: SessionFactory,
    *,
    rooms: Sequence[str] = (),
    tls: ssl.SSLContext | None = None,
) -> HttpListener:
    """The server that ``settings`` describe, with ``open_meeting`` for the session of a room.

    With ``rooms`` there are these and no others; without, every valid name is a room.
    """
    wanted = settings.server
    manager = RoomManager(
        open_meeting,
        fixed=rooms,
        max_rooms=wanted.max_rooms,
        limits=hosted_limits(wanted),
        ice_servers=configured_servers(wanted.ice_servers),
        share_cameras=wanted.share_cameras,
    )
    pages = Pages(manager, table, settings.stickers.folders).routes()
    app = create_app(
        manager,
        pages=pages,
        host=wanted.host,
        origins=wanted.origins,
        max_body=wanted.max_body_bytes,
        body_timeout=wanted.body_timeout,
        proxies=wanted.proxies,
        streams=EventStreams(
            ClientQuota("event streams", wanted.max_streams, wanted.max_streams_per_client)
        ),
    )
    limits = connection_limits(wanted)
    return HttpListener(app, wanted.host, wanted.port, inner=manager, tls=tls, limits=limits)


def hosted_limits(wanted: ServerSettings) -> Limits:
    """The limits of one hosted room."""
    return Limits(
        wanted.max_participants,
        wanted.max_viewers,
        wanted.heartbeat_s,
        wanted.max_sessions_per_address,
    )
