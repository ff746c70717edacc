"""A Galène on loopback, with groups of a test's own."""

import json
import signal
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Final

import pytest

from tests.servers.find import need
from tests.servers.process import LOOPBACK, ServerProcess, free_ports

OPEN: Final[Mapping[str, object]] = {
    "wildcard-user": {"password": {"type": "wildcard"}, "permissions": "present"},
    "users": {"op": {"password": "op-password", "permissions": "op"}},
}
"""A group that any client may join and publish in, under any name but the operator's."""


class Galene:
    """A running server."""

    def __init__(self, process: ServerProcess, groups: Path, scheme: str) -> None:
        self.process = process
        self.origin = f"{scheme}://{LOOPBACK}:{process.port}"
        self._groups = groups

    def url(self, group: str) -> str:
        """The address of a group, as people paste it."""
        return f"{self.origin}/group/{group}/"

    def add_group(self, name: str, description: Mapping[str, object] = OPEN) -> str:
        """Add a group, or change it; its address."""
        (self._groups / f"{name}.json").write_text(json.dumps(description))
        return self.url(name)

    def freeze(self) -> None:
        """Let the process do nothing until ``thaw``."""
        self.process.signal(signal.SIGSTOP)

    def thaw(self) -> None:
        self.process.signal(signal.SIGCONT)

    async def stop(self) -> None:
        """Shut down."""
        await self.process.stop()

    async def kill(self) -> None:
        """End the process without a word to the clients."""
        self.process.kill()

    async def start(self) -> None:
        """Start the process again after its end, on the same ports."""
        await self.process.start()


@asynccontextmanager
async def galene(folder: Path, *options: str, tls: bool = False) -> AsyncIterator[Galene]:
    """A Galène with one open group, ``room``; what it keeps and says goes to ``folder``.

    With ``tls`` it makes itself a certificate that no client trusts.
    Skips the test where there is no Galène, or none that brings its page.
    """
    executable = need("galene")
    static = executable.with_name("static")
    if not static.is_dir():
        pytest.skip(f"galene: no ../shared/servers, and no folder of its page beside {executable}")
    for name in ("groups", "data"):
        (folder / name).mkdir()
    http, media = free_ports(2)
    command: list[str | Path]
    command = [executable, "-http", f"{LOOPBACK}:{http}", "-udp-range", str(media)]
    command += [] if tls else ["-insecure"]
    command += ["-static", static, "-groups", folder / "groups", "-data", folder / "data"]
    command += [] if "-turn" in options else ["-turn", ""]
    async with ServerProcess([*command, *options], http, folder / "galene.log") as process:
        server = Galene(process, folder / "groups", "https" if tls else "http")
        server.add_group("room")
        yield server
