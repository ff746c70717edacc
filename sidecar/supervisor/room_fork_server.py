"""Forks the processes of rooms: ``python -m sidecar.supervisor.room_fork_server DESCRIPTOR``.

Most of what a room's process does until it joins is to import, some 1.2 s of a core. Here that is
done once, and each fork has it. Nothing else may run before a fork: no thread, no event loop.

A request on the socket with that descriptor is a JSON list of the descriptors that a room
inherits, as they are numbered in the supervisor, the control channel first; they are sent along.
The answer is the process's id with its pidfd, or the number of an error. The server ends with the
socket.
"""

import contextlib
import gc
import json
import os
import random
import signal
import socket
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from sidecar.rooms.registry import adapters
from sidecar.supervisor import room_process
from sidecar.supervisor.room_launcher import MAX_DESCRIPTORS, MAX_MESSAGE

NAME: Final = "sidecar-room"
"""Of a forked process."""


@dataclass(frozen=True, slots=True)
class RoomFork:
    """What a forked process was started for."""

    numbers: list[int]
    """Of its descriptors in the supervisor, the control channel first."""
    received: list[int]
    """The same here."""


def await_fork(requests: socket.socket) -> RoomFork | None:
    """Fork for each request. Returns in each fork, and here, with None, at the socket's end."""
    while True:
        message, received, _, _ = socket.recv_fds(requests, MAX_MESSAGE, MAX_DESCRIPTORS)
        if not message:
            return None
        try:
            pid = os.fork()
        except OSError as error:
            requests.send(json.dumps({"errno": error.errno}).encode())
        else:
            if pid == 0:
                requests.close()
                return RoomFork(json.loads(message), received)
            _answer(requests, pid)
        for descriptor in received:
            os.close(descriptor)


def _answer(requests: socket.socket, pid: int) -> None:
    try:
        pidfd = os.pidfd_open(pid)
    except OSError as error:
        # It has ended already.
        requests.send(json.dumps({"errno": error.errno}).encode())
        return
    socket.send_fds(requests, [json.dumps({"pid": pid}).encode()], [pidfd])
    os.close(pidfd)


def own_generators() -> list[random.Random]:
    """Generators that libraries made while they were imported, as aiohttp that of the masks of its
    frames (RFC 6455 §5.3: unpredictable). Unlike that of ``random``, each would give the same
    numbers in all forks."""
    return [one for one in gc.get_objects() if isinstance(one, random.Random)]


def main() -> None:
    """Serve requests on the socket with the descriptor that the command line names."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    # The system reaps what ends: the supervisor has the pidfd.
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    # Which one a room needs is known by its URL.
    adapters()
    generators = own_generators()
    # Objects that no collection looks at stay in pages that all forks share.
    gc.collect()
    gc.freeze()
    forked = await_fork(socket.socket(fileno=int(sys.argv[1])))
    if forked is not None:
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        for generator in generators:
            generator.seed()
        os.setsid()
        # What `ps` and `top` show; the command line stays the fork server's.
        with contextlib.suppress(OSError):
            Path("/proc/self/comm").write_text(NAME)
        channel = socket.socket(fileno=forked.received[0])
        room_process.run_room(channel, dict(zip(forked.numbers, forked.received, strict=True)))


if __name__ == "__main__":
    main()
