"""Where each real server is: a path given by environment, PATH, our cache, or ``../shared``.

A server in the cache or in the shared folder is used only if it is, to the byte, what was put there
first: see ``digest``.
"""

import hashlib
import os
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import platformdirs
import pytest

SHARED: Final = Path(__file__).parents[3] / "shared" / "servers"
"""A folder beside the checkout, where a team may keep servers that not every proxy serves."""
CHECKSUM: Final = "sha256"
"""The file in a folder of the cache that says what the rest of it must be."""


@dataclass(frozen=True, slots=True)
class Server:
    """One server program: what it is called, and where it may come from."""

    name: str
    executable: str
    """Its name on PATH, in the cache and in the shared folder."""
    package: str = ""
    """The Debian package that brings it."""
    module: str = ""
    """The Go package that it is built from."""
    version: str = ""
    """Which version of ``module`` is built."""
    files: tuple[str, ...] = ()
    """Files and folders of the module that it needs beside it."""
    shared: str = ""
    """The ``digest`` of its folder under ``SHARED``; empty where it isn't looked for there."""

    @property
    def variable(self) -> str:
        """The environment variable that may say where it is."""
        return f"SIDECAR_TEST_{self.name.upper()}"


SERVERS: Final[Mapping[str, Server]] = {
    server.name: server
    for server in (
        Server(
            "livekit",
            "livekit-server",
            module="github.com/livekit/livekit-server/cmd/server",
            version="v1.13.5",
        ),
        Server("janus", "janus", package="janus"),
        Server("coturn", "turnserver", package="coturn"),
        Server("mosquitto", "mosquitto", package="mosquitto"),
        Server(
            "galene",
            "galene",
            module="github.com/jech/galene",
            version="galene-1.1",
            files=("static",),
            shared="ec73cb6c781b0c3846c01fb8c6183a8b5c404031933a4612753b43805314ffaa",
        ),
        Server(
            "mediamtx",
            "mediamtx",
            shared="891646807c883444b4e7cfcc9391f8e89656110505f8846082c8fbd5dfeb1d10",
        ),
    )
}


class MissingError(Exception):
    """A server isn't here; the message says where it was looked for, and what to do."""


def need(name: str) -> Path:
    """The executable of server ``name``; skips the test where it isn't here, saying so."""
    try:
        return find(SERVERS[name])
    except MissingError as missing:
        pytest.skip(str(missing))


def find(server: Server, *, shared: bool = True) -> Path:
    """The executable of ``server``; raises MissingError where it isn't here or isn't genuine.

    Without ``shared`` the team's folder doesn't count.
    """
    given = os.environ.get(server.variable)
    if given:
        if not Path(given).is_file():
            raise MissingError(f"{server.name}: {server.variable} names no file: {given}")
        return Path(given)
    on_path = shutil.which(server.executable)
    if on_path is not None:
        return Path(on_path)
    for executable, expected in _kept(server, shared=shared):
        if executable.is_file():
            if digest(executable.parent) != expected:
                place = "our cache" if executable.parent == cached(server) else "the team's folder"
                raise MissingError(f"{server.name} in {place} is not what was put there: remove it")
            return executable
    raise MissingError(_advice(server))


def cached(server: Server) -> Path:
    """The folder of the cache that holds ``server``, or will."""
    folder = platformdirs.user_cache_path("reaction-sidecar") / "servers"
    return folder / f"{server.name}-{server.version}"


def digest(folder: Path) -> str:
    """The SHA-256 of all that is in ``folder``, names included, but for a checksum's file."""
    total = hashlib.sha256()
    for path in sorted(folder.rglob("*")):
        if path.is_file() and path.name != CHECKSUM:
            content = hashlib.sha256(path.read_bytes()).hexdigest()
            total.update(f"{content}  {path.relative_to(folder).as_posix()}\n".encode())
    return total.hexdigest()


def _kept(server: Server, *, shared: bool) -> list[tuple[Path, str]]:
    """Where ``server`` may be kept, with the digest that its folder has to have there."""
    places = []
    checksum = cached(server) / CHECKSUM
    if server.module and checksum.is_file():
        places.append((checksum.with_name(server.executable), checksum.read_text().strip()))
    if server.shared and shared:
        places.append((SHARED / server.name / server.executable, server.shared))
    return places


def _advice(server: Server) -> str:
    """Why ``server`` isn't here, and what to do about it."""
    name = f"let {server.variable} name it"
    if server.shared and not (SHARED / server.name).is_dir():
        return f"{server.name} is neither on PATH nor in ../shared/servers: {name}"
    if server.package and not (shutil.which("apt-get") and os.geteuid() == 0):
        return f"{server.name} can't be had here: install {server.package}, or {name}"
    if server.module and not shutil.which("go"):
        return f"{server.name} can't be had here without Go: install Go, or {name}"
    return f"{server.name} is not here: run `python -m tests.servers {server.name}`"
