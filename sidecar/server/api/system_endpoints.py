"""The endpoints of the server itself: health, metrics, drain, and the API's description."""

import asyncio
import ipaddress
from collections.abc import Callable, Sequence
from typing import Any

from aiohttp import web

from sidecar.server.api.endpoints import ApiRoutes, Endpoint, Exchange
from sidecar.server.api.metrics import (
    CONTENT_TYPE,
    MetricSources,
    metrics_registry,
    metrics_text,
)
from sidecar.server.api.tokens import Scope
from sidecar.server.problem_json import problem
from sidecar.supervisor.values import Value


class DrainView(Value):
    """How far draining is."""

    draining: bool
    rooms: int
    """That are not over yet."""


class SystemEndpoints:
    """Health, metrics and drain of the supervisor of ``sources``.

    ``faults`` says what keeps the server from being ready, by reading it; ``drain`` begins to end
    the server.
    """

    def __init__(
        self,
        sources: MetricSources,
        *,
        faults: Callable[[], Sequence[str]],
        drain: Callable[[], None],
    ) -> None:
        self._supervisor = sources.supervisor
        self._faults = faults
        self._drain = drain
        self._registry = metrics_registry(sources)

    def endpoints(self) -> Sequence[Endpoint]:
        """The table; ``/metrics`` is bound by ``metrics_route``, since loopback needs no token."""
        return (
            Endpoint(
                "GET", "/livez", "live", "Whether the server's event loop runs", None, self.livez,
                answer=dict[str, str], tag="server",
            ),
            Endpoint(
                "GET", "/readyz", "ready", "Whether the server takes rooms", None, self.readyz,
                answer=dict[str, str], errors=(503,), tag="server",
            ),
            Endpoint(
                "POST", "/v1/drain", "drain",
                "Take no new rooms and end when the last has ended", Scope.ADMIN, self.drain,
                status=202, answer=DrainView, tag="server",
            ),
        )  # fmt: skip

    async def livez(self, exchange: Exchange) -> dict[str, str]:
        return {"status": "ok"}

    async def readyz(self, exchange: Exchange) -> Any:
        faults = [*self._faults(), *(["draining"] if self._supervisor.draining else [])]
        if faults:
            return problem(503, "; ".join(faults), do="ask another server")
        return {"status": "ok"}

    async def drain(self, exchange: Exchange) -> DrainView:
        self._drain()
        open_rooms = sum(not room.state.over for room in self._supervisor.rooms())
        return DrainView(draining=True, rooms=open_rooms)

    def metrics_route(self, api: ApiRoutes) -> web.RouteDef:
        """``GET /metrics``: open to programs on this machine, for others with the scope."""

        async def metrics(request: web.Request) -> web.Response:
            if not _is_local(request):
                await api.authenticate(request, Scope.METRICS)
            # Reading the memory of each process takes system calls.
            body = await asyncio.to_thread(metrics_text, self._registry)
            return web.Response(body=body, headers={"Content-Type": CONTENT_TYPE})

        return web.get("/metrics", metrics)


def _is_local(request: web.Request) -> bool:
    """The request comes from this machine, and not through a proxy on it."""
    if "X-Forwarded-For" in request.headers or "Forwarded" in request.headers:
        return False
    try:
        return ipaddress.ip_address(request.remote or "").is_loopback
    except ValueError:
        return False
