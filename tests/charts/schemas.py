"""Kubernetes' JSON schemas on this machine, as kubeconform reads them.

PyPI's ``kubernetes-validate`` brings them. They name each other by absolute paths of a server that
is not there, so ``$id`` is taken out and each ``$ref`` made relative.
"""

import json
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Final
from zipfile import ZipFile

import platformdirs

PACKAGE: Final = "kubernetes-validate==1.37.0"
VERSIONS: Final = ("1.30.0", "1.37.0")
"""The oldest Kubernetes that the chart takes (``kubeVersion``), and the newest with schemas."""
CUSTOM: Final = Path(__file__).parent / "custom"
"""Schemas of ours for what has none in the package: the documented fields that we use."""
_INSIDE: Final = "kubernetes_validate/kubernetes-json-schema/v{}-local-strict/"
_DOWNLOAD_SECONDS: Final = 300


def schemas() -> Path:
    """The folder with a folder of schemas for each version; got by pip where it isn't here yet.

    Raises CalledProcessError where pip can't have the package.
    """
    folder = platformdirs.user_cache_path("reaction-sidecar") / PACKAGE.replace("==", "-")
    if not folder.is_dir():
        folder.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=folder.parent) as scratch:
            made = Path(scratch, "made")
            _extract(_wheel(Path(scratch)), made)
            if folder.exists():
                shutil.rmtree(folder)
            made.rename(folder)
    return folder


def _wheel(folder: Path) -> Path:
    pip = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--dest", str(folder)]
    subprocess.run([*pip, PACKAGE], check=True, timeout=_DOWNLOAD_SECONDS)
    return next(folder.glob("*.whl"))


def _extract(wheel: Path, folder: Path) -> None:
    with ZipFile(wheel) as archive:
        for version in VERSIONS:
            inside, out = _INSIDE.format(version), folder / f"v{version}"
            out.mkdir(parents=True)
            for name in archive.namelist():
                if name.startswith(inside) and name.endswith(".json"):
                    text = archive.read(name).decode()
                    (out / Path(name).name).write_text(relative(text), encoding="utf-8")


def relative(schema: str) -> str:
    """The text of a schema without ``$id``, with references to files beside it."""
    content = json.loads(re.sub(r'("\$ref": ")/api/', r"\1", schema))
    content.pop("$id", None)
    return json.dumps(content)
