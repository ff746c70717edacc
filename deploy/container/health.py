"""The image's health check: whether the server on this machine answers GET /livez.

The port is SIDECAR_SERVER__PORT, or that of the settings file, or 8080. Exit status 0 or 1. It is
run every few seconds, so it imports little.
"""

import os
import socket
import sys
import tomllib

_TIMEOUT = 2.0
"""Seconds."""


def port() -> int:
    """The port of the API, as the settings have it; 8080 where they can't be read."""
    if given := os.environ.get("SIDECAR_SERVER__PORT"):
        return int(given)
    try:
        with open(os.environ.get("SIDECAR_CONFIG", "sidecar.toml"), "rb") as file:  # noqa: PTH123 - pathlib takes longer to import than all of this
            return int(tomllib.load(file)["server"]["port"])
    except (OSError, KeyError, TypeError, ValueError):
        return 8080


def healthy(number: int) -> bool:
    """Whether the server on the local port ``number`` answers with status 200."""
    try:
        with socket.create_connection(("127.0.0.1", number), _TIMEOUT) as connection:
            connection.settimeout(_TIMEOUT)
            connection.sendall(b"GET /livez HTTP/1.0\r\nHost: localhost\r\n\r\n")
            return connection.recv(16).split()[1:2] == [b"200"]
    except OSError:
        return False


if __name__ == "__main__":
    sys.exit(0 if healthy(port()) else 1)
