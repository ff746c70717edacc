"""The kustomize manifests and the chart's values, as far as that needs no other program."""

import json
import re
import tomllib
from pathlib import Path
from typing import Any, Final

import pytest
import yaml

from config.settings import Settings, load_settings

ROOT = Path(__file__).parents[2]
CHART = ROOT / "deploy/helm/reaction-sidecar"
MANIFESTS = ROOT / "deploy/kubernetes"
FOLDERS = [MANIFESTS, MANIFESTS / "livekit"]
WORKLOADS: Final = ("StatefulSet", "Deployment")
Object = dict[str, Any]


def objects(folder: Path) -> list[Object]:
    """The objects that a kustomization lists."""
    listed = yaml.safe_load((folder / "kustomization.yaml").read_text())["resources"]
    return [yaml.safe_load((folder / name).read_text()) for name in listed]


def pod(folder: Path) -> Object:
    (found,) = (one for one in objects(folder) if one["kind"] in WORKLOADS)
    spec: Object = found["spec"]["template"]["spec"]
    return spec


def container(folder: Path) -> Object:
    (only,) = pod(folder)["containers"]
    found: Object = only
    return found


def environment(folder: Path) -> dict[str, str]:
    return {one["name"]: one["value"] for one in container(folder)["env"]}


def settings_of(folder: Path) -> Settings:
    """The settings of the pod: its variables over its settings file."""
    environ = {**environment(folder), "SIDECAR_CONFIG": str(folder / "sidecar.toml")}
    return load_settings(environ=environ)


@pytest.mark.parametrize("folder", FOLDERS, ids=lambda folder: folder.name)
def test_each_file_of_a_folder_is_part_of_its_kustomization(folder: Path) -> None:
    listed = yaml.safe_load((folder / "kustomization.yaml").read_text())
    named = {*listed["resources"], *listed["configMapGenerator"][0]["files"], "kustomization.yaml"}
    assert {path.name for path in folder.iterdir() if path.is_file()} == named


@pytest.mark.parametrize("folder", FOLDERS, ids=lambda folder: folder.name)
def test_the_variables_of_the_pod_are_settings(folder: Path) -> None:
    settings = settings_of(folder)
    probed = container(folder)["ports"][0]["containerPort"]
    assert (settings.server.host, settings.server.port) == ("0.0.0.0", probed)
    assert settings.log.format == "json"


@pytest.mark.parametrize("folder", FOLDERS, ids=lambda folder: folder.name)
def test_admission_counts_on_the_cores_that_the_pod_has(folder: Path) -> None:
    resources = container(folder)["resources"]
    assert resources["requests"] == resources["limits"]
    assert settings_of(folder).serve.cores == float(resources["limits"]["cpu"])


def test_the_memory_holds_the_smallest_rooms_that_the_cores_admit() -> None:
    serve = settings_of(MANIFESTS).serve
    # Resident MB by docs/serve.md: server, a detection worker for each core, a room of one camera.
    smallest = 0.25
    rooms = serve.cores * serve.cpu_share / smallest
    used = 145 + serve.cores * 235 + rooms * 210
    limit = container(MANIFESTS)["resources"]["limits"]["memory"]
    assert limit.endswith("Gi")
    assert used * 10**6 < int(limit.removesuffix("Gi")) * 2**30 * 0.75


@pytest.mark.parametrize("folder", FOLDERS, ids=lambda folder: folder.name)
def test_the_grace_covers_the_hook_the_drain_and_the_closing(folder: Path) -> None:
    hook = container(folder)["lifecycle"]["preStop"]["sleep"]["seconds"]
    drain = settings_of(folder).serve.drain_timeout
    assert pod(folder)["terminationGracePeriodSeconds"] >= hook + drain + 20


@pytest.mark.parametrize("folder", FOLDERS, ids=lambda folder: folder.name)
def test_the_pod_has_no_right_that_it_does_not_need(folder: Path) -> None:
    found, inner = pod(folder), container(folder)["securityContext"]
    assert found["automountServiceAccountToken"] is False
    assert found["securityContext"]["runAsNonRoot"] is True
    assert found["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
    assert inner == {
        "allowPrivilegeEscalation": False,
        "readOnlyRootFilesystem": True,
        "capabilities": {"drop": ["ALL"]},
    }


@pytest.mark.parametrize("folder", FOLDERS, ids=lambda folder: folder.name)
def test_what_the_server_writes_is_on_a_volume(folder: Path) -> None:
    serve, mounts = settings_of(folder).serve, container(folder)["volumeMounts"]
    writable = {Path(one["mountPath"]) for one in mounts if not one.get("readOnly")}
    for path in (serve.data_folder, serve.journal, Path(environment(folder)["HOME"])):
        assert path is not None
        assert writable & {path, *path.parents}, path
    read = {Path(one["mountPath"]) for one in mounts if one.get("readOnly")}
    assert serve.token_file is not None
    assert serve.secrets_folder in read
    assert serve.token_file.parent in read


@pytest.mark.parametrize("folder", FOLDERS, ids=lambda folder: folder.name)
def test_no_manifest_holds_a_secret(folder: Path) -> None:
    found = objects(folder)
    assert all(one["kind"] != "Secret" for one in found)
    # Fernet keys, tokens and passwords are long texts without a break.
    assert re.findall(r"\b[A-Za-z0-9_-]{32,}\b", json.dumps([pod(folder), found])) == []


def test_the_server_takes_the_names_of_its_service() -> None:
    (service,) = (one for one in objects(MANIFESTS) if one["metadata"]["name"] == "reaction-sidecar"
                  and one["kind"] == "Service")  # fmt: skip
    name = service["metadata"]["name"]
    assert f"http://{name}" in settings_of(MANIFESTS).server.origins
    assert f"http://{name}.{name}.svc" in settings_of(MANIFESTS).server.origins


def test_the_chart_has_the_version_of_the_program() -> None:
    chart = yaml.safe_load((CHART / "Chart.yaml").read_text())
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    assert chart["appVersion"] == chart["version"] == project["version"]


def properties(schema: Object) -> Object:
    """The names that a schema allows, nested; None where it does not say which."""
    return {
        name: properties(one) if "properties" in one else None
        for name, one in schema["properties"].items()
    }


def names(values: Object, allowed: Object) -> Object:
    return {
        name: names(value, allowed[name]) if allowed.get(name) else None
        for name, value in values.items()
    }


def test_the_schema_has_each_value_and_no_other() -> None:
    schema = json.loads((CHART / "values.schema.json").read_text())
    allowed = properties(schema)
    del allowed["global"]  # Helm's own.
    values = yaml.safe_load((CHART / "values.yaml").read_text())
    assert names(values, allowed) == allowed
