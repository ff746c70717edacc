"""The connection of this process to a Ray cluster, and the threads for what blocks."""

import asyncio
import atexit
import logging
from collections.abc import Callable
from typing import Final, ParamSpec, TypeVar

import ray
import structlog

from config.errors import ServerError
from sidecar.aio import Component
from sidecar.cluster.blocking_calls import BlockingCalls
from sidecar.cluster.environment import worker_environment

log = structlog.get_logger(__name__)

LOGGERS: Final = {"ray.serve": logging.WARNING, "ray._private.worker": logging.ERROR}
"""What Ray logs in this process, from which level on."""

P = ParamSpec("P")
T = TypeVar("T")

THREADS: Final = 8
"""For calls of Ray that wait for its control store: all of them wait while that is gone."""
CLOSE: Final = 5.0
"""Seconds to disconnect. Ray waits 60 s for a control store that is gone."""


class RayConnection(Component):
    """Connected to the cluster at ``address`` from ``start`` on, in ``namespace``.

    One a process: Ray keeps its connection in globals.
    """

    def __init__(self, address: str, namespace: str) -> None:
        self.namespace = namespace
        self._address = address
        self._calls = BlockingCalls(THREADS, "ray")

    async def start(self) -> None:
        """Connect; raises ServerError where there is no cluster."""
        await self.run(self._connect)

    async def aclose(self) -> None:
        """Disconnect; what is detached goes on. Takes ``CLOSE`` seconds at most."""
        # Ray would disconnect once more when the process ends, and wait again.
        atexit.unregister(ray.shutdown)
        try:
            async with asyncio.timeout(CLOSE):
                await self.run(ray.shutdown)
        except TimeoutError:
            reason = f"no answer in {CLOSE:g} s"
            log.warning("not disconnected from the Ray cluster", reason=reason)

    async def run(self, call: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        """Run ``call``, which blocks, on a thread that does not keep the process from ending."""
        return await self._calls.run(call, *args, **kwargs)

    def _connect(self) -> None:
        for name, level in LOGGERS.items():
            logging.getLogger(name).setLevel(level)
        try:
            ray.init(
                address=self._address,
                namespace=self.namespace,
                log_to_driver=False,
                configure_logging=False,
                logging_level=logging.WARNING,
                runtime_env=worker_environment(),
            )
        except (ConnectionError, RuntimeError, ValueError) as error:
            what = f"the Ray cluster can't be reached: {error}".replace("\n", " ")[:300]
            do = "start it first: docs/cluster.md"
            raise ServerError(what, where="serve.cluster.address", do=do) from error
