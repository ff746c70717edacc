"""Model bundles as a client of the API sees them."""

import asyncio
import shutil
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from aiohttp.test_utils import TestClient, TestServer

from config.errors import InferenceError
from reactions.bundle import CLASSIFIER_CARD, WEIGHTS, ModelBundle, write_card
from reactions.gestures.hand_classifier import SHIPPED
from sidecar.server.api.app import ApiOptions, create_api
from sidecar.server.api.metrics import MetricSources
from sidecar.server.api.model_endpoints import ModelEndpoints
from sidecar.server.api.system_endpoints import SystemEndpoints
from sidecar.server.api.tokens import Authenticator
from sidecar.supervisor.bundle_watcher import BundleWatcher
from sidecar.supervisor.model_store import BundleStore
from tests.sidecar.supervisor.test_supervisor import World


def make_bundle(folder: Path) -> None:
    folder.mkdir(parents=True)
    shutil.copy(SHIPPED, folder / WEIGHTS)
    shutil.copy(SHIPPED.with_suffix(".json"), folder / CLASSIFIER_CARD)
    write_card(folder)


class Models:
    """A client, and the bundles that workers were asked to use."""

    def __init__(
        self,
        folder: Path,
        client: TestClient[Any, Any],
        used: list[str],
        endpoints: ModelEndpoints,
    ) -> None:
        self.folder = folder
        self.endpoints = endpoints
        self.used = used
        self._client = client

    async def call(self, method: str, path: str = "") -> tuple[int, Any]:
        async with self._client.request(method, f"/v1/models{path}") as answer:
            return answer.status, await answer.json(content_type=None)


@pytest.fixture
async def models(tmp_path: Path) -> AsyncIterator[Models]:
    used: list[str] = []

    async def use(bundle: ModelBundle) -> None:
        if bundle.name == "slow":
            raise InferenceError("a worker is being started", do="try again soon")
        used.append(bundle.name)

    async with World().running() as supervisor:
        endpoints = ModelEndpoints(BundleStore(tmp_path), use)
        system = SystemEndpoints(MetricSources(supervisor), faults=list, drain=lambda: None)
        app = create_api(endpoints.endpoints(), system, Authenticator(), ApiOptions("127.0.0.1"))
        async with TestClient(TestServer(app)) as client:
            yield Models(tmp_path, client, used, endpoints)


async def test_without_bundles_the_shipped_one_is_used(models: Models) -> None:
    status, listed = await models.call("GET")
    assert (status, listed["active"], listed["previous"]) == (200, "shipped", None)
    assert [one["name"] for one in listed["bundles"]] == ["shipped"]
    assert (await models.call("POST", "/rollback"))[0] == 409


async def test_a_bundle_is_activated_rolled_back_and_remembered(models: Models) -> None:
    make_bundle(models.folder / "mine")
    status, listed = await models.call("POST", "/mine/activate")
    assert (status, listed["active"], listed["previous"]) == (200, "mine", "shipped")
    assert BundleStore(models.folder).at_start().name == "mine"
    status, listed = await models.call("POST", "/rollback")
    assert (status, listed["active"], listed["previous"]) == (200, "shipped", "mine")
    assert models.used == ["mine", "shipped"]


async def test_a_changed_bundle_is_shown_with_its_fault_and_not_used(models: Models) -> None:
    make_bundle(models.folder / "mine")
    (models.folder / "mine" / WEIGHTS).write_bytes(b"another")
    _, listed = await models.call("GET")
    assert "bundle was made with" in listed["bundles"][1]["error"]
    status, problem = await models.call("POST", "/mine/activate")
    assert (status, models.used) == (422, [])
    assert "bundle was made with" in problem["detail"]
    assert (await models.call("POST", "/none/activate"))[0] == 404


async def test_a_bundle_that_workers_can_t_use_yet_stays_inactive(models: Models) -> None:
    make_bundle(models.folder / "slow")
    status, problem = await models.call("POST", "/slow/activate")
    assert (status, problem["do"]) == (503, "try again soon")
    assert (await models.call("GET"))[1]["active"] == "shipped"


async def test_a_bundle_that_was_damaged_meanwhile_gives_way_to_the_shipped_one(
    models: Models,
) -> None:
    make_bundle(models.folder / "mine")
    await models.call("POST", "/mine/activate")
    shutil.rmtree(models.folder / "mine")
    assert BundleStore(models.folder).at_start().name == "shipped"


async def test_what_another_program_chose_is_followed_once(models: Models) -> None:
    make_bundle(models.folder / "mine")
    BundleStore(models.folder).keep("mine")
    for _ in range(2):
        await models.endpoints.follow()
    assert (models.used, models.endpoints.used) == (["mine"], "mine")
    await models.call("POST", "/rollback")
    await models.endpoints.follow()
    assert models.used == ["mine", "shipped"]


async def test_a_choice_that_can_t_be_used_leaves_what_runs(models: Models) -> None:
    make_bundle(models.folder / "mine")
    BundleStore(models.folder).keep("mine")
    (models.folder / "mine" / WEIGHTS).write_bytes(b"another")
    await models.endpoints.follow()
    assert (models.used, models.endpoints.used) == ([], "shipped")
    make_bundle(models.folder / "slow")
    BundleStore(models.folder).keep("slow")
    await models.endpoints.follow()
    assert models.endpoints.used == "shipped"


async def test_a_watcher_looks_again_and_again_also_after_a_failure() -> None:
    looks: list[int] = []
    seen = asyncio.Event()

    async def follow() -> None:
        looks.append(1)
        if len(looks) == 1:
            raise OSError("a disk that is away")
        seen.set()

    async with asyncio.timeout(30), BundleWatcher(follow, every=0.001):
        await seen.wait()
