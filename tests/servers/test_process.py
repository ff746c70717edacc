"""A server's process: started, stopped, killed."""

import asyncio
import sys
from pathlib import Path

import psutil
import pytest

from tests.servers.process import LOOPBACK, ServerProcess, free_ports

SERVE = "import http.server, sys; http.server.test(port=int(sys.argv[1]), bind='127.0.0.1')"


@pytest.fixture
def server(tmp_path: Path) -> ServerProcess:
    (port,) = free_ports(1)
    return ServerProcess([sys.executable, "-c", SERVE, str(port)], port, tmp_path / "log")


async def test_it_is_up_while_it_is_entered(server: ServerProcess) -> None:
    async with server:
        process = psutil.Process(server.pid)
        _, writer = await asyncio.open_connection(LOOPBACK, server.port)
        writer.close()
        await writer.wait_closed()
    assert not process.is_running()


async def test_it_is_restarted_on_the_same_port(server: ServerProcess) -> None:
    async with server:
        before = server.pid
        await server.restart()
        assert server.pid != before
        _, writer = await asyncio.open_connection(LOOPBACK, server.port)
        writer.close()
        await writer.wait_closed()


async def test_a_server_that_does_not_start_is_reported_with_its_last_output(
    tmp_path: Path,
) -> None:
    (port,) = free_ports(1)
    command = [sys.executable, "-c", "raise SystemExit('no such room')"]
    with pytest.raises(RuntimeError, match="no such room"):
        await ServerProcess(command, port, tmp_path / "log").start()


def test_free_ports_differ() -> None:
    assert len(set(free_ports(20))) == 20
