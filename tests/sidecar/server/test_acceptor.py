"""Accepting where the system refuses, and listening."""

import asyncio
import contextlib
import multiprocessing
import os
import resource
import socket
import time
from multiprocessing.connection import Connection
from pathlib import Path

import pytest

from config.settings import Settings
from sidecar.logs import configure
from sidecar.open_files import raise_open_file_limit
from sidecar.server.acceptor import listening_sockets
from sidecar.server.connections import ConnectionLimits
from sidecar.server.listener import connection_limits
from tests.sidecar.server.conftest import grey_server

FILES = 128


def serve_with_few_files(pipe: Connection, log: Path) -> None:
    """Serve with 128 open files until the pipe says that it is enough; sends port and CPU time."""
    resource.setrlimit(resource.RLIMIT_NOFILE, (FILES, FILES))
    os.dup2(os.open(log, os.O_WRONLY | os.O_CREAT), 2)
    configure(Settings().log)

    async def run() -> None:
        async with grey_server(limits=ConnectionLimits(per_address=1000)) as server:
            pipe.send(server.port)
            await asyncio.to_thread(pipe.recv)
            pipe.send(time.process_time())
            await asyncio.to_thread(pipe.recv)
            pipe.send(time.process_time())
            await asyncio.to_thread(pipe.recv)

    asyncio.run(run())


def healthy(port: int) -> bool:
    with socket.create_connection(("127.0.0.1", port), timeout=20) as client:
        client.sendall(b"GET /livez HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
        return b"200 OK" in client.recv(4096)


def test_without_descriptors_it_neither_spins_nor_floods_the_log(tmp_path: Path) -> None:
    log = tmp_path / "log"
    context = multiprocessing.get_context("spawn")
    ours, theirs = context.Pipe()
    child = context.Process(target=serve_with_few_files, args=(theirs, log))
    child.start()
    try:
        assert ours.poll(60)
        port = ours.recv()
        assert healthy(port)
        with contextlib.ExitStack() as clients:
            for _ in range(FILES + 50):
                clients.enter_context(socket.create_connection(("127.0.0.1", port), timeout=20))
            ours.send("begin")
            before = ours.recv()
            time.sleep(3)
            ours.send("end")
            assert ours.recv() - before < 1
        assert healthy(port)
        ours.send("close")
        child.join(30)
        text = log.read_text()
        assert "connections not accepted" in text
        assert "Too many open files" in text
        assert "Traceback" not in text
        assert len(text) < 3000
    finally:
        child.kill()
        child.join()


def limits_in_child(pipe: Connection) -> None:
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (100, hard))
    few = connection_limits(Settings().server).total
    raise_open_file_limit()
    pipe.send((few, resource.getrlimit(resource.RLIMIT_NOFILE), hard))


def test_the_limit_on_open_files_is_raised_and_bounds_the_connections() -> None:
    context = multiprocessing.get_context("spawn")
    ours, theirs = context.Pipe()
    child = context.Process(target=limits_in_child, args=(theirs,))
    child.start()
    assert ours.poll(60)
    few, (soft, after), hard = ours.recv()
    child.join(10)
    assert few == 50
    assert soft == min(hard, 2**20) if hard != resource.RLIM_INFINITY else 2**20
    assert after == hard


async def test_all_addresses_of_a_name_have_one_port() -> None:
    sockets = await listening_sockets("localhost", 0)
    try:
        assert len({one.getsockname()[1] for one in sockets}) == 1
    finally:
        for one in sockets:
            one.close()


async def test_a_name_without_an_address_is_refused() -> None:
    with pytest.raises(socket.gaierror):
        await listening_sockets("no-such-host.invalid", 0)
