"""Packages of the npm registry, installed once and kept outside the tree."""

import shutil
import subprocess
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Final

import platformdirs
import pytest
from aiohttp import web

PAGES: Final = Path(__file__).with_name("pages")


def installed(name: str, *packages: str) -> Path:
    """The folder that holds ``packages``, kept as ``name``; skips where there is no npm."""
    npm = shutil.which("npm")
    if npm is None:
        pytest.skip("no npm here: install Node.js")
    folder = platformdirs.user_cache_path("reaction-sidecar") / name
    stamp = folder / "installed"
    wanted = "\n".join(packages)
    if not stamp.is_file() or stamp.read_text() != wanted:
        folder.mkdir(parents=True, exist_ok=True)
        command = [npm, "install", "--prefix", str(folder), "--ignore-scripts", "--no-audit"]
        done = subprocess.run(
            [*command, "--no-fund", *packages], capture_output=True, text=True, timeout=300
        )
        if done.returncode:
            pytest.skip(f"npm can't install {name}: {done.stderr.strip()[-300:]}")
        stamp.write_text(wanted)
    return folder / "node_modules"


@asynccontextmanager
async def served(packages: Path) -> AsyncIterator[str]:
    """The address of a server of our test pages, with ``packages`` under ``/node_modules``."""
    app = web.Application()
    app.router.add_static("/node_modules", packages)
    app.router.add_static("/", PAGES)
    runner = web.AppRunner(app)
    await runner.setup()
    try:
        site = web.TCPSite(runner, "127.0.0.1", 0)
        await site.start()
        yield f"http://127.0.0.1:{runner.addresses[0][1]}"
    finally:
        await runner.cleanup()
