"""Gets servers that aren't here: by Debian package, or built from a Go module's version."""

import contextlib
import fcntl
import json
import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path

from tests.servers.find import CHECKSUM, MissingError, Server, cached, digest, find

BUILD_SECONDS = 1200
INSTALL_SECONDS = 300
POLICY = Path("/usr/sbin/policy-rc.d")
"""Asked by Debian's packages before they start a service; 101 means no."""


def get(server: Server) -> Path:
    """The executable of ``server``, which is installed or built where it isn't here yet.

    Raises MissingError where it can't be had.
    """
    cached(server).parent.mkdir(parents=True, exist_ok=True)
    # Another process may be getting it already.
    with _locked(cached(server).parent / "lock"):
        with contextlib.suppress(MissingError):
            return find(server, shared=False)
        try:
            _obtain(server)
        except subprocess.SubprocessError as error:
            with contextlib.suppress(MissingError):
                return find(server)
            last = getattr(error, "stderr", None) or str(error)
            raise MissingError(f"{server.name} can't be had: {last.strip()[-300:]}") from error
        return find(server)


def _obtain(server: Server) -> None:
    """Install or build ``server``, where that can be done here."""
    if server.package and os.geteuid() == 0 and shutil.which("apt-get"):
        _install(server.package)
    elif server.module and shutil.which("go"):
        _build(server)


def _install(package: str) -> None:
    """Install a Debian package, without letting it start a service."""
    with _no_services():
        for command in (
            ["apt-get", "update", "-qq"],
            ["apt-get", "install", "-qq", "--no-install-recommends", package],
        ):
            _run(command, INSTALL_SECONDS, DEBIAN_FRONTEND="noninteractive")


@contextlib.contextmanager
def _no_services() -> Iterator[None]:
    if POLICY.exists():
        # The package may start a service of its own.
        yield
        return
    POLICY.write_text("#!/bin/sh\nexit 101\n")
    POLICY.chmod(0o755)
    try:
        yield
    finally:
        POLICY.unlink()


def _build(server: Server) -> None:
    """Build ``server`` into the cache; Go checks its module's sums against the public record."""
    with tempfile.TemporaryDirectory(dir=cached(server).parent) as folder:
        made, kept = Path(folder, "made"), Path(folder, "kept")
        kept.mkdir()
        target = f"{server.module}@{server.version}"
        _run(
            ["nice", "go", "install", "-trimpath", "-ldflags=-s -w", target],
            BUILD_SECONDS,
            GOBIN=str(made),
        )
        (executable,) = made.iterdir()
        executable.rename(kept / server.executable)
        if server.files:
            found = _run(["go", "mod", "download", "-json", target], INSTALL_SECONDS)
            source = Path(json.loads(found)["Dir"])
            for name in server.files:
                shutil.copytree(source / name, kept / name)
        (kept / CHECKSUM).write_text(digest(kept) + "\n")
        if cached(server).exists():
            shutil.rmtree(cached(server))
        kept.rename(cached(server))


def _run(command: Sequence[str], seconds: float, **environ: str) -> str:
    """What ``command`` prints; it is run outside the checkout, whose files don't concern it."""
    return subprocess.run(
        command,
        cwd=tempfile.gettempdir(),
        env={**os.environ, **environ},
        capture_output=True,
        text=True,
        timeout=seconds,
        check=True,
    ).stdout


@contextlib.contextmanager
def _locked(path: Path) -> Iterator[None]:
    """Holds a lock between processes, which the system frees when its holder dies."""
    with path.open("a") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield
