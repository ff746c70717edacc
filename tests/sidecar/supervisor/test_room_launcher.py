"""Rooms' processes, forked from one that has imported what they need."""

import asyncio
import contextlib
import os
import resource
import signal
import socket
import sys
from collections.abc import AsyncIterator, Iterator, Sequence
from pathlib import Path

import psutil
import pytest

from sidecar.supervisor.room_launcher import ForkServer, StartedProcess, can_fork
from tests.sidecar.clients import eventually

pytestmark = pytest.mark.skipif(not can_fork(), reason="a fork server needs Linux")


@pytest.fixture
async def forks() -> AsyncIterator[ForkServer]:
    async with asyncio.timeout(120), ForkServer() as server:
        yield server


@contextlib.asynccontextmanager
async def started(forks: ForkServer) -> AsyncIterator[tuple[StartedProcess, socket.socket]]:
    """A process that waits for its first message, and the supervisor's end of its channel."""
    ours, theirs = socket.socketpair()
    with ours:
        with theirs:
            process = await forks.launch([theirs.fileno()])
        yield process, ours
    await process.wait()


def server_of(process: StartedProcess) -> psutil.Process:
    """The fork server that a process comes from."""
    found = psutil.Process(process.pid).parent()
    assert found is not None
    return found


async def test_a_fork_ends_with_its_channel_and_that_is_seen(forks: ForkServer) -> None:
    async with started(forks) as (process, _):
        assert process.returncode is None
        assert psutil.pid_exists(process.pid)
        # A session of its own: a Ctrl-C in the terminal is for the supervisor.
        await eventually(lambda: os.getsid(process.pid) == process.pid)
        await eventually(lambda: psutil.Process(process.pid).name() == "sidecar-room")
    assert process.returncode == 0


async def test_a_fork_has_no_channel_of_another(forks: ForkServer) -> None:
    async with started(forks) as (first, one), started(forks) as (second, _):
        os.kill(first.pid, signal.SIGKILL)
        await first.wait()
        assert one.recv(1) == b""
        assert second.returncode is None


async def test_forks_come_from_one_process_without_threads(forks: ForkServer) -> None:
    async with started(forks) as (first, _), started(forks) as (second, _):
        assert server_of(first) == server_of(second)
        assert server_of(first).num_threads() == 1


async def test_a_killed_fork_s_end_is_seen(forks: ForkServer) -> None:
    async with started(forks) as (process, _):
        os.kill(process.pid, signal.SIGKILL)
        await process.wait()
        assert not psutil.pid_exists(process.pid)


async def test_a_killed_server_costs_no_room_and_the_next_ones_start(
    forks: ForkServer, caplog: pytest.LogCaptureFixture
) -> None:
    async with started(forks) as (first, _):
        server_of(first).kill()
        async with started(forks) as (second, _):
            assert second.returncode is None
            assert first.returncode is None
            async with started(forks) as (third, _):
                assert server_of(third) != psutil.Process()


async def test_a_server_that_can_t_be_started_is_done_without() -> None:
    async with (
        asyncio.timeout(120),
        ForkServer(["/no/such/program"]) as forks,
        started(forks) as (process, _),
    ):
        assert process.returncode is None


def hanging() -> Sequence[str]:
    return (sys.executable, "-c", "import time; time.sleep(600)")


async def test_a_server_that_hangs_is_done_without() -> None:
    async with (
        asyncio.timeout(120),
        ForkServer(hanging(), answer=0.1) as forks,
        started(forks) as (process, _),
    ):
        assert process.returncode is None


async def test_a_request_that_is_given_up_leaves_its_answer_to_no_other(forks: ForkServer) -> None:
    ours, theirs = socket.socketpair()
    with ours, theirs:
        given_up = asyncio.create_task(forks.launch([theirs.fileno()]))
        await asyncio.sleep(0)
        given_up.cancel()
        async with started(forks) as (process, _):
            assert process.returncode is None


async def test_a_request_that_is_given_up_in_the_queue_passes_no_descriptor_on(
    forks: ForkServer,
) -> None:
    ours, theirs = socket.socketpair()
    with ours:
        first = asyncio.create_task(forks.launch([theirs.fileno()]))
        queued, channel = socket.socketpair()
        second = asyncio.create_task(forks.launch([channel.fileno()]))
        await asyncio.sleep(0)
        second.cancel()
        number = channel.fileno()
        await asyncio.wait([second])
        queued.close()
        channel.close()
        # Another's, of the same number.
        os.dup2(theirs.fileno(), number)
        process = await first
        theirs.close()
        async with started(forks) as (third, _):
            children = server_of(third).children()
            assert {one.pid for one in children} == {process.pid, third.pid}
        os.close(number)
    await process.wait()


@contextlib.contextmanager
def no_descriptor_left() -> Iterator[None]:
    """No further descriptor can be opened."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    highest = max(int(one.name) for one in Path("/proc/self/fd").iterdir())
    resource.setrlimit(resource.RLIMIT_NOFILE, (highest + 8, hard))
    opened: list[int] = []
    try:
        with contextlib.suppress(OSError):
            while True:
                opened.append(os.dup(0))
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
        for descriptor in opened:
            os.close(descriptor)


async def test_a_fork_for_which_no_descriptor_is_left_is_an_error(forks: ForkServer) -> None:
    async with started(forks):
        pass
    ours, theirs = socket.socketpair()
    with ours, theirs, no_descriptor_left(), pytest.raises(OSError, match="open files"):
        await forks.launch([theirs.fileno()])
    async with started(forks) as (process, _):
        assert process.returncode is None
