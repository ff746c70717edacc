"""The kustomize manifests: written from the chart's default, and held against it.

``python -m tests.charts.manifests`` writes them.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

import yaml

from tests.charts.render import MANIFESTS, Object, template

FOLDERS: Final = {"": MANIFESTS, "livekit": MANIFESTS / "livekit"}
"""The folder of each kustomization, by feed; the chart's default is the empty one."""
VALUES: Final = Path(__file__).parent / "values"
SETTINGS: Final = "reaction-sidecar-settings"
"""The ConfigMap, which kustomize makes of a file and names by its content."""
OURS: Final = ("app.kubernetes.io/managed-by", "helm.sh/chart")
"""Labels that say that helm installed it."""
HEAD: Final = (
    "# Written by `python -m tests.charts.manifests` from deploy/helm; docs/kubernetes.md.\n"
)


def expected(feed: str) -> list[Object]:
    """The chart's objects for a feed."""
    return template(VALUES / "manifests-livekit.yaml") if feed else template()


def agreed(found: Sequence[Object]) -> dict[str, Object]:
    """The objects by kind and name, without what is kustomize's or helm's own way."""
    kept = {}
    for each in found:
        if each["kind"] != "Namespace":
            cleaned = _clean(each)
            kept[f"{cleaned['kind']}/{cleaned['metadata']['name']}"] = cleaned
    return kept


def _clean(value: Any) -> Any:
    if isinstance(value, dict):
        hidden = {*OURS, "checksum/settings", "namespace"}
        cleaned = {key: _clean(one) for key, one in value.items() if key not in hidden}
        return {key: one for key, one in cleaned.items() if key != "annotations" or one}
    if isinstance(value, list):
        return [_clean(one) for one in value]
    if isinstance(value, str) and value.startswith(f"{SETTINGS}-"):
        return SETTINGS
    return value


def write(feed: str) -> None:
    """Write the folder of ``feed``: a file an object, the settings, and the kustomization."""
    folder = FOLDERS[feed]
    folder.mkdir(parents=True, exist_ok=True)
    resources, labels = [], {}
    for key, each in agreed(expected(feed)).items():
        kind, name = key.split("/")
        if kind == "ConfigMap":
            (folder / "sidecar.toml").write_text(each["data"]["sidecar.toml"])
            labels = each["metadata"]["labels"]
            continue
        file = f"{kind.lower()}{'-pods' if name.endswith('-pods') else ''}.yaml"
        resources.append(file)
        (folder / file).write_text(HEAD + yaml.safe_dump(each, sort_keys=False))
    kustomization: Object = {
        "apiVersion": "kustomize.config.k8s.io/v1beta1",
        "kind": "Kustomization",
        "namespace": "reaction-sidecar",
        "resources": ["namespace.yaml", *sorted(resources)],
        "configMapGenerator": [
            {"name": SETTINGS, "files": ["sidecar.toml"], "options": {"labels": labels}}
        ],
    }
    namespace = {"apiVersion": "v1", "kind": "Namespace", "metadata": _namespace()}
    (folder / "namespace.yaml").write_text(HEAD + yaml.safe_dump(namespace, sort_keys=False))
    text = HEAD + yaml.safe_dump(kustomization, sort_keys=False)
    (folder / "kustomization.yaml").write_text(text)


def _namespace() -> Object:
    """Its Pod Security Standard is the strictest: the pod asks for nothing more."""
    level = "pod-security.kubernetes.io/enforce"
    return {"name": "reaction-sidecar", "labels": {level: "restricted"}}


if __name__ == "__main__":
    for one_feed in FOLDERS:
        write(one_feed)
