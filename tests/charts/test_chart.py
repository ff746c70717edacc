"""The chart renders under several sets of values, and Kubernetes' schemas take what comes out."""

from pathlib import Path

import pytest

from config.settings import load_settings
from tests.charts.manifests import FOLDERS, agreed, expected
from tests.charts.render import ToolError, build, conform, lint, notes, one, template
from tests.charts.schemas import VERSIONS

VALUES = sorted((Path(__file__).parent / "values").glob("*.yaml"))
CASES = [(), *((file,) for file in VALUES)]
NAMES = ["default", *(file.stem for file in VALUES)]
LIVEKIT = ("feed=livekit", "livekit.url=wss://a", "secrets.environment=e")


@pytest.mark.parametrize("values", CASES, ids=NAMES)
def test_helm_lint_finds_no_fault(values: tuple[Path, ...]) -> None:
    assert "1 chart(s) linted, 0 chart(s) failed" in lint(*values)


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("values", CASES, ids=NAMES)
def test_the_schemas_take_each_object(values: tuple[Path, ...], version: str) -> None:
    found = template(*values)
    said = conform(found, version)
    assert f"Valid: {len(found)}, Invalid: 0, Errors: 0, Skipped: 0" in said


@pytest.mark.parametrize("kind", ["ServiceMonitor", "ScaledObject", "Deployment"])
def test_a_field_that_is_not_documented_is_refused(kind: str) -> None:
    keda, livekit = (Path(__file__).parent / f"values/{name}.yaml" for name in ("keda", "livekit"))
    wrong = one(template(livekit if kind == "ServiceMonitor" else keda), kind)
    wrong["spec"]["misspelt"] = "1"
    with pytest.raises(ToolError, match="misspelt"):
        conform([wrong], VERSIONS[-1])


@pytest.mark.parametrize("feed", ["", "livekit"])
def test_the_manifests_of_kustomize_are_the_chart_s(feed: str) -> None:
    found = agreed(build(FOLDERS[feed]))
    assert found == agreed(expected(feed))
    assert "Invalid: 0, Errors: 0, Skipped: 0" in conform(build(FOLDERS[feed]), VERSIONS[-1])


@pytest.mark.parametrize(
    ("sets", "message"),
    [
        (["replicas=2"], "replicas: the rooms' API is a pod's own"),
        (["autoscaling.kind=hpa"], "autoscaling.kind: the rooms' API is a pod's own"),
        (["feed=livekit", "secrets.environment=e"], "livekit.url: feed=livekit needs"),
        (["feed=livekit", "livekit.url=wss://a"], "secrets.environment: feed=livekit needs"),
        (["feed=ray"], "ray.address: feed=ray needs"),
        (["feed=ray", "ray.address=a:1"], "secrets.journalKey: feed=ray needs"),
        (["feed=ray", "ray.address=a:1", "replicas=2"], "feed=ray has one replica"),
        ([*LIVEKIT, "autoscaling.kind=keda"], "autoscaling.prometheus: kind=keda needs"),
        ([*LIVEKIT, "autoscaling.minReplicas=30"], "autoscaling: minReplicas is above"),
        (["feed=both"], "feed"),
        (["secrets.token=abc"], "additional properties 'token' not allowed"),
        (["livekit.apiSecret=abc"], "additional properties 'apiSecret' not allowed"),
        (["drainTimeout=-1"], "drainTimeout"),
        (["image.repository=registry/sidecar@sha256"], "'/image/repository'"),
        (["image.tag=0.1 0"], "'/image/tag'"),
        (["nameOverride=Reactions"], "'/nameOverride'"),
        (["fullnameOverride=1st"], "'/fullnameOverride'"),
        (["secrets.journalKey=journal key"], "'/secrets/journalKey'"),
        (["secrets.metricsToken="], "'/secrets/metricsToken'"),
        (["serviceAccount.name=Rooms"], "'/serviceAccount/name'"),
        (["persistence.storageClass=Fast"], "'/persistence/storageClass'"),
        (["priorityClassName=High"], "'/priorityClassName'"),
        ([*LIVEKIT, "livekit.agentName="], "'/livekit/agentName'"),
    ],
    ids=lambda value: value[0] if isinstance(value, list) else "",
)
def test_values_that_can_not_work_are_refused_in_a_line(sets: list[str], message: str) -> None:
    with pytest.raises(ToolError) as refused:
        template(sets=sets)
    assert message in str(refused.value)


def test_the_grace_is_the_drain_and_what_is_around_it() -> None:
    for sets, seconds in (([], 65), (["drainTimeout=600"], 635), (["preStopSeconds=20"], 80)):
        pod = one(template(sets=sets), "StatefulSet")["spec"]["template"]["spec"]
        assert pod["terminationGracePeriodSeconds"] == seconds
    livekit = template(Path(__file__).parent / "values/livekit.yaml")
    pod = one(livekit, "Deployment")["spec"]["template"]["spec"]
    assert pod["terminationGracePeriodSeconds"] == 5 + 3600 + 30


def test_beside_ray_the_pod_is_a_node_without_cpus_that_starts_first() -> None:
    pod = one(template(Path(__file__).parent / "values/ray.yaml"), "StatefulSet")["spec"]
    (node,) = pod["template"]["spec"]["initContainers"]
    assert node["restartPolicy"] == "Always"
    assert node["args"][:3] == ["--address", "raycluster-head-svc:6379", "--num-cpus=0"]
    (server,) = pod["template"]["spec"]["containers"]
    mounts = [{each["mountPath"] for each in one["volumeMounts"]} for one in (node, server)]
    assert {"/tmp", "/dev/shm"} <= mounts[0] & mounts[1]


@pytest.mark.parametrize("values", CASES, ids=NAMES)
def test_the_variables_of_the_pod_are_settings(values: tuple[Path, ...], tmp_path: Path) -> None:
    found = template(*values)
    workload = next(each for each in found if each["kind"] in {"StatefulSet", "Deployment"})
    (server,) = workload["spec"]["template"]["spec"]["containers"]
    environ = {each["name"]: each["value"] for each in server["env"]}
    file = tmp_path / "sidecar.toml"
    file.write_text(one(found, "ConfigMap")["data"]["sidecar.toml"])
    settings = load_settings(environ={**environ, "SIDECAR_CONFIG": str(file)})
    assert settings.server.host == "0.0.0.0"
    if "--engine" in server["args"]:
        assert settings.serve.cluster.address == "raycluster-head-svc:6379"
        assert settings.serve.key_file is not None


def test_other_settings_are_another_pod() -> None:
    def checksum(*sets: str) -> str:
        meta = one(template(sets=sets), "StatefulSet")["spec"]["template"]["metadata"]
        return str(meta["annotations"]["checksum/settings"])

    assert checksum() == checksum("replicas=1")
    assert checksum() != checksum("settings=[log]")


def test_a_pod_without_a_volume_for_its_journal_has_an_empty_folder() -> None:
    found = one(template(sets=["persistence.enabled=false"]), "StatefulSet")["spec"]
    assert "volumeClaimTemplates" not in found
    volumes = {one["name"]: one for one in found["template"]["spec"]["volumes"]}
    assert volumes["data"]["emptyDir"] == {"sizeLimit": "2Gi"}


def test_the_notes_say_what_to_do_next() -> None:
    said = notes()
    assert "create secret generic reaction-sidecar" in said
    assert "rollout status statefulset/reaction-sidecar" in said
    assert "rooms' API is a pod's own" in said
    livekit = notes(Path(__file__).parent / "values/livekit.yaml")
    assert "LIVEKIT_API_KEY and LIVEKIT_API_SECRET" in livekit
    assert "TOKEN metrics" in livekit
