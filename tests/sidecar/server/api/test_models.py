"""Model bundles as a client of the API sees them."""

import asyncio
import shutil
import threading
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from aiohttp.test_utils import TestClient, TestServer
from structlog.testing import capture_logs

from config.errors import InferenceError, JournalError, ModelError, SidecarError
from reactions.bundle import CLASSIFIER_CARD, WEIGHTS, ModelBundle, write_card
from reactions.gestures.hand_classifier import SHIPPED
from sidecar.server.api.app import ApiOptions, create_api
from sidecar.server.api.metrics import MetricSources
from sidecar.server.api.model_endpoints import MAX_PAUSE, ModelEndpoints
from sidecar.server.api.system_endpoints import SystemEndpoints
from sidecar.server.api.tokens import Authenticator
from sidecar.supervisor.bundle_watcher import BundleWatcher
from sidecar.supervisor.model_store import BundleStore
from tests.sidecar.supervisor.world import World


def make_bundle(folder: Path) -> None:
    folder.mkdir(parents=True)
    shutil.copy(SHIPPED, folder / WEIGHTS)
    shutil.copy(SHIPPED.with_suffix(".json"), folder / CLASSIFIER_CARD)
    write_card(folder)


class HeldStore(BundleStore):
    """Writes its choice once it is let go."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        self.writing = threading.Event()
        self.free = threading.Event()
        self.free.set()
        self.fault: JournalError | None = None

    def keep(self, name: str) -> None:
        self.writing.set()
        assert self.free.wait(30)
        if self.fault is not None:
            raise self.fault
        super().keep(name)


class Models:
    """A client, and the bundles that workers were asked to use."""

    def __init__(
        self,
        folder: Path,
        client: TestClient[Any, Any],
        used: list[str],
        endpoints: ModelEndpoints,
        faults: dict[str, SidecarError],
    ) -> None:
        self.faults = faults
        """What keeps bundles from being used, by name."""
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
    faults: dict[str, SidecarError] = {}

    async def use(bundle: ModelBundle) -> None:
        if bundle.name == "slow":
            raise InferenceError("a worker is being started", do="try again soon")
        if bundle.name in faults:
            raise faults[bundle.name]
        used.append(bundle.name)

    async with World().running() as supervisor:
        endpoints = ModelEndpoints(HeldStore(tmp_path), use)
        system = SystemEndpoints(MetricSources(supervisor), faults=list, drain=lambda: None)
        app = create_api(endpoints.endpoints(), system, Authenticator(), ApiOptions("127.0.0.1"))
        async with TestClient(TestServer(app)) as client:
            yield Models(tmp_path, client, used, endpoints, faults)


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


def held(models: Models) -> HeldStore:
    assert isinstance(models.endpoints.store, HeldStore)
    return models.endpoints.store


async def test_a_look_while_a_choice_is_written_does_not_undo_it(models: Models) -> None:
    make_bundle(models.folder / "mine")
    store = held(models)
    store.free.clear()
    activating = asyncio.create_task(models.call("POST", "/mine/activate"))
    await asyncio.to_thread(store.writing.wait, 30)
    look = asyncio.create_task(models.endpoints.follow())
    await asyncio.sleep(0.1)  # Enough for a look that would not wait.
    store.free.set()
    assert (await activating)[0] == 200
    await look
    assert (models.used, models.endpoints.used) == (["mine"], "mine")


async def test_a_choice_that_can_t_be_written_is_undone(models: Models) -> None:
    make_bundle(models.folder / "mine")
    held(models).fault = JournalError("the disk is full")
    assert (await models.call("POST", "/mine/activate"))[0] == 507
    await models.endpoints.follow()
    assert (models.used, models.endpoints.used) == (["mine", "shipped"], "shipped")


async def test_workers_that_changed_in_part_get_the_bundle_in_use_again(models: Models) -> None:
    make_bundle(models.folder / "slow")
    assert (await models.call("POST", "/slow/activate"))[0] == 503
    await models.endpoints.follow()
    await models.endpoints.follow()
    assert (models.used, models.endpoints.used) == (["shipped"], "shipped")


@pytest.mark.parametrize("fault", [JournalError("the disk is full"), ModelError("no network")])
async def test_a_choice_is_used_once_what_kept_it_from_that_is_over(
    models: Models, fault: SidecarError
) -> None:
    make_bundle(models.folder / "mine")
    BundleStore(models.folder).keep("mine")
    models.faults["mine"] = fault
    await models.endpoints.follow()
    assert (models.used, models.endpoints.used) == ([], "shipped")
    models.faults.clear()
    await models.endpoints.follow()
    assert (models.used, models.endpoints.used) == (["mine"], "mine")


async def test_a_damaged_choice_is_used_once_it_is_mended(models: Models) -> None:
    make_bundle(models.folder / "mine")
    BundleStore(models.folder).keep("mine")
    (models.folder / "mine" / WEIGHTS).write_bytes(b"another")
    await models.endpoints.follow()
    shutil.copy(SHIPPED, models.folder / "mine" / WEIGHTS)
    await models.endpoints.follow()
    assert models.endpoints.used == "mine"


async def test_pauses_between_tries_grow_and_end_with_another_choice(
    models: Models,
) -> None:
    for name in ("mine", "other"):
        make_bundle(models.folder / name)
    BundleStore(models.folder).keep("mine")
    tries = 0

    async def use(bundle: ModelBundle) -> None:
        nonlocal tries
        tries += 1
        raise ModelError("no network")

    models.endpoints.use = use
    with capture_logs() as lines:
        for _ in range(4 * MAX_PAUSE):
            await models.endpoints.follow()
    assert 8 < tries < 14
    assert [line["event"] for line in lines] == ["chosen models not used"]
    BundleStore(models.folder).keep("other")
    before = tries
    await models.endpoints.follow()
    assert tries == before + 1


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
