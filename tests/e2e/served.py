"""A ``sidecar serve`` of its own processes, and a client of its API."""

import asyncio
import os
import sys
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from types import MappingProxyType
from typing import Any, Self, TextIO

import aiohttp
import psutil
from prometheus_client.parser import text_string_to_metric_families

from tests.servers.livekit import LiveKit

TOKEN = "a-token-that-is-long-enough"
PATIENCE = 120
"""Seconds for what takes two on a machine that has nothing else to do."""
SMALL = {"width": 320, "height": 180, "fps": 10}
SECRETS = {"LIVEKIT_API_KEY": "env:LIVEKIT_API_KEY", "LIVEKIT_API_SECRET": "env:LIVEKIT_API_SECRET"}


class Served:
    """A running ``sidecar serve`` and a client of its API."""

    def __init__(self, process: asyncio.subprocess.Process, http: aiohttp.ClientSession) -> None:
        self.process = process
        self._http = http
        self.base = ""

    async def ready(self) -> Self:
        """Wait for the line with the address."""
        assert self.process.stdout is not None
        async for line in self.process.stdout:
            if b"The API is at " in line:
                self.base = line.decode().split()[4].removesuffix("/v1")
                return self
        raise AssertionError("the server ended")

    async def call(self, method: str, path: str, body: object = None) -> Any:
        headers = {"Authorization": f"Bearer {TOKEN}"}
        async with self._http.request(
            method, self.base + path, json=body, headers=headers
        ) as answer:
            assert answer.status < 400, await answer.text()
            return await answer.json()

    async def metric(self, name: str) -> float:
        """The sum of a metric's series, as ``/metrics`` has them now."""
        async with self._http.get(f"{self.base}/metrics") as answer:
            assert answer.status == 200
            families = text_string_to_metric_families(await answer.text())
        return sum(
            sample.value for family in families for sample in family.samples if sample.name == name
        )

    async def counted(self, name: str, more: float = 1) -> None:
        """Wait until a counter has grown by ``more`` from here on."""
        wanted = await self.metric(name) + more
        async with asyncio.timeout(PATIENCE):
            while True:
                if await self.metric(name) >= wanted:
                    return
                await asyncio.sleep(0.1)

    async def join(self, url: str, **fields: object) -> str:
        """The id of a room that is live."""
        wanted = {"url": url, "secrets": SECRETS, "layout": SMALL, "rate": 2, **fields}
        room = await self.call("POST", "/v1/rooms", wanted)
        await self.until(room["id"], state="live")
        return str(room["id"])

    async def until(self, room: str, **fields: object) -> dict[str, Any]:
        """Wait until the room has these fields, and return it."""
        async with asyncio.timeout(PATIENCE):
            while True:
                shown: dict[str, Any] = await self.call("GET", f"/v1/rooms/{room}")
                if all(shown[key] == value for key, value in fields.items()):
                    return shown
                await asyncio.sleep(0.1)


@asynccontextmanager
async def served(
    folder: Path,
    server: LiveKit | None = None,
    *,
    stderr: TextIO | None = None,
    environ: Mapping[str, str] = MappingProxyType({}),
    arguments: Sequence[str] = (),
    seconds: float = 150,
) -> AsyncIterator[Served]:
    """A server whose rooms may use the keys of ``server``, with ``environ`` in its environment
    and further ``arguments``.

    Its log goes to ``stderr``, this process's own by default. TimeoutError after ``seconds``.
    """
    whole = {
        **os.environ,
        **({} if server is None else server.environ),
        "SIDECAR_API_TOKEN": TOKEN,
        "SIDECAR_SERVE__JOURNAL": str(folder / "journal.db"),
        "SIDECAR_SERVE__CORES": "16",
        "SIDECAR_SERVE__WORKERS": "1",
        "SIDECAR_SERVE__DRAIN_TIMEOUT": "0",
        **environ,
    }
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "sidecar", "serve", "--port", "0", *arguments),
        stdout=asyncio.subprocess.PIPE,
        stderr=stderr,
        env=whole,
    )
    try:
        async with aiohttp.ClientSession() as http, asyncio.timeout(seconds):
            yield await Served(process, http).ready()
    finally:
        if process.returncode is None:
            process.terminate()
            async with asyncio.timeout(20):
                await process.communicate()


def children(pid: int) -> list[psutil.Process]:
    return psutil.Process(pid).children(recursive=True)


def workers(pid: int) -> list[psutil.Process]:
    """The detection workers of the server ``pid``."""
    return [one for one in children(pid) if "sidecar.inference.worker" in one.cmdline()]
