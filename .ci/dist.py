"""Check the packages in a folder (``make dist``): their contents, their metadata, and that they
run without this checkout.

The wheel is built once more from the source package, installed into an empty environment, and run
in an empty folder.
"""

import os
import subprocess
import sys
import tarfile
import tempfile
import venv
import zipfile
from collections.abc import Sequence
from pathlib import Path

from packaging.metadata import Metadata

ROOT = Path(__file__).resolve().parents[1]
TOOLS = (
    "gifs/art/",
    "sidecar/web/pose_pictures.py",
    "config/reference.py",
    "reactions/training/data/",
)
"""What builds files that are checked in, and so is of no use in a wheel."""
EXTRAS = ("reactions.training", "sidecar.__main__", "sidecar.sinks.mqtt.sink")
"""Modules that an installation without extras can't import, and the one that runs the command."""
IMPORT_ALL = f"""
import importlib, pkgutil, pathlib
for root in ("config", "gifs", "reactions", "sidecar"):
    package = importlib.import_module(root)
    assert "site-packages" in package.__path__[0], package.__path__
    for module in pkgutil.walk_packages(package.__path__, root + "."):
        if not module.name.startswith({EXTRAS}):
            importlib.import_module(module.name)
from importlib.metadata import entry_points
for group in ("reaction_sidecar.rooms", "reaction_sidecar.sinks"):
    for entry in entry_points(group=group):
        entry.load()
"""


def one(folder: Path, pattern: str) -> Path:
    """The only file in ``folder`` that fits ``pattern``; SystemExit otherwise."""
    found = list(folder.glob(pattern))
    if len(found) != 1:
        sys.exit(f"error: {folder}: {len(found)} files fit {pattern}, not one")
    return found[0]


def names(wheel: Path) -> set[str]:
    with zipfile.ZipFile(wheel) as archive:
        return set(archive.namelist())


def check_metadata(wheel: Path, source: Path) -> None:
    """Both say the same of themselves, and it is well-formed."""
    with zipfile.ZipFile(wheel) as archive:
        info = next(name for name in archive.namelist() if name.endswith(".dist-info/METADATA"))
        ours = archive.read(info)
    with tarfile.open(source) as tarball:
        member = tarball.extractfile(f"{source.name.removesuffix('.tar.gz')}/PKG-INFO")
        assert member is not None
        if member.read() != ours:
            sys.exit("error: wheel and source package have different metadata")
    metadata = Metadata.from_email(ours, validate=True)
    for field in ("summary", "description", "license_expression", "requires_python"):
        if not getattr(metadata, field):
            sys.exit(f"error: the metadata has no {field}")
    print(f"{metadata.name} {metadata.version}: metadata as it should be")


def check_contents(wheel: Path) -> None:
    """No build tools, tests or notes; the licence and all that is checked in for running."""
    inside = names(wheel)
    if unwanted := sorted(name for name in inside if name.startswith((*TOOLS, "tests/", "bench/"))):
        sys.exit(f"error: {wheel.name} holds {', '.join(unwanted)}")
    if not any(name.endswith("licenses/LICENSE") for name in inside):
        sys.exit(f"error: {wheel.name} holds no licence")
    tracked = subprocess.run(
        ["git", "ls-files", "config", "gifs", "reactions", "sidecar"],
        cwd=ROOT,
        check=True,
        capture_output=True,
        text=True,
    ).stdout.split("\n")
    wanted = {name for name in tracked if name and not name.startswith(TOOLS)}
    if missing := sorted(wanted - inside):
        sys.exit(f"error: {wheel.name} lacks {', '.join(missing)}")


def rebuild(source: Path, wheel: Path, scratch: Path) -> None:
    """The source package gives the same wheel."""
    with tarfile.open(source) as tarball:
        tarball.extractall(scratch, filter="data")
    folder = scratch / source.name.removesuffix(".tar.gz")
    run(
        [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(scratch / "again")],
        folder,
    )
    if names(one(scratch / "again", "*.whl")) != names(wheel):
        sys.exit("error: the source package gives another wheel")


def run_installed(wheel: Path, scratch: Path) -> None:
    """Install ``wheel`` into an empty environment and run it in an empty folder."""
    venv.create(scratch / "environment", with_pip=True)
    programs = scratch / "environment" / ("Scripts" if sys.platform == "win32" else "bin")
    empty = scratch / "empty folder"
    empty.mkdir()
    pip = [
        str(programs / "python"),
        "-m",
        "pip",
        "install",
        "--quiet",
        "--disable-pip-version-check",
    ]
    run([*pip, "--constraint", str(ROOT / "constraints.txt"), str(wheel)], empty)
    run([str(programs / "python"), "-c", IMPORT_ALL], empty)
    for words in (["--version"], ["models", "fetch"], ["doctor"]):
        run([str(programs / "sidecar"), *words], empty)


def run(command: Sequence[str], folder: Path) -> None:
    """Run ``command`` in ``folder`` without this environment's Python settings."""
    kept = {key: value for key, value in os.environ.items() if not key.startswith("PYTHON")}
    kept.pop("VIRTUAL_ENV", None)
    status = subprocess.run(command, cwd=folder, env=kept, check=False).returncode
    if status != 0:
        sys.exit(f"error: {' '.join(command)} ended with status {status}")


def main(folder: Path) -> None:
    wheel, source = one(folder, "*.whl"), one(folder, "*.tar.gz")
    check_metadata(wheel, source)
    check_contents(wheel)
    with tempfile.TemporaryDirectory(prefix="sidecar-dist-") as scratch:
        rebuild(source, wheel, Path(scratch))
        run_installed(wheel.resolve(), Path(scratch))
    print(f"{wheel} ({wheel.stat().st_size / 1e6:.1f} MB) and {source} can be released")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
