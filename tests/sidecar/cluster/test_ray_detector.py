"""Detection by Ray Serve, on a cluster of one node."""

import asyncio
from collections.abc import Iterator
from pathlib import Path

import pytest

pytest.importorskip("ray", reason="Ray is not installed: `.ci/cluster` has it")

from ray import serve

from config.errors import PictureError
from sidecar.cluster.ray_connection import RayConnection
from sidecar.cluster.ray_detector import RayDetector, ReplicaScale
from sidecar.inference.detector import Detector
from tests.conformance.detector import DetectorConformance, cancelled, dropped
from tests.conformance.scripted_pipeline import Script, ScriptFolder, sample
from tests.sidecar.clients import eventually
from tests.sidecar.cluster.nodes import Nodes, nodes

pytestmark = pytest.mark.cluster


@pytest.fixture(scope="module")
def cluster() -> Iterator[Nodes]:
    with nodes(1) as started:
        yield started


@pytest.fixture(scope="module", autouse=True)
def connection(cluster: Nodes) -> Iterator[RayConnection]:
    there = RayConnection(cluster.address, "tests")
    asyncio.run(there.start())
    yield there
    serve.shutdown()
    asyncio.run(there.aclose())


class TestRayDetector(DetectorConformance):
    @pytest.fixture(autouse=True)
    def _connected(self, connection: RayConnection) -> None:
        self.connection = connection

    def make(self, scripts: ScriptFolder, workers: int = 1) -> Detector:
        scale = ReplicaScale(workers, workers, cpus=0.5)
        return RayDetector(self.connection, scripts.load, scale=scale, slots=workers)


async def test_replicas_follow_the_load(connection: RayConnection, tmp_path: Path) -> None:
    scripts = ScriptFolder(tmp_path)
    scale = ReplicaScale(1, 2, target=1.0, cpus=0.5, up=1.0, down=1.0)
    detector = RayDetector(connection, scripts.load, scale=scale, slots=8)

    async def submit(source: str) -> None:
        while True:
            await dropped(detector.detect(sample(Script.ANSWER), None, source=source))

    async with asyncio.timeout(120), detector:
        assert detector.stats().workers == 1
        flood = [asyncio.create_task(submit(str(number))) for number in range(8)]
        await eventually(lambda: detector.stats().workers == 2)
        for task in flood:
            await cancelled(task)
        await eventually(lambda: detector.stats().workers == 1)
        found = await detector.detect(sample(Script.ANSWER), None, source="ada")
        assert found is not None


async def test_replicas_of_an_earlier_server_are_used_as_they_are(
    connection: RayConnection, tmp_path: Path
) -> None:
    scripts = ScriptFolder(tmp_path)
    first = RayDetector(connection, scripts.load)
    second = RayDetector(connection, ScriptFolder(tmp_path).load)
    async with asyncio.timeout(120), first:
        await first.detect(sample(Script.ANSWER, 1), None, source="ada")
        scripts.break_loading()
        await second.start()
        await second.detect(sample(Script.ANSWER, 2), None, source="ada")
        assert scripts.begun() == [1, 2]


async def test_models_are_replaced_while_samples_come_and_what_does_not_load_replaces_nothing(
    connection: RayConnection, tmp_path: Path
) -> None:
    old, new, broken = (ScriptFolder(tmp_path / name) for name in ("old", "new", "broken"))
    for one in (old, new, broken):
        one.folder.mkdir()
    broken.break_loading()
    async with asyncio.timeout(120), RayDetector(connection, old.load) as detector:
        with pytest.raises(PictureError):
            await detector.replace(broken.load)
        await detector.detect(sample(Script.ANSWER, 1), None, source="ada")
        await detector.replace(new.load)
        await detector.detect(sample(Script.ANSWER, 2), None, source="ada")
    assert (old.begun(), new.begun()) == ([1], [2])
