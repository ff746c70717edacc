"""Stand-ins for pip and npm: small programs found where the real ones would be."""

import hashlib
import os
import sys
import tarfile
import zipfile
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path

import pytest

from reactions.landmark_types import ModelFamily
from reactions.landmarks.model_manifest import Edited, ModelFile, Package, Registry, Shipped

WHEEL = Package(Registry.PIP, "weights", "1.0", 1000)
TARBALL = Package(Registry.NPM, "more-weights", "2.0", 500)
FIRST, SECOND, THIRD = b"first model" * 9, b"second model" * 9, b"third model" * 9


def _model(
    name: str,
    content: bytes,
    origin: Shipped | Edited,
    *,
    optional: bool = False,
    runs: bool = True,
) -> ModelFile:
    digest = hashlib.sha256(content).hexdigest()
    return ModelFile(name, len(content), digest, origin, ModelFamily.HANDS, optional, runs)


def _accept(original: bytes, edited: bytes) -> None:
    assert edited == original[::-1]


def catalogue() -> dict[str, ModelFile]:
    """Two models in the wheel, an optional one of npm, and one edited from the first, which never
    runs itself."""
    models = (
        _model("first", FIRST, Shipped(WHEEL, "weights/first.tflite"), runs=False),
        _model("second", SECOND, Shipped(WHEEL, "weights/second.tflite")),
        _model("third", THIRD, Shipped(TARBALL, "package/third.tflite"), optional=True),
        _model("backwards", FIRST[::-1], Edited("first", lambda model: model[::-1], _accept)),
    )
    return {model.name: model for model in models}


def without_optional() -> dict[str, ModelFile]:
    return {name: model for name, model in catalogue().items() if not model.optional}


def wheel(**members: bytes) -> bytes:
    """A wheel with ``members`` by the stem of their file."""
    content = BytesIO()
    with zipfile.ZipFile(content, "w") as archive:
        for name, data in members.items():
            # Without a date of its own, a member gets the present one: bytes would differ.
            archive.writestr(zipfile.ZipInfo(f"weights/{name}.tflite"), data)
    return content.getvalue()


def tarball(**members: bytes) -> bytes:
    """An npm package with ``members`` by the stem of their file."""
    content = BytesIO()
    with tarfile.open(fileobj=content, mode="w:gz") as archive:
        for name, data in members.items():
            info = tarfile.TarInfo(f"package/{name}.tflite")
            info.size = len(data)
            archive.addfile(info, BytesIO(data))
    return content.getvalue()


_PIP = """
import os, pathlib, shutil, sys
here = pathlib.Path(__file__).parent
with open(here.parent / "calls", "a") as calls:
    print("pip", sys.argv[2], file=calls)
if not (here / "served.whl").exists():
    sys.exit("ERROR: no route to the index")
target = pathlib.Path(sys.argv[sys.argv.index("--dest") + 1])
shutil.copy(here / "served.whl", target)
"""
_NPM_SCRIPT = """#!/bin/sh
exec "{python}" "$0.py" "$@"
"""
_NPM = """
import pathlib, shutil, sys
here = pathlib.Path(__file__).parent
with open(here.parent / "calls", "a") as calls:
    print("npm", sys.argv[2], file=calls)
if not (here / "served.tgz").exists():
    sys.exit("npm error network request failed")
shutil.copy(here / "served.tgz", sys.argv[sys.argv.index("--pack-destination") + 1])
"""


@dataclass(frozen=True, slots=True)
class Registries:
    """What the stand-ins serve."""

    folder: Path

    def serve_wheel(self, content: bytes) -> None:
        (self.folder / "pip" / "served.whl").write_bytes(content)

    def serve_tarball(self, content: bytes) -> None:
        (self.folder / "bin" / "served.tgz").write_bytes(content)

    @property
    def calls(self) -> list[str]:
        """The packages asked for, as ``client package``."""
        calls = self.folder / "calls"
        return calls.read_text().splitlines() if calls.exists() else []


def install(folder: Path, monkeypatch: pytest.MonkeyPatch) -> Registries:
    """Puts the stand-ins before the real clients, for processes started from here on."""
    pip, programs = folder / "pip", folder / "bin"
    pip.mkdir(parents=True)
    programs.mkdir()
    (pip / "__init__.py").touch()
    (pip / "__main__.py").write_text(_PIP)
    npm = programs / "npm"
    # A shell stands between: the path of a "#!" line can't contain spaces.
    npm.write_text(_NPM_SCRIPT.format(python=sys.executable))
    npm.with_name("npm.py").write_text(_NPM)
    npm.chmod(0o700)
    monkeypatch.setenv("PYTHONPATH", str(folder))
    monkeypatch.setenv("PATH", str(programs), prepend=os.pathsep)
    return Registries(folder)
