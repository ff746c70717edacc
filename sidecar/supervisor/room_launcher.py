"""How the process of a room is started: as a program, or forked from one that has imported it all.

A forked process is not our child: its end is seen by its pidfd.
"""

import asyncio
import contextlib
import errno
import json
import os
import socket
import sys
from collections.abc import Awaitable, Callable, Mapping, Sequence
from pathlib import Path
from typing import Final, Protocol, TypeAlias

import structlog

from sidecar.aio import Component, TaskSet
from sidecar.captured import failure_text

log = structlog.get_logger(__name__)

MAX_DESCRIPTORS: Final = 64
"""That a room inherits: its control channel, and a few for its samples."""
MAX_MESSAGE: Final = 4096
"""Bytes of a message between fork server and supervisor."""
ANSWER: Final = 90.0
"""Seconds until a fork is answered: the first waits for imports, on a busy machine for long."""
END: Final = 2.0
"""Seconds for a fork server to end."""
FORK_ENVIRON: Final[Mapping[str, str]] = {
    # A process with threads must not fork.
    "OPENBLAS_NUM_THREADS": "1",
    "OMP_NUM_THREADS": "1",
}


class StartedProcess(Protocol):
    """A process that was started, as of ``asyncio.subprocess``."""

    @property
    def pid(self) -> int:
        """Its id."""

    @property
    def returncode(self) -> int | None:
        """None while it runs."""

    async def wait(self) -> int:
        """Wait for its end."""


Launch: TypeAlias = Callable[[Sequence[int]], Awaitable[StartedProcess]]
"""Starts a room's process, which inherits these descriptors, the control channel first. Raises
OSError where the system starts none."""


def room_command() -> Sequence[str]:
    """The command of a room's process; the descriptor of its control channel is appended."""
    return (sys.executable, "-m", "sidecar.supervisor.room_process")


def fork_command() -> Sequence[str]:
    """The command of a fork server; the descriptor of its socket is appended."""
    return (sys.executable, "-m", "sidecar.supervisor.room_fork_server")


def make_launch(command: Sequence[str]) -> Launch:
    """Return what starts ``command`` for each room."""

    async def spawn(descriptors: Sequence[int]) -> StartedProcess:
        return await asyncio.create_subprocess_exec(
            *command,
            str(descriptors[0]),
            stdin=asyncio.subprocess.DEVNULL,
            pass_fds=descriptors,
            # Ctrl-C in the terminal is for the supervisor, which lets each room leave.
            start_new_session=True,
        )

    return spawn


def can_fork() -> bool:
    """Whether this system has what ``ForkServer`` needs: Linux with pidfds."""
    return sys.platform == "linux" and hasattr(os, "pidfd_open") and Path("/proc/self").exists()


class ForkServer(Component):
    """Forks rooms' processes by a server of its own process, ``launch``.

    Where that is lost, rooms that run go on, and the next one is started as a program while
    another server starts.
    """

    def __init__(self, command: Sequence[str] | None = None, answer: float = ANSWER) -> None:
        self._command = tuple(command or fork_command())
        self._answer = answer
        self._spawn = make_launch(room_command())
        self._turn = asyncio.Lock()
        self._tasks = TaskSet()
        self._socket: socket.socket | None = None
        self._process: asyncio.subprocess.Process | None = None

    async def start(self) -> None:
        """Start the server; it imports while others start."""
        await self._start_server()

    async def aclose(self) -> None:
        """End the server; what it forked goes on."""
        await self._tasks.aclose()
        await self._end_server()

    async def launch(self, descriptors: Sequence[int]) -> StartedProcess:
        """As ``Launch``.

        Nothing is done with ``descriptors`` once this is cancelled: they may be closed then, and
        their numbers be those of others.
        """
        await self._turn.acquire()
        # A request that is given up halfway would leave its answer to the next.
        work = self._tasks.create_cleanup(self._forked(descriptors), name="fork of a room")
        work.add_done_callback(lambda _: self._turn.release())
        return await asyncio.shield(work) or await self._spawn(descriptors)

    async def _forked(self, descriptors: Sequence[int]) -> StartedProcess | None:
        """None where the server was lost; another one is started then."""
        try:
            async with asyncio.timeout(self._answer):
                return await self._fork(descriptors)
        except (TimeoutError, EOFError, ConnectionError) as error:
            log.warning("fork server lost", reason=failure_text(error))
            await self._end_server()
            await self._start_server()
        return None

    async def _fork(self, descriptors: Sequence[int]) -> StartedProcess:
        if self._socket is None:
            raise EOFError("it is not running")
        socket.send_fds(self._socket, [json.dumps(list(descriptors)).encode()], list(descriptors))
        await wait_readable(self._socket.fileno())
        message, received, _, _ = socket.recv_fds(self._socket, MAX_MESSAGE, 1)
        if not message:
            raise EOFError("it ended")
        answer = json.loads(message)
        if "pid" not in answer:
            raise OSError(answer["errno"], os.strerror(answer["errno"]))
        if not received:
            # The system drops a descriptor for which there is no number. The fork ends with its
            # channel, which the caller closes.
            raise OSError(errno.EMFILE, os.strerror(errno.EMFILE))
        return ForkedProcess(answer["pid"], received[0])

    async def _start_server(self) -> None:
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        ours.setblocking(False)
        try:
            self._process = await asyncio.create_subprocess_exec(
                *self._command,
                str(theirs.fileno()),
                stdin=asyncio.subprocess.DEVNULL,
                pass_fds=(theirs.fileno(),),
                start_new_session=True,
                env={**os.environ, **FORK_ENVIRON},
            )
        except OSError as error:
            ours.close()
            log.warning("fork server not started", reason=failure_text(error))
        else:
            self._socket = ours
        finally:
            theirs.close()

    async def _end_server(self) -> None:
        process, self._process = self._process, None
        if self._socket is not None:
            self._socket.close()
            self._socket = None
        if process is None:
            return
        try:
            async with asyncio.timeout(END):
                await process.wait()
        except TimeoutError:
            with contextlib.suppress(ProcessLookupError):
                process.kill()
            await process.wait()


class ForkedProcess:
    """A process that another one forked, by its ``pidfd``, which is closed with its end."""

    def __init__(self, pid: int, pidfd: int) -> None:
        self.pid = pid
        self._pidfd = pidfd
        self._ended = asyncio.Event()
        self._loop = asyncio.get_running_loop()
        self._loop.add_reader(pidfd, self._end)

    @property
    def returncode(self) -> int | None:
        """None while it runs, then 0: its status is its parent's to know."""
        return 0 if self._ended.is_set() else None

    async def wait(self) -> int:
        """Wait for its end."""
        await self._ended.wait()
        return 0

    def _end(self) -> None:
        self._loop.remove_reader(self._pidfd)
        os.close(self._pidfd)
        self._ended.set()


async def wait_readable(descriptor: int) -> None:
    """Wait until ``descriptor`` can be read, or is at its end."""
    loop = asyncio.get_running_loop()
    ready = asyncio.Event()
    loop.add_reader(descriptor, ready.set)
    try:
        await ready.wait()
    finally:
        loop.remove_reader(descriptor)
