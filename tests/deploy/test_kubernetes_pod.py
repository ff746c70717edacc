"""The server as the pod starts it: by the manifest's command and variables, asked by its probes."""

from pathlib import Path

import aiohttp
import pytest

from reactions.landmarks.model_store import ModelStore
from tests.deploy.test_kubernetes import MANIFESTS, container, environment
from tests.e2e.served import served

pytestmark = pytest.mark.models

METRICS = "a-token-for-prometheus"


def here(folder: Path) -> dict[str, str]:
    """The pod's variables, with its volumes in ``folder`` and an address of loopback."""
    mounts = {
        "/etc/reaction-sidecar": str(MANIFESTS),
        "/run/secrets/reaction-sidecar": str(folder / "secrets"),
        "/data": str(folder / "data"),
        "/tmp": str(folder / "tmp"),
    }
    mounted = {one["mountPath"] for one in container(MANIFESTS)["volumeMounts"]}
    assert mounted == set(mounts)

    def mapped(value: str) -> str:
        path = next((one for one in mounts if value.startswith(one)), "")
        return mounts.get(path, "") + value.removeprefix(path)

    found = {name: mapped(value) for name, value in environment(MANIFESTS).items()}
    for name in ("secrets", "data", "tmp"):
        (folder / name).mkdir()
    (folder / "secrets/tokens").write_text(f"a-token-for-the-rooms rooms\n{METRICS} metrics\n")
    models = str(ModelStore().folder)
    return {**found, "SIDECAR_SERVER__HOST": "127.0.0.1", "SIDECAR_MODELS": models}


async def test_the_pod_s_probes_find_the_server_ready_and_its_names_are_taken(
    tmp_path: Path,
) -> None:
    assert container(MANIFESTS)["args"] == ["serve"]
    async with served(tmp_path, environ=here(tmp_path)) as sidecar, aiohttp.ClientSession() as http:

        async def status(path: str, **headers: str) -> int:
            async with http.get(f"{sidecar.base}{path}", headers=headers) as answer:
                return answer.status

        for probe in ("startupProbe", "livenessProbe", "readinessProbe"):
            assert await status(container(MANIFESTS)[probe]["httpGet"]["path"]) == 200
        assert await status("/livez", Host="reaction-sidecar.reaction-sidecar.svc:8080") == 200
        assert await status("/livez", Host="reactions.example.com") == 421
        # Prometheus is on another machine there: behind a proxy here.
        bearer, elsewhere = f"Bearer {METRICS}", "192.0.2.1"
        scraped = {"Authorization": bearer, "X-Forwarded-For": elsewhere}
        assert await status("/metrics", **scraped) == 200
        assert await status("/metrics", **{"X-Forwarded-For": elsewhere}) == 401
        sidecar.process.terminate()
        assert await sidecar.process.wait() == 0
    assert (tmp_path / "data/rooms.db").is_file()
