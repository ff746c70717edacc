"""One server as a process: started, waited for, killed, and started again on the same ports."""

import asyncio
import atexit
import contextlib
import random
import socket
import subprocess
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Self

LOOPBACK = "127.0.0.1"
START_SECONDS = 30.0
STOP_SECONDS = 5.0
CLIENT_PORTS = Path("/proc/sys/net/ipv4/ip_local_port_range")
_LOWEST = 10_000


def free_ports(count: int) -> list[int]:
    """Ports that are free at this moment on all addresses, over TCP and UDP.

    None is one that the system gives to a client by itself: another test's connection would take it
    before the server has it, or while the server is restarted.
    """
    with contextlib.ExitStack() as stack:
        ports: list[int] = []
        # Not from the lowest on: other processes look for ports at the same time.
        possible = own_ports()
        for port in random.sample(possible, k=len(possible)):
            if len(ports) == count:
                return ports
            if _taken(stack, port):
                ports.append(port)
    raise RuntimeError(f"there are no {count} free ports")


def own_ports() -> range:
    """Ports below those of clients, or any where clients get nearly all."""
    with contextlib.suppress(OSError, ValueError):
        lowest = int(CLIENT_PORTS.read_text().split()[0])
        if lowest >= _LOWEST + 2000:
            return range(_LOWEST, lowest)
    return range(_LOWEST, 65536 - 100)


def _taken(stack: contextlib.ExitStack, port: int) -> bool:
    """Whether the port could be had, over both; it is held until ``stack`` is closed."""
    for kind in (socket.SOCK_STREAM, socket.SOCK_DGRAM):
        one = stack.enter_context(socket.socket(socket.AF_INET, kind))
        try:
            one.bind(("", port))
        except OSError:
            return False
    return True


class ServerProcess:
    """A server that runs while it is entered; what it says goes to the file ``log``.

    Up means: something takes TCP connections on ``port`` of loopback.
    """

    def __init__(
        self,
        command: Sequence[str | Path],
        port: int,
        log: Path,
        *,
        cwd: Path | None = None,
    ) -> None:
        self.port = port
        self.log = log
        self._command = [str(part) for part in command]
        self._cwd = cwd
        self._process: subprocess.Popen[bytes] | None = None

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(self, *exc: object) -> None:
        await self.stop()

    @property
    def pid(self) -> int:
        """The id of the running process."""
        assert self._process is not None, "not running"
        return self._process.pid

    async def start(self) -> None:
        """Start it and wait until it is up; RuntimeError, with its last words, if it isn't."""
        assert self._process is None, "running already"
        self._process = self._spawn()
        # However this process ends, its servers end with it.
        atexit.register(self.kill)
        try:
            await self._up()
        except BaseException:
            self.kill()
            raise

    def signal(self, number: int) -> None:
        """Send it a signal, such as SIGSTOP: a frozen server."""
        assert self._process is not None, "not running"
        self._process.send_signal(number)

    def kill(self) -> None:
        """End it at once, as a crash would, without closing its connections."""
        process, self._process = self._process, None
        atexit.unregister(self.kill)
        if process is not None:
            process.kill()
            process.wait()

    async def stop(self) -> None:
        """Ask it to end, and make it end where it doesn't."""
        if self._process is not None:
            self._process.terminate()
            with contextlib.suppress(subprocess.TimeoutExpired):
                await asyncio.to_thread(self._process.wait, STOP_SECONDS)
        self.kill()

    async def restart(self) -> None:
        """Kill it and start it again on the same ports."""
        self.kill()
        await self.start()

    def _spawn(self) -> subprocess.Popen[bytes]:
        with self.log.open("ab") as log:
            return subprocess.Popen(
                self._command,
                cwd=self._cwd,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
            )

    async def _up(self) -> None:
        assert self._process is not None
        deadline = time.monotonic() + START_SECONDS
        while not _listening(self.port):
            if self._process.poll() is not None or time.monotonic() > deadline:
                words = self.log.read_text(errors="replace")[-2000:]
                raise RuntimeError(f"{self._command[0]} did not come up: {words}")
            await asyncio.sleep(0.05)


def _listening(port: int) -> bool:
    with contextlib.suppress(OSError), socket.create_connection((LOOPBACK, port), timeout=1):
        return True
    return False
