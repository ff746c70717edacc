"""One detector for rooms in other processes: both ends in one process here."""

import asyncio
import contextlib
import os
import pickle
import time
from pathlib import Path
from typing import Self

import pytest

from config.errors import InferenceError
from reactions.landmark_types import Sample
from reactions.pipeline import Detection, Memory
from sidecar.inference.detector import Detector, DetectorStats, DroppedSamples, DropReason
from sidecar.inference.messages import MessageDecoder
from sidecar.inference.processes import ProcessDetector
from sidecar.inference.shared import DetectorShare, SharedDetector
from sidecar.inference.threads import ThreadDetector
from tests.conformance.detector import DetectorConformance, dropped
from tests.conformance.scripted_pipeline import Script, ScriptFolder, sample
from tests.sidecar.clients import eventually

CAPACITY = 640 * 640 * 3


class Both:
    """A share of a thread detector and the detector of the room at its other end."""

    def __init__(
        self, scripts: ScriptFolder, workers: int, *, slots: int = 0, processes: bool = False
    ) -> None:
        make = ProcessDetector if processes else ThreadDetector
        self._workers = make(scripts.load, workers=workers)
        self._slots = slots or workers
        self._share: DetectorShare | None = None
        self._room: SharedDetector | None = None

    async def start(self) -> None:
        await self._workers.start()
        self._share = DetectorShare(self._workers, "r-1", slots=self._slots, capacity=CAPACITY)
        copies = [os.dup(descriptor) for descriptor in self._share.descriptors]
        await self._share.start()
        self._room = SharedDetector.inherited(",".join(map(str, (CAPACITY, *copies))))
        await self._room.start()

    async def aclose(self) -> None:
        if self._room is not None:
            await self._room.aclose()
        if self._share is not None:
            await self._share.aclose()
        await self._workers.aclose()

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(self, *exc: object) -> None:
        await self.aclose()

    async def detect(
        self, sample: Sample, memory: Memory | None, deadline: float | None = None, *, source: str
    ) -> Detection:
        assert self._room is not None
        return await self._room.detect(sample, memory, deadline, source=source)

    def stats(self) -> DetectorStats:
        assert self._room is not None
        return self._room.stats()


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
