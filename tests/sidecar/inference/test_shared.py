"""One detector for rooms in other processes: both ends in one process here."""

import asyncio
import contextlib
import os
import pickle
from pathlib import Path
from typing import Self

import pytest

from config.errors import InferenceError
from reactions.landmark_types import Sample
from reactions.pipeline import Detection, Memory
from sidecar.inference.detector import Detector, DetectorStats
from sidecar.inference.messages import MessageDecoder
from sidecar.inference.shared import DetectorShare, SharedDetector
from sidecar.inference.threads import ThreadDetector
from tests.conformance.detector import DetectorConformance
from tests.conformance.scripted_pipeline import Script, ScriptFolder, sample

CAPACITY = 640 * 640 * 3


class Both:
    """A share of a thread detector and the detector of the room at its other end."""

    def __init__(self, scripts: ScriptFolder, workers: int) -> None:
        self._workers = ThreadDetector(scripts.load, workers=workers)
        self._slots = workers
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
