"""Packages through the registries' own clients, pip and npm.

The clients run as processes in a folder of the caller's, with the mirrors, proxies and credentials
that this machine's pip and npm are set up with. Nothing is installed, and nothing of a package is
run.
"""

import os
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path

from config.errors import ModelError
from reactions.landmarks.model_manifest import Package, Registry

TIME_LIMIT = 1800.0
"""Seconds that one package may take: 41 MB on a line of 0.2 Mbit/s."""
SIZE_LIMIT = 500 * 2**20
"""Bytes that a client may write before it is stopped."""

_ANY_MACHINE = ("--python-version", "3.11", "--platform", "manylinux_2_28_x86_64")
"""mediapipe has no wheel for every Python and machine; the weights are the same in all of them."""
_POLL = 0.1
"""Seconds between two looks at the client's progress."""

Report = Callable[[int], None]
"""Gets the number of bytes received, now and then."""


def download(package: Package, folder: Path, report: Report) -> Path:
    """Fetches ``package`` into the empty ``folder`` and gives its archive's path there.

    Raises ``ModelError`` where the client is missing, fails, or goes over a limit.
    """
    packed = folder / "packed"
    packed.mkdir()
    if package.registry is Registry.PIP:
        command = [sys.executable, "-m", "pip", "download", str(package), "--dest", str(packed)]
        command += ["--no-deps", "--only-binary=:all:", "--no-input", "--progress-bar=off"]
        command += ["--disable-pip-version-check", *_ANY_MACHINE]
    else:
        command = [_npm(package), "pack", str(package), "--pack-destination", str(packed)]
        command += ["--silent"]
    _run(command, package, folder, report)
    return _only_file(packed, package)


def _npm(package: Package) -> str:
    found = shutil.which("npm")
    if found is None:
        raise ModelError("npm is not here to fetch it", where=str(package), do="install Node.js")
    return found


def _only_file(folder: Path, package: Package) -> Path:
    files = list(folder.iterdir()) if folder.is_dir() else []
    if len(files) != 1:
        raise ModelError(f"its client left {len(files)} files, not one", where=str(package))
    return files[0]


def _run(command: Sequence[str], package: Package, folder: Path, report: Report) -> None:
    """Runs a client in ``folder``, where its temporary files go too, and reports its bytes."""
    log = folder / "client.log"
    environment = os.environ | {
        "TMPDIR": str(folder),
        "npm_config_cache": str(folder / "npm-cache"),
        "npm_config_update_notifier": "false",
    }
    deadline = time.monotonic() + TIME_LIMIT
    with (
        log.open("wb") as output,
        subprocess.Popen(  # noqa: S603 - every word of the command is ours
            command,
            cwd=folder,
            env=environment,
            stdout=output,
            stderr=subprocess.STDOUT,
            stdin=subprocess.DEVNULL,
        ) as client,
    ):
        try:
            while client.poll() is None:
                written = _written(folder)
                report(written)
                if time.monotonic() > deadline or written > SIZE_LIMIT:
                    raise ModelError(
                        "takes too long or too many bytes to fetch",
                        where=str(package),
                        do="check the network, or set SIDECAR_MODELS to a folder with the models",
                    )
                time.sleep(_POLL)
        finally:
            client.kill()
    if client.returncode != 0:
        raise ModelError(
            f"can't be fetched: {_last_words(log)}",
            where=str(package),
            do="check the network, or set SIDECAR_MODELS to a folder with the models",
        )


def _written(folder: Path) -> int:
    total = 0
    for parent, _, files in os.walk(folder):
        for file in files:
            try:
                total += Path(parent, file).stat().st_size
            except FileNotFoundError:  # the client moved it meanwhile
                continue
    return total


def _last_words(log: Path) -> str:
    lines = [line.strip() for line in log.read_text(errors="replace").splitlines() if line.strip()]
    errors = [line for line in lines if "error" in line.lower()]
    return (errors or lines or ["its client said nothing"])[-1][:300]
