"""The endpoints of model bundles: list, activate, go back to the one before."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from typing import Final

import structlog

from config.errors import SidecarError
from reactions.bundle import SHIPPED_NAME, ModelBundle
from sidecar.server.api.endpoints import Endpoint, Exchange
from sidecar.server.api.tokens import Scope
from sidecar.supervisor.model_store import BundleStore
from sidecar.supervisor.server_values import ModelList

log = structlog.get_logger(__name__)

MAX_PAUSE: Final = 128
"""Looks between two tries to use a chosen bundle: a minute, at two looks a second."""


@dataclass(slots=True)
class ModelEndpoints:
    """Bundles of ``store``; ``use`` makes running workers use one, and raises where they can't."""

    store: BundleStore
    use: Callable[[ModelBundle], Awaitable[None]]
    used: str = SHIPPED_NAME
    """The name of the bundle in use."""
    _mixed: bool = False
    """Whether a change failed: some workers may use another bundle."""
    _failed: str | None = None
    """A bundle that another program chose, and that could not be used."""
    _failures: int = 0
    """How often."""
    _pause: int = 0
    """Calls of ``follow`` until it is tried again."""
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

        One that can't be used is logged once, and the bundle in use stays. It is tried again at
        the next call, and after twice as many calls each time that it fails: a full disk, a
        network that is away and workers that start pass by.
        """
        async with self._lock:
            wanted = (await asyncio.to_thread(self.store.names)).active
            settled = wanted == self.used and not self._mixed
            if settled or wanted != self._failed:
                self._failed, self._failures, self._pause = None, 0, 0
            if settled:
                return
            if self._pause > 0:
                self._pause -= 1
                return
            try:
                await self._load(await asyncio.to_thread(self.store.get, wanted))
            except SidecarError as error:
                if self._failed is None:
                    log.error("chosen models not used", bundle=wanted, reason=str(error))
                self._failed, self._pause = wanted, min(2**self._failures, MAX_PAUSE) - 1
                self._failures = min(self._failures + 1, MAX_PAUSE)
            else:
                self._mixed = False
                log.info("models changed", bundle=wanted)

    async def _use(self, find: Callable[[], ModelBundle]) -> ModelList:
        async with self._lock:
            bundle = await asyncio.to_thread(find)
            await self._load(bundle)
            # Where this fails, ``follow`` goes back to the one that is chosen.
            await asyncio.to_thread(self.store.keep, bundle.name)
            self._failed = None
            self._mixed = False
            return await asyncio.to_thread(self.store.bundles)

    async def _load(self, bundle: ModelBundle) -> None:
        """Have ``bundle`` used; where that fails, ``follow`` makes sure of the one that was."""
        self._mixed = True
        await self.use(bundle)
        self.used = bundle.name
