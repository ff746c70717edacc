"""The connection of this process to a Ray cluster, and the threads for what blocks."""

import asyncio
import logging
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Final, ParamSpec, TypeVar

import ray

from config.errors import ServerError
from sidecar.aio import Component
from sidecar.cluster.environment import worker_environment

LOGGERS: Final = {"ray.serve": logging.WARNING, "ray._private.worker": logging.ERROR}
"""What Ray logs in this process, from which level on."""

P = ParamSpec("P")
T = TypeVar("T")

THREADS: Final = 8
"""For calls of Ray that wait for its control store: all of them wait while that is gone."""


class RayConnection(Component):
    """Connected to the cluster at ``address`` from ``start`` on, in ``namespace``.

    One a process: Ray keeps its connection in globals.
    """

    def __init__(self, address: str, namespace: str) -> None:
        self.namespace = namespace
        self._address = address
        self._threads = ThreadPoolExecutor(THREADS, thread_name_prefix="ray")

    async def start(self) -> None:
        """Connect; raises ServerError where there is no cluster."""
        await self.run(self._connect)

    async def aclose(self) -> None:
        """Disconnect; what is detached goes on."""
        await self.run(ray.shutdown)
        self._threads.shutdown(wait=False)

    async def run(self, call: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        """Run ``call``, which blocks, on a thread of its own pool."""
        bound = partial(call, *args, **kwargs)
        return await asyncio.get_running_loop().run_in_executor(self._threads, bound)

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
