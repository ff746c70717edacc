"""Variables that Ray reads, in our process while it is imported and in those that it starts."""

import os
from collections.abc import Mapping
from typing import Any, Final

WORKERS: Final[Mapping[str, str]] = {
    # aiortc is tried with asyncio's own loop.
    "RAY_USE_UVLOOP": "0",
    # Threads of numpy only compete with the rooms beside.
    "OPENBLAS_NUM_THREADS": "1",
    "OMP_NUM_THREADS": "1",
    # Ray Serve learns of the load of each second; by default of that of ten.
    "RAY_SERVE_HANDLE_AUTOSCALING_METRIC_PUSH_INTERVAL_S": "1",
    "RAY_SERVE_REPLICA_AUTOSCALING_METRIC_PUSH_INTERVAL_S": "1",
}
"""Of the processes of rooms and replicas, and of the server as far as they are Ray's."""


def prepare_environment() -> None:
    """Set what Ray reads in this process; to be called before anything imports Ray."""
    ours = {name: value for name, value in WORKERS.items() if name.startswith("RAY_")}
    # SIGTERM is for us: it drains. Ray would print a trace of its own for it.
    for name, value in {**ours, "RAY_DISABLE_FAILURE_SIGNAL_HANDLER": "1"}.items():
        os.environ.setdefault(name, value)


def worker_environment() -> dict[str, Any]:
    """The runtime environment of rooms and replicas: modules are found where we find them."""
    ours = {"PYTHONPATH": os.environ["PYTHONPATH"]} if "PYTHONPATH" in os.environ else {}
    return {"env_vars": {**WORKERS, **ours}}
