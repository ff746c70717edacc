"""The endpoints of model bundles: list, activate, go back to the one before."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field

from reactions.bundle import ModelBundle
from sidecar.server.api.endpoints import Endpoint, Exchange
from sidecar.server.api.tokens import Scope
from sidecar.supervisor.model_store import BundleStore
from sidecar.supervisor.values import ModelList


@dataclass(slots=True)
class ModelEndpoints:
    """Bundles of ``store``; ``use`` makes running workers use one, and raises where they can't."""

    store: BundleStore
    use: Callable[[ModelBundle], Awaitable[None]]
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

    async def _use(self, find: Callable[[], ModelBundle]) -> ModelList:
        async with self._lock:
            bundle = await asyncio.to_thread(find)
            await self.use(bundle)
            await asyncio.to_thread(self.store.keep, bundle.name)
            return await asyncio.to_thread(self.store.bundles)
