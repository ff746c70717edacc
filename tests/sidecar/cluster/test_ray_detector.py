"""Detection by Ray Serve, on a cluster of one node."""

from collections.abc import Iterator

import pytest

pytest.importorskip("ray", reason="Ray is not installed: `.ci/cluster` has it")

from ray import serve

from sidecar.cluster.ray_connection import RayConnection
from sidecar.cluster.ray_detector import RayDetector, ReplicaScale
from sidecar.inference.detector import Detector
from tests.conformance.detector import DetectorConformance
from tests.conformance.scripted_pipeline import ScriptFolder
from tests.sidecar.cluster.nodes import Nodes, nodes

pytestmark = pytest.mark.cluster


@pytest.fixture(scope="module")
def cluster() -> Iterator[Nodes]:
    with nodes(1) as started:
        yield started


@pytest.fixture(scope="module", autouse=True)
def connection(cluster: Nodes) -> Iterator[RayConnection]:
    import asyncio

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
