"""Network cameras that send what no camera does: bounded in memory and time."""

import contextlib
import socket
import threading
import time
from collections.abc import Callable, Iterator

import pytest

from config.errors import RefusedError
from sidecar.media.container.allocations import limit_allocations
from sidecar.media.container.inputs import FAILURES, open_network_camera
from sidecar.rooms.files.addresses import NetworkCamera
from sidecar.rooms.files.cameras import open_camera
from tests.confined import confined

HUGE = 2_000_000_000
"""Bytes that a description claims to have."""


def claim(connection: socket.socket, number: str) -> None:
    """A description of 2 GB, as fast as it is taken."""
    head = f"RTSP/1.0 200 OK\r\n{number}\r\nContent-Type: application/sdp\r\n"
    connection.sendall(f"{head}Content-Length: {HUGE}\r\n\r\n".encode())
    while True:
        connection.sendall(b"a=x\r\n" * 20_000)


def lengthen(connection: socket.socket, number: str) -> None:
    """Headers without end."""
    connection.sendall(f"RTSP/1.0 200 OK\r\n{number}\r\n".encode())
    while True:
        connection.sendall(b"X-Header: value\r\n" * 1000)


def drip(connection: socket.socket, number: str) -> None:
    """A byte at a time."""
    while True:
        connection.sendall(b"R")
        time.sleep(0.05)


Answer = Callable[[socket.socket, str], None]


@contextlib.contextmanager
def camera(answer: Answer) -> Iterator[str]:
    """A camera whose description is ``answer``; its address."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        threading.Thread(target=_serve, args=(server, answer), daemon=True).start()
        yield f"rtsp://127.0.0.1:{server.getsockname()[1]}/live"


def _serve(server: socket.socket, answer: Answer) -> None:
    with contextlib.suppress(OSError):
        connection, _ = server.accept()
        with connection:
            while request := connection.recv(4096).decode():
                number = next(line for line in request.splitlines() if line.startswith("CSeq"))
                if request.startswith("DESCRIBE"):
                    answer(connection, number)
                connection.sendall(f"RTSP/1.0 200 OK\r\n{number}\r\n\r\n".encode())


def refuse_camera(answer: Answer) -> str:
    """Open a camera that ``answer`` makes; the name of what was raised."""
    with camera(answer) as url:
        try:
            open_network_camera(url, (1.5, 1.0)).close()
        except FAILURES as error:
            return type(error).__name__
    return ""


@pytest.mark.parametrize("answer", [claim, lengthen, drip])
def test_a_description_without_end_takes_little_memory_and_time(answer: Answer) -> None:
    began = time.perf_counter()
    assert confined(refuse_camera, answer, megabytes=100, seconds=15)
    assert time.perf_counter() - began < 60


def test_the_limit_is_in_force() -> None:
    assert limit_allocations()


@pytest.mark.parametrize("host", ["169.254.169.254", "metadata.google.internal", "[fe80::1]"])
def test_cameras_are_at_no_metadata_service_and_no_link_local_address(host: str) -> None:
    with pytest.raises(RefusedError, match="refused"):
        open_camera(NetworkCamera(f"rtsp://user:secret@{host}/live", "camera"))
