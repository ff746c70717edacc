"""One detector for rooms in other processes: both ends in one process here."""

import asyncio
import contextlib
import gc
import os
import pickle
import socket
import time
import weakref
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest
from structlog.testing import capture_logs

from config.errors import InferenceError, SampleDroppedError
from reactions.landmark_types import Sample
from reactions.pipeline import Detection, Memory
from sidecar.aio import Component
from sidecar.inference.detector import Detector, DetectorStats, DroppedSamples, DropReason
from sidecar.inference.dispatcher import Dispatcher
from sidecar.inference.messages import MessageDecoder
from sidecar.inference.processes import ProcessDetector
from sidecar.inference.shared import DetectorShare, SharedDetector
from sidecar.inference.threads import ThreadDetector
from tests.conformance.detector import DetectorConformance, dropped
from tests.conformance.scripted_pipeline import Script, ScriptFolder, sample
from tests.sidecar.clients import eventually
from tests.sidecar.supervisor.memory_handle import NothingSeen

CAPACITY = 640 * 640 * 3


class Both(Component):
    """A share of a thread detector and the detector of the room at its other end."""

    def __init__(
        self, scripts: ScriptFolder, workers: int, *, slots: int = 0, processes: bool = False
    ) -> None:
        make = ProcessDetector if processes else ThreadDetector
        self._workers = make(scripts.load, workers=workers)
        self._slots = slots or workers
        self.share: DetectorShare | None = None
        self.room: SharedDetector | None = None

    async def start(self) -> None:
        await self._workers.start()
        self.share = DetectorShare(self._workers, "r-1", slots=self._slots, capacity=CAPACITY)
        copies = [os.dup(descriptor) for descriptor in self.share.descriptors]
        await self.share.start()
        self.room = SharedDetector.inherited(",".join(map(str, (CAPACITY, *copies))))
        await self.room.start()

    async def aclose(self) -> None:
        if self.room is not None:
            await self.room.aclose()
        if self.share is not None:
            await self.share.aclose()
        await self._workers.aclose()

    async def detect(
        self, sample: Sample, memory: Memory | None, deadline: float | None = None, *, source: str
    ) -> Detection:
        assert self.room is not None
        return await self.room.detect(sample, memory, deadline, source=source)

    def stats(self) -> DetectorStats:
        assert self.room is not None
        return self.room.stats()


class TestSharedDetector(DetectorConformance):
    def make(self, scripts: ScriptFolder, workers: int = 1) -> Detector:
        return Both(scripts, workers)


def test_what_a_room_sends_can_call_nothing() -> None:
    class Evil:
        def __reduce__(self) -> tuple[object, ...]:
            return os.system, ("true",)

    body = pickle.dumps(Evil())
    content = len(body).to_bytes(4, "big") + body
    with pytest.raises(InferenceError, match=r"holds (posix|nt)\.system"):
        list(MessageDecoder(data_only=True).feed(content))


async def test_a_room_that_ends_in_the_middle_of_a_sample_leaves_the_others_alone(
    tmp_path: Path,
) -> None:
    scripts = ScriptFolder(tmp_path)
    async with asyncio.timeout(30), Both(scripts, 1) as ended:
        detecting = asyncio.create_task(ended.detect(sample(Script.ANSWER, 1), None, source="ada"))
        await asyncio.sleep(0)
        detecting.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await detecting
    async with asyncio.timeout(30), Both(scripts, 1) as other:
        assert (await other.detect(sample(Script.ANSWER, 2), None, source="bob")).scores


async def test_a_deadline_holds_while_other_rooms_have_the_workers(tmp_path: Path) -> None:
    scripts = ScriptFolder(tmp_path)
    async with asyncio.timeout(30), Both(scripts, 1, slots=2) as room, asyncio.TaskGroup() as group:
        busy = room.detect(sample(Script.WAIT, 1), None, source="ada")
        group.create_task(busy)
        await eventually(lambda: scripts.begun() == [1])
        late = room.detect(sample(Script.ANSWER, 2), None, time.monotonic() + 0.02, source="bob")
        assert await dropped(late) == DropReason.EXPIRED
        assert room.stats().dropped == DroppedSamples(expired=1)
        scripts.release(1)
    assert scripts.begun() == [1]


async def test_a_worker_that_dies_is_a_dropped_sample_to_its_room(tmp_path: Path) -> None:
    scripts = ScriptFolder(tmp_path)
    async with asyncio.timeout(30), Both(scripts, 1, processes=True) as room:
        call = room.detect(sample(Script.DIE), None, source="ada")
        assert await dropped(call) == DropReason.WORKER_LOST
        await room.detect(sample(Script.ANSWER), None, source="ada")
        stats = room.stats()
    assert stats.dropped == DroppedSamples(worker_lost=1)
    assert (stats.failed, stats.detected) == (0, 1)


async def test_a_room_that_sends_nonsense_is_disconnected(tmp_path: Path) -> None:
    scripts = ScriptFolder(tmp_path)
    async with asyncio.timeout(30), ThreadDetector(scripts.load) as workers:
        share = DetectorShare(workers, "r-1", slots=1, capacity=CAPACITY)
        with socket.socket(fileno=os.dup(share.descriptors[0])) as channel:
            await share.start()
            channel.setblocking(False)
            loop = asyncio.get_running_loop()
            with capture_logs() as logs:
                await loop.sock_sendall(channel, b"\x00\x00\x00\x04none")
                assert await loop.sock_recv(channel, 1) == b""
        await share.aclose()
    assert [(log["event"], log["room"]) for log in logs] == [("detection refused", "r-1")]


async def test_a_room_learns_that_its_workers_are_lost(tmp_path: Path) -> None:
    async with asyncio.timeout(30), Both(ScriptFolder(tmp_path), 1) as both:
        assert both.room is not None
        waiting = asyncio.create_task(both.room.wait_lost())
        await both.room.detect(sample(Script.ANSWER), None, source="ada")
        assert not waiting.done()
        assert both.share is not None
        await both.share.aclose()
        await waiting
        assert both.stats().workers == 0


class Dropping(NothingSeen):
    """Drops every sample, after it has looked at it."""

    async def detect(
        self, sample: Sample, memory: Memory | None, deadline: float | None = None, *, source: str
    ) -> Detection:
        assert sample.pixels.any()
        raise SampleDroppedError(DropReason.EXPIRED)


@pytest.fixture
def uncollected() -> Iterator[None]:
    """Only what nothing refers to is freed."""
    gc.collect()
    gc.disable()
    yield
    gc.enable()


@pytest.mark.usefixtures("uncollected")
async def test_a_share_frees_its_memory_though_samples_were_dropped() -> None:
    before = psutil.Process().num_fds()
    share = DetectorShare(Dropping(), "r-1", slots=2, capacity=CAPACITY)
    copies = [os.dup(descriptor) for descriptor in share.descriptors]
    await share.start()
    async with SharedDetector.inherited(",".join(map(str, (CAPACITY, *copies)))) as room:
        for number in range(5):
            with pytest.raises(SampleDroppedError):
                await room.detect(sample(Script.ANSWER, number + 1), None, source="ada")
    await share.aclose()
    await eventually(lambda: psutil.Process().num_fds() == before)


@pytest.mark.usefixtures("uncollected")
async def test_a_sample_that_is_dropped_is_kept_by_nothing() -> None:
    dropped = sample(Script.ANSWER, 1)
    pixels = weakref.ref(dropped.pixels)
    with pytest.raises(SampleDroppedError):
        await Dispatcher().detect("ada", dropped, None, time.monotonic() - 1)
    del dropped
    assert pixels() is None
