"""Runs helm, kustomize and kubeconform, and reads what they print."""

import shutil
import subprocess
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final

import yaml

from tests.charts.schemas import CUSTOM, schemas
from tests.charts.tools import HELM, KUBECONFORM, KUSTOMIZE
from tests.servers.find import Server, find

ROOT: Final = Path(__file__).parents[2]
CHART: Final = ROOT / "deploy" / "helm" / "reaction-sidecar"
MANIFESTS: Final = ROOT / "deploy" / "kubernetes"
RELEASE: Final = "reaction-sidecar"
"""Of the release and of its namespace."""
KUBERNETES: Final = "--kube-version=1.37.0"
"""A helm that Go built by itself takes Kubernetes for 1.20."""
_SAID: Final = """\
kind: Said
said: {{ tpl (.Files.Get "said.txt") . | quote }}
"""
_SECONDS: Final = 120

Object = dict[str, Any]
"""A Kubernetes object, as YAML has it."""


class ToolError(Exception):
    """A tool ended with an error; the message is what it said."""


def run(tool: Server, *arguments: str | Path, text: str = "") -> str:
    """What ``tool`` prints; raises ToolError where it fails."""
    with tempfile.TemporaryDirectory() as home:
        done = subprocess.run(
            [find(tool), *arguments],
            input=text,
            capture_output=True,
            text=True,
            timeout=_SECONDS,
            check=False,
            env={"HOME": home, "PATH": "/usr/bin:/bin"},
        )
    if done.returncode:
        raise ToolError((done.stdout + done.stderr).strip())
    return done.stdout


def template(*values: Path, sets: Sequence[str] = ()) -> list[Object]:
    """The objects of the chart with these values; raises ToolError."""
    return objects(_template(*values, *(f"--set={one}" for one in sets)))


def _template(*values: Path | str, chart: Path = CHART) -> str:
    """What ``helm template`` prints; options among ``values`` are texts."""
    options = [one if isinstance(one, str) else f"--values={one}" for one in values]
    namespace = f"--namespace={RELEASE}"
    return run(HELM, "template", RELEASE, chart, KUBERNETES, namespace, *options)


def notes(*values: Path) -> str:
    """What an installation says at its end; raises ToolError.

    ``helm template`` leaves that out, and ``helm install`` asks a cluster: so the text is rendered
    as an object's value, from a copy of the chart.
    """
    with tempfile.TemporaryDirectory() as scratch:
        chart = Path(scratch, "chart")
        shutil.copytree(CHART, chart)
        (chart / "templates/NOTES.txt").rename(chart / "said.txt")
        (chart / "templates/said.yaml").write_text(_SAID)
        (said,) = objects(_template(*values, "--show-only=templates/said.yaml", chart=chart))
    return str(said["said"])


def lint(*values: Path) -> str:
    """What ``helm lint --strict`` says; raises ToolError."""
    return run(
        HELM, "lint", "--strict", CHART, KUBERNETES, *(f"--values={file}" for file in values)
    )


def build(folder: Path) -> list[Object]:
    """The objects of a kustomization; raises ToolError."""
    return objects(run(KUSTOMIZE, "build", folder))


def objects(text: str) -> list[Object]:
    """The objects in a stream of YAML documents."""
    return [one for one in yaml.safe_load_all(text) if one]


def conform(found: Sequence[Mapping[str, Any]], version: str) -> str:
    """What kubeconform says of the objects under Kubernetes ``version``; raises ToolError."""
    places = (schemas() / f"v{version}", CUSTOM)
    names = "{{.ResourceKind}}{{.KindSuffix}}.json"
    locations = [f"-schema-location={place}/{names}" for place in places]
    options = ("-strict", "-summary", "-verbose", f"-kubernetes-version={version}")
    return run(KUBECONFORM, *options, *locations, "-", text=yaml.safe_dump_all(found))


def one(found: Sequence[Object], kind: str) -> Object:
    """The first object of a kind; raises StopIteration where there is none."""
    return next(each for each in found if each["kind"] == kind)
