"""A server's process: started, stopped, killed."""

import asyncio
import socket
import sys
from pathlib import Path

import psutil
import pytest

from tests.servers import process
from tests.servers.process import LOOPBACK, ServerProcess, free_ports

SERVE = "import http.server, sys; http.server.test(port=int(sys.argv[1]), bind='127.0.0.1')"


@pytest.fixture
def server(tmp_path: Path) -> ServerProcess:
    (port,) = free_ports(1)
    return ServerProcess([sys.executable, "-c", SERVE, str(port)], port, tmp_path / "log")


async def test_it_is_up_while_it_is_entered(server: ServerProcess) -> None:
    async with server:
        running = psutil.Process(server.pid)
        _, writer = await asyncio.open_connection(LOOPBACK, server.port)
        writer.close()
        await writer.wait_closed()
    assert not running.is_running()


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


@pytest.mark.parametrize(
    ("clients", "ours"),
    [("20000 60999", range(10_000, 20_000)), ("1024 65535", range(10_000, 65_536))],
    ids=["some", "nearly all"],
)
def test_free_ports_are_none_that_the_system_gives_to_clients(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, clients: str, ours: range
) -> None:
    said = tmp_path / "ip_local_port_range"
    said.write_text(clients)
    monkeypatch.setattr(process, "CLIENT_PORTS", said)
    assert set(free_ports(20)) <= set(ours)


def test_a_port_that_is_in_use_on_another_address_is_not_free(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as used:
        used.bind(("127.0.0.2", 0))
        port = used.getsockname()[1]
        monkeypatch.setattr(process, "own_ports", lambda: range(port, port + 1))
        with pytest.raises(RuntimeError, match="no 1 free"):
            free_ports(1)
