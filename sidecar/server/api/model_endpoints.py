"""The endpoints of model bundles: list, activate, go back to the one before."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field

import structlog

from config.errors import InferenceError, SidecarError
from reactions.bundle import SHIPPED_NAME, ModelBundle
from sidecar.server.api.endpoints import Endpoint, Exchange
from sidecar.server.api.tokens import Scope
from sidecar.supervisor.model_store import BundleStore
from sidecar.supervisor.values import ModelList

log = structlog.get_logger(__name__)


@dataclass(slots=True)
class ModelEndpoints:
    """Bundles of ``store``; ``use`` makes running workers use one, and raises where they can't."""

    store: BundleStore
    use: Callable[[ModelBundle], Awaitable[None]]
    used: str = SHIPPED_NAME
    """The name of the bundle in use."""
    _refused: str | None = None
    """A chosen bundle that could not be used."""
    _logged: str | None = None
    """The bundle whose fault is in the log."""
    _lock: asyncio.Lock = field(default_factory=asyncio.Lock)
    """One change at a time."""

    def endpoints(self) -> Sequence[Endpoint]:
        """The table."""
        return (
            Endpoint(
                "GET", "/v1/models", "listModels", "List model bundles", Scope.ADMIN, self.list,
                answer=ModelList, tag="models",
            ),
            Endpoint(
                "POST", "/v1/models/{bundle}/activate", "activateModels",
                "Use a bundle, without dropping a sample", Scope.ADMIN, self.activate,
                answer=ModelList, errors=(404, 409, 422, 503, 507), tag="models",
            ),
            Endpoint(
                "POST", "/v1/models/rollback", "rollBackModels",
                "Use the bundle that was used before", Scope.ADMIN, self.roll_back,
                answer=ModelList, errors=(404, 409, 422, 503, 507), tag="models",
            ),
        )  # fmt: skip

    async def list(self, exchange: Exchange) -> ModelList:
        return await asyncio.to_thread(self.store.bundles)

    async def activate(self, exchange: Exchange) -> ModelList:
        name = exchange.request.match_info["bundle"]
        return await self._use(lambda: self.store.get(name))

    async def roll_back(self, exchange: Exchange) -> ModelList:
        return await self._use(self.store.previous)

    async def follow(self) -> None:
        """Use the bundle that another program, such as ``sidecar model use``, chose meanwhile.

        One that can't be used is logged once, and the bundle in use stays; where no worker could
        change over just now, the next call tries again.
        """
        wanted = (await asyncio.to_thread(self.store.names)).active
        if wanted in {self.used, self._refused}:
            return
        async with self._lock:
            try:
                await self.use(await asyncio.to_thread(self.store.get, wanted))
            except SidecarError as error:
                if wanted != self._logged:
                    log.error("chosen models not used", bundle=wanted, reason=str(error))
                self._logged = wanted
                if not isinstance(error, InferenceError):
                    self._refused = wanted
            else:
                self.used, self._refused, self._logged = wanted, None, None
                log.info("models changed", bundle=wanted)

    async def _use(self, find: Callable[[], ModelBundle]) -> ModelList:
        async with self._lock:
            bundle = await asyncio.to_thread(find)
            await self.use(bundle)
            self.used = bundle.name
            await asyncio.to_thread(self.store.keep, bundle.name)
            return await asyncio.to_thread(self.store.bundles)
