"""Detection by replicas that are asked over something: here, within this process."""

import asyncio
import pickle
import time
from pathlib import Path

import pytest

from config.errors import InferenceError
from reactions.landmark_types import Sample
from reactions.pipeline import Detection, Memory
from sidecar.aio import Component
from sidecar.cluster import replica as replicas
from sidecar.cluster.remote_detector import Answered, RemoteDetector, SentSample
from sidecar.cluster.replica import DetectionReplica
from sidecar.inference.detector import Detector, DetectorStats, DroppedSamples, DropReason
from tests.conformance.detector import DetectorConformance, dropped
from tests.conformance.scripted_pipeline import Script, ScriptFolder, sample
from tests.sidecar.clients import eventually


class Service(Component):
    """Replicas, and a detector that asks the one with the least to do."""

    def __init__(self, scripts: ScriptFolder, workers: int, *, answer: float = 30.0) -> None:
        self._scripts = scripts
        self._workers = workers
        self.replicas: list[DetectionReplica] = []
        self._asked: list[int] = []
        self.detector = RemoteDetector(self.ask, "room", slots=workers, answer=answer)

    async def start(self) -> None:
        self.replicas = [DetectionReplica(self._scripts.load, "1") for _ in range(self._workers)]
        self._asked = [0] * self._workers
        await self.detector.start()

    async def aclose(self) -> None:
        await self.detector.aclose()
        for one in self.replicas:
            await one.aclose()
        self.replicas.clear()

    async def ask(self, sent: SentSample) -> Answered:
        """Ask over a pickle, as between processes."""
        chosen = min(range(self._workers), key=self._asked.__getitem__)
        self._asked[chosen] += 1
        try:
            answer = await self.replicas[chosen].detect(pickle.loads(pickle.dumps(sent)))
        finally:
            self._asked[chosen] -= 1
        answered: Answered = pickle.loads(answer)
        return answered

    async def detect(
        self, sample: Sample, memory: Memory | None, deadline: float | None = None, *, source: str
    ) -> Detection:
        return await self.detector.detect(sample, memory, deadline, source=source)

    def stats(self) -> DetectorStats:
        return self.detector.stats()


@pytest.fixture(autouse=True)
def _as_nice(monkeypatch: pytest.MonkeyPatch) -> None:
    """Leave the niceness of the tests' own process."""
    monkeypatch.setattr(replicas, "NICENESS", 0)


@pytest.fixture
def scripts(tmp_path: Path) -> ScriptFolder:
    return ScriptFolder(tmp_path)


class TestRemoteDetector(DetectorConformance):
    def make(self, scripts: ScriptFolder, workers: int = 1) -> Detector:
        return Service(scripts, workers)


async def test_a_deadline_holds_while_another_room_has_the_replica(scripts: ScriptFolder) -> None:
    async with asyncio.timeout(30), Service(scripts, 1) as service, asyncio.TaskGroup() as group:
        other = RemoteDetector(service.ask, "other", slots=1)
        await other.start()
        group.create_task(service.detect(sample(Script.WAIT, 1), None, source="ada"))
        await eventually(lambda: scripts.begun() == [1])
        late = other.detect(sample(Script.ANSWER, 2), None, time.monotonic() + 0.02, source="bob")
        assert await dropped(late) == DropReason.EXPIRED
        scripts.release(1)
        await other.aclose()
    assert scripts.begun() == [1]


async def test_a_replica_that_does_not_answer_loses_the_sample_alone(
    scripts: ScriptFolder,
) -> None:
    async with asyncio.timeout(30), Service(scripts, 1, answer=0.1) as service:
        call = service.detect(sample(Script.WAIT, 1), None, source="ada")
        assert await dropped(call) == DropReason.WORKER_LOST
        scripts.release(1)
        service.detector = RemoteDetector(service.ask, "room", slots=1)
        await service.detector.start()
        assert (await service.detect(sample(Script.ANSWER, 2), None, source="ada")).scores


async def test_any_failure_of_asking_is_a_lost_sample() -> None:
    async def ask(sent: SentSample) -> Answered:
        raise ConnectionResetError("the node is gone")

    async with RemoteDetector(ask, "room", slots=1) as detector:
        call = detector.detect(sample(Script.ANSWER), None, source="ada")
        assert await dropped(call) == DropReason.WORKER_LOST
        assert detector.stats().dropped == DroppedSamples(worker_lost=1)


async def test_a_replica_that_hangs_is_unhealthy_and_one_that_works_is_not(
    scripts: ScriptFolder,
) -> None:
    now = 0.0
    replica = DetectionReplica(scripts.load, "1", clock=lambda: now)
    sent = SentSample(sample(Script.WAIT, 1), None, 60.0, "room/0")
    async with asyncio.timeout(30), asyncio.TaskGroup() as group:
        group.create_task(replica.detect(sent))
        await eventually(lambda: scripts.begun() == [1])
        replica.check_health()
        now = 4.0
        replica.check_health()
        now = 6.0
        with pytest.raises(InferenceError, match="more than 5 s"):
            replica.check_health()
        scripts.release(1)
    replica.check_health()
    await replica.aclose()
