"""The connection of this process to a Ray cluster, and the threads for what blocks."""

import asyncio
import logging
import os
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Any, Final, ParamSpec, TypeVar

import ray

from config.errors import ServerError
from sidecar.aio import Component

P = ParamSpec("P")
T = TypeVar("T")

THREADS: Final = 8
"""For calls of Ray that wait for its control store: all of them wait while that is gone."""
ENVIRON: Final[Mapping[str, str]] = {
    # aiortc is tried with asyncio's own loop.
    "RAY_USE_UVLOOP": "0",
    # Threads of numpy only compete with the rooms beside.
    "OPENBLAS_NUM_THREADS": "1",
    "OMP_NUM_THREADS": "1",
    # Ray Serve learns of the load of each second; by default of that of ten.
    "RAY_SERVE_HANDLE_AUTOSCALING_METRIC_PUSH_INTERVAL_S": "1",
    "RAY_SERVE_REPLICA_AUTOSCALING_METRIC_PUSH_INTERVAL_S": "1",
}
"""Of the processes of rooms and replicas."""


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
        logging.getLogger("ray.serve").setLevel(logging.WARNING)
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


def worker_environment() -> dict[str, Any]:
    """The runtime environment of rooms and replicas: modules are found where we find them."""
    ours = {"PYTHONPATH": os.environ["PYTHONPATH"]} if "PYTHONPATH" in os.environ else {}
    return {"env_vars": {**ENVIRON, **ours}}
