"""The operator's page, and the session that lets a browser call the API by a cookie."""

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from importlib.metadata import version
from typing import Annotated, Final

from aiohttp import web
from pydantic import Field, SecretStr

from sidecar.server.api.endpoints import COOKIE, Endpoint, Exchange
from sidecar.server.api.metrics import MetricSources
from sidecar.server.api.tokens import Authenticator, Scope
from sidecar.server.pages import WEB, page_file
from sidecar.supervisor.values import Value

FILES: Final = (
    "icon.svg",
    "search.js",
    "style.css",
    "operator/api.js",
    "operator/ask.js",
    "operator/element.js",
    "operator/event_list.js",
    "operator/operator.css",
    "operator/operator.js",
    "operator/preview_tile.js",
    "operator/reaction_draft.js",
    "operator/reaction_form.js",
    "operator/reaction_view.js",
    "operator/room_facts.js",
    "operator/room_list.js",
    "operator/room_panel.js",
    "operator/scope.js",
    "operator/sticker_names.js",
    "operator/sticker_view.js",
    "operator/vocabulary.js",
)
"""All that the page consists of, below ``sidecar/web``."""
SESSION: Final = 12 * 3600
"""Seconds for which a browser keeps the cookie: a working day."""


class SessionRequest(Value):
    """A token to log in with."""

    token: Annotated[SecretStr, Field(min_length=1, max_length=8192)]


class SessionView(Value):
    """What the caller may do."""

    scopes: tuple[Scope, ...]
    open: bool
    """The server asks no caller for a token."""
    labels: tuple[str, ...]
    """That a reaction can be triggered for."""


class ServerView(Value):
    """The server at this moment."""

    version: str
    load: float
    """Share of the cores for rooms that is in use or reserved."""
    draining: bool
    workers: int | None
    """Detection workers that are alive; None for a server without."""
    sampling: float
    """Share of the wanted rate at which participants are sampled: below 1 under overload."""


def operator_routes() -> list[web.RouteDef]:
    """The page and its files: open to all, since they hold nothing of the server."""
    return [
        web.get("/", _page),
        *(web.get(f"/static/{name}", _file) for name in FILES),
        web.get("/static/poses/{pose:[a-z_]+}.webp", _pose),
    ]


async def _page(request: web.Request) -> web.FileResponse:
    return page_file(WEB / "operator" / "index.html")


async def _file(request: web.Request) -> web.FileResponse:
    # The routes are fixed: the path is one of ``FILES``.
    return page_file(WEB / request.path.removeprefix("/static/"))


async def _pose(request: web.Request) -> web.FileResponse:
    path = WEB / "poses" / f"{request.match_info['pose']}.webp"
    if not path.is_file():
        raise web.HTTPNotFound(reason="no such picture")
    return page_file(path)


@dataclass(frozen=True, slots=True)
class OperatorEndpoints:
    """The endpoints that the page needs beyond those of rooms."""

    sources: MetricSources
    authenticator: Authenticator
    labels: Callable[[], Collection[str]]
    """That the reaction table has on."""

    def endpoints(self) -> Sequence[Endpoint]:
        """The table."""
        return (
            Endpoint(
                "GET", "/v1/server", "server", "Load and state of the server", Scope.ROOMS,
                self.server, answer=ServerView, tag="server",
            ),
            Endpoint(
                "GET", "/v1/session", "session", "What the caller may do", Scope.ROOMS,
                self.session, answer=SessionView, tag="server",
            ),
            Endpoint(
                "POST", "/v1/session", "logIn", "Keep a token in a cookie of this browser", None,
                self.log_in, status=204, body=SessionRequest, errors=(401, 403), tag="server",
            ),
            Endpoint(
                "DELETE", "/v1/session", "logOut", "Forget the cookie", None, self.log_out,
                status=204, tag="server",
            ),
        )  # fmt: skip

    async def server(self, exchange: Exchange) -> ServerView:
        supervisor, detector = self.sources.supervisor, self.sources.detector
        return ServerView(
            version=version("reaction-sidecar"),
            load=round(supervisor.admission.load(supervisor.now), 3),
            draining=supervisor.draining,
            workers=None if detector is None else detector().workers,
            sampling=round(supervisor.sampling.factor, 2),
        )

    async def session(self, exchange: Exchange) -> SessionView:
        scopes = tuple(scope for scope in Scope if scope in exchange.caller.scopes)
        return SessionView(
            scopes=scopes, open=self.authenticator.open, labels=tuple(sorted(self.labels()))
        )

    async def log_in(self, exchange: Exchange) -> web.Response:
        request: SessionRequest = exchange.body
        token = request.token.get_secret_value()
        caller = await self.authenticator.caller(token)
        caller.require(Scope.ROOMS)
        response = web.Response(status=204, headers={"Cache-Control": "no-store"})
        response.set_cookie(
            COOKIE,
            token,
            max_age=SESSION,
            httponly=True,
            samesite="Strict",
            secure=exchange.request.secure,
        )
        return response

    async def log_out(self, exchange: Exchange) -> web.Response:
        response = web.Response(status=204, headers={"Cache-Control": "no-store"})
        response.del_cookie(COOKIE, httponly=True, samesite="Strict")
        return response
