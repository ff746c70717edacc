"""A Ray cluster of several nodes on this machine, on loopback alone."""

import contextlib
import itertools
import os
import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import pytest
from ray.cluster_utils import Cluster

from tests.servers.process import LOOPBACK, free_ports

ROOT: Final = Path(__file__).parents[3]
ENVIRON: Final[Mapping[str, str]] = {
    "RAY_USAGE_STATS_ENABLED": "0",
    # Nodes are started by this process; modules of the tests are found in them.
    "PYTHONPATH": str(ROOT),
}
HEALTH: Final[Mapping[str, int]] = {
    "health_check_initial_delay_ms": 0,
    "health_check_period_ms": 500,
    "health_check_timeout_ms": 500,
    "health_check_failure_threshold": 3,
}
"""What docs/cluster.md recommends: a node that is gone is noticed after some two seconds."""
CPUS: Final = 4
"""Of each node, as Ray counts: they are this machine's, several times."""


class Nodes:
    """The nodes of a cluster: the head, and others by their number."""

    def __init__(self, health: Mapping[str, int], environ: Mapping[str, str]) -> None:
        self._environ = dict(environ)
        arguments = {"_system_config": dict(health), **self._arguments(0)}
        self.cluster: Any = Cluster(initialize_head=True, head_node_args=arguments)
        self._others = 0

    @property
    def address(self) -> str:
        """Where the head listens."""
        return str(self.cluster.address)

    @property
    def head_pid(self) -> int:
        """The process of the head's raylet."""
        pid: int = self.cluster.head_node.all_processes["raylet"][0].process.pid
        return pid

    def restart_control_store(self, pause: Callable[[], None]) -> None:
        """Kill the head's control store (GCS), and start it again after ``pause``."""
        self.cluster.head_node.kill_gcs_server()
        pause()
        self.cluster.head_node.start_gcs_server()

    def add(self) -> Any:
        """Start a further node."""
        self._others += 1
        return self.cluster.add_node(**self._arguments(self._others))

    @staticmethod
    def _arguments(number: int) -> dict[str, Any]:
        return {
            "num_cpus": CPUS,
            # An address of its own for each. Ray takes 127.0.0.1 for the machine's outer address.
            "node_ip_address": f"127.0.0.{number + 2}",
            "object_store_memory": 100 * 2**20,
            "include_dashboard": False,
            "dashboard_agent_listen_port": 0,
        }


@contextmanager
def nodes(
    count: int, *, health: Mapping[str, int] = HEALTH, environ: Mapping[str, str] = ENVIRON
) -> Iterator[Nodes]:
    """A cluster of ``count`` nodes, the head included."""
    # Paths of Ray's Unix sockets may have 107 characters.
    folder = tempfile.mkdtemp(prefix="ray-", dir="/tmp")
    (Path(folder) / "ray").mkdir()
    kept = {name: os.environ.get(name) for name in (*environ, "RAY_TMPDIR")}
    os.environ.update(environ, RAY_TMPDIR=folder)
    try:
        started = Nodes(health, environ)
        try:
            for _ in range(count - 1):
                started.add()
            yield started
        finally:
            started.cluster.shutdown()
    finally:
        for name, value in kept.items():
            os.environ.pop(name, None)
            if value is not None:
                os.environ[name] = value
        shutil.rmtree(folder, ignore_errors=True)


@dataclass(frozen=True, slots=True)
class Redis:
    """A Redis server."""

    port: int
    folder: Path

    @property
    def address(self) -> str:
        """Where it listens."""
        return f"{LOOPBACK}:{self.port}"

    def dump(self) -> bytes:
        """Everything that it has, uncompressed."""
        with socket.create_connection((LOOPBACK, self.port)) as connection:
            connection.sendall(b"SAVE\r\n")
            assert connection.recv(64) == b"+OK\r\n"
        return (self.folder / "dump.rdb").read_bytes()


@contextmanager
def redis(folder: Path) -> Iterator[Redis]:
    """A Redis server on loopback; skips the test where there is none."""
    program = shutil.which("redis-server")
    if program is None:
        pytest.skip("redis-server can't be had here")
    (port,) = free_ports(1)
    arguments = {"port": port, "bind": LOOPBACK, "dir": folder, "save": "", "rdbcompression": "no"}
    given = [(f"--{name}", str(value)) for name, value in arguments.items()]
    command = [program, *itertools.chain.from_iterable(given)]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL)
    try:
        while True:
            with contextlib.suppress(ConnectionError), socket.create_connection((LOOPBACK, port)):
                break
            assert process.poll() is None, "Redis ended"
            time.sleep(0.05)
        yield Redis(port, folder)
    finally:
        process.kill()
        process.wait()
