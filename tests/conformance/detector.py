"""What every Detector must do, of threads or processes. Subclasses say how one is made."""

import asyncio
import time
from abc import ABC, abstractmethod
from collections import Counter
from collections.abc import AsyncIterator, Awaitable
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import TypeVar

import pytest

from config.errors import PictureError, SampleDroppedError
from reactions.pipeline import Detection, Memory
from sidecar.inference.detector import Detector, DetectorStats, DroppedSamples, DropReason
from tests.conformance.scripted_pipeline import Script, ScriptFolder, checksum, sample, steps
from tests.sidecar.clients import eventually
from tests.sidecar.leaks import back_to, held

T = TypeVar("T")


def adds_up(stats: DetectorStats) -> bool:
    ended = stats.detected + stats.failed + stats.cancelled + stats.dropped.total
    return stats.submitted == stats.waiting + stats.running + ended


class DetectorConformance(ABC):
    """Tests of a detector with one or two workers that run ScriptedPipelines."""

    @pytest.fixture
    def scripts(self, tmp_path: Path) -> ScriptFolder:
        return ScriptFolder(tmp_path)

    @abstractmethod
    def make(self, scripts: ScriptFolder, workers: int = 1) -> Detector:
        """A detector that is not started."""

    @asynccontextmanager
    async def occupied(self, scripts: ScriptFolder) -> AsyncIterator[Detector]:
        """A detector whose only worker has sample 255, of a source of its own."""
        async with (
            asyncio.timeout(60),
            self.make(scripts) as detector,
            asyncio.TaskGroup() as group,
        ):
            group.create_task(detector.detect(sample(Script.WAIT, 255), None, source="busy"))
            await eventually(lambda: scripts.begun() == [255])
            yield detector
            scripts.release(255)

    async def test_the_pixels_arrive_as_they_are(self, scripts: ScriptFolder) -> None:
        async with self.make(scripts) as detector:
            for number, size in enumerate([(640, 360), (360, 640), (1, 1), (640, 640), (320, 180)]):
                sent = sample(Script.ANSWER, number, size)
                detection = await detector.detect(sent, None, source="ada")
                assert [score.score for score in detection.scores] == [checksum(sent.pixels)]

    async def test_landmarks_come_where_the_sample_asks_for_them(
        self, scripts: ScriptFolder
    ) -> None:
        async with self.make(scripts) as detector:
            for asked in (True, False):
                sent = replace(sample(Script.ANSWER), landmarks=asked)
                detection = await detector.detect(sent, None, source="ada")
                assert (detection.landmarks is not None) is asked

    async def test_a_view_of_other_pixels_arrives_as_it_looks(self, scripts: ScriptFolder) -> None:
        whole = sample(Script.ANSWER, 7, (640, 360))
        whole.pixels[0, 320] = Script.ANSWER, 7, 0
        part = type(whole)(whole.pixels[::2, 320:], 0.0)
        async with self.make(scripts) as detector:
            detection = await detector.detect(part, None, source="ada")
        assert detection.scores[0].score == checksum(part.pixels)

    async def test_memory_travels_with_the_samples(self, scripts: ScriptFolder) -> None:
        memory: Memory | None = None
        async with self.make(scripts, workers=2) as detector:
            for number in range(4):
                shown = sample(Script.ANSWER, number)
                memory = (await detector.detect(shown, memory, source="ada")).memory
            other = await detector.detect(sample(Script.ANSWER), None, source="bob")
        assert steps(memory) == 4
        assert steps(other.memory) == 1

    async def test_the_newest_sample_of_a_source_replaces_the_one_that_waits(
        self, scripts: ScriptFolder
    ) -> None:
        async with self.occupied(scripts) as detector, asyncio.TaskGroup() as group:
            old = group.create_task(
                dropped(detector.detect(sample(Script.ANSWER, 1), None, source="ada"))
            )
            await eventually(lambda: detector.stats().waiting == 1)
            new = group.create_task(detector.detect(sample(Script.ANSWER, 2), None, source="ada"))
            assert await old == DropReason.REPLACED
            scripts.release(255)
            await new
            assert detector.stats().dropped == DroppedSamples(replaced=1)
        assert scripts.begun() == [255, 2]

    async def test_a_sample_is_dropped_at_its_deadline(self, scripts: ScriptFolder) -> None:
        async with self.occupied(scripts) as detector:
            late = detector.detect(
                sample(Script.ANSWER, 1), None, time.monotonic() + 0.02, source="ada"
            )
            assert await dropped(late) == DropReason.EXPIRED
            assert detector.stats().running == 1
            assert detector.stats().dropped == DroppedSamples(expired=1)
        assert scripts.begun() == [255]

    async def test_a_sample_that_comes_too_late_is_not_detected(
        self, scripts: ScriptFolder
    ) -> None:
        async with self.make(scripts) as detector:
            late = detector.detect(sample(Script.ANSWER), None, time.monotonic() - 1, source="ada")
            assert await dropped(late) == DropReason.EXPIRED
        assert scripts.begun() == []

    async def test_a_sample_that_has_begun_is_finished_after_its_deadline(
        self, scripts: ScriptFolder
    ) -> None:
        async with self.make(scripts) as detector, asyncio.TaskGroup() as group:
            deadline = time.monotonic() + 30
            begun = group.create_task(
                detector.detect(sample(Script.WAIT, 1), None, deadline, source="ada")
            )
            await eventually(lambda: scripts.begun() == [1])
            scripts.release(1)
            assert (await begun).scores

    async def test_a_cancelled_call_that_waits_is_not_detected(self, scripts: ScriptFolder) -> None:
        async with self.occupied(scripts) as detector:
            waiting = asyncio.create_task(
                detector.detect(sample(Script.ANSWER, 1), None, source="ada")
            )
            await eventually(lambda: detector.stats().waiting == 1)
            await cancelled(waiting)
            assert detector.stats().waiting == 0
            scripts.release(255)
            await detector.detect(sample(Script.ANSWER, 2), None, source="ada")
            assert detector.stats().cancelled == 1
        assert scripts.begun() == [255, 2]

    async def test_a_cancelled_call_that_runs_leaves_the_worker_usable(
        self, scripts: ScriptFolder
    ) -> None:
        async with self.make(scripts) as detector:
            running = asyncio.create_task(
                detector.detect(sample(Script.WAIT, 1), None, source="ada")
            )
            await eventually(lambda: scripts.begun() == [1])
            await cancelled(running)
            assert detector.stats().running == 0
            scripts.release(1)
            detection = await detector.detect(sample(Script.ANSWER, 2), None, source="ada")
            assert detection.scores[0].score == checksum(sample(Script.ANSWER, 2).pixels)
            assert (detector.stats().cancelled, detector.stats().detected) == (1, 1)

    async def test_samples_of_one_source_are_detected_one_after_another(
        self, scripts: ScriptFolder
    ) -> None:
        async with self.make(scripts, workers=2) as detector, asyncio.TaskGroup() as group:
            first = detector.detect(sample(Script.WAIT, 1), None, source="ada")
            group.create_task(first)
            await eventually(lambda: scripts.begun() == [1])
            second = group.create_task(
                detector.detect(sample(Script.ANSWER, 2), None, source="ada")
            )
            await detector.detect(sample(Script.ANSWER, 3), None, source="bob")
            assert scripts.begun() == [1, 3]
            scripts.release(1)
            await second
        assert scripts.begun() == [1, 3, 2]

    async def test_two_workers_detect_at_the_same_time(self, scripts: ScriptFolder) -> None:
        async with self.make(scripts, workers=2) as detector, asyncio.TaskGroup() as group:
            for number in (1, 2):
                call = detector.detect(sample(Script.WAIT, number), None, source=str(number))
                group.create_task(call)
            await eventually(lambda: sorted(scripts.begun()) == [1, 2])
            assert (detector.stats().workers, detector.stats().running) == (2, 2)
            scripts.release(1)
            scripts.release(2)

    async def test_a_source_that_submits_much_gets_no_more_than_the_others(
        self, scripts: ScriptFolder
    ) -> None:
        rounds = 12

        async def modest(number: int) -> None:
            for _ in range(rounds):
                await detector.detect(sample(Script.ANSWER, number), None, source=str(number))

        async def greedy() -> None:
            while True:
                call = dropped(detector.detect(sample(Script.ANSWER, 9), None, source="9"))
                calls.add(task := asyncio.create_task(call))
                task.add_done_callback(calls.discard)
                await asyncio.sleep(0)

        calls: set[asyncio.Task[DropReason | None]] = set()
        async with self.occupied(scripts) as detector:
            flood = asyncio.create_task(greedy())
            others = asyncio.gather(*(modest(number) for number in (1, 2, 3)))
            await eventually(lambda: detector.stats().waiting == 4)
            scripts.release(255)
            await others
            await cancelled(flood)
            await asyncio.gather(*calls)
        served = Counter(scripts.begun()[1 : 1 + 3 * rounds])
        assert served.keys() == {1, 2, 3, 9}
        assert max(served.values()) - min(served.values()) <= 2

    async def test_an_exception_reaches_its_caller_alone(self, scripts: ScriptFolder) -> None:
        async with self.occupied(scripts) as detector, asyncio.TaskGroup() as group:
            good = group.create_task(detector.detect(sample(Script.ANSWER, 1), None, source="a"))
            bad = group.create_task(
                failed(detector.detect(sample(Script.RAISE, 2), None, source="b"))
            )
            scripts.release(255)
            error = await bad
            assert isinstance(error, PictureError)
            assert (error.what, error.where, error.do) == ("bad sample 2", "here", "try another")
            assert (await good).scores
            await detector.detect(sample(Script.ANSWER, 3), None, source="b")
            assert (detector.stats().failed, detector.stats().workers) == (1, 1)

    async def test_any_exception_of_the_pipeline_says_what_went_wrong(
        self, scripts: ScriptFolder
    ) -> None:
        async with self.make(scripts) as detector:
            error = await failed(detector.detect(sample(Script.RAISE_LOCAL, 4), None, source="ada"))
            assert "bad sample 4" in str(error)
            await detector.detect(sample(Script.ANSWER), None, source="ada")

    async def test_closing_ends_every_call(self, scripts: ScriptFolder) -> None:
        detector = self.make(scripts)
        await detector.start()
        running = asyncio.create_task(
            dropped(detector.detect(sample(Script.WAIT, 1), None, source="ada"))
        )
        await eventually(lambda: scripts.begun() == [1])
        waiting = asyncio.create_task(
            dropped(detector.detect(sample(Script.ANSWER, 2), None, source="bob"))
        )
        await eventually(lambda: detector.stats().waiting == 1)
        closing = asyncio.create_task(detector.aclose())
        assert await running == DropReason.CLOSED
        assert await waiting == DropReason.CLOSED
        scripts.release(1)
        await closing
        await detector.aclose()
        assert detector.stats().dropped == DroppedSamples(closed=2)
        assert scripts.begun() == [1]

    async def test_a_closed_detector_drops_what_comes(self, scripts: ScriptFolder) -> None:
        async with self.make(scripts) as detector:
            pass
        call = detector.detect(sample(Script.ANSWER), None, source="ada")
        assert await dropped(call) == DropReason.CLOSED

    async def test_a_pipeline_that_does_not_load_is_an_error_at_the_start(
        self, scripts: ScriptFolder
    ) -> None:
        scripts.break_loading()
        detector = self.make(scripts, workers=2)
        with pytest.raises(PictureError, match=r"palm\.tflite: is missing \(fetch it\)") as caught:
            await detector.start()
        assert caught.value.where == "palm.tflite"

    async def test_nothing_is_left_after_closing(self, scripts: ScriptFolder) -> None:
        async def once() -> None:
            async with self.make(scripts, workers=2) as detector:
                await detector.detect(sample(Script.ANSWER, 1), None, source="ada")
                call = detector.detect(sample(Script.WAIT, 2), None, source="ada")
                running = asyncio.create_task(dropped(call))
                await eventually(lambda: 2 in scripts.begun())
                scripts.release(2)
            await running

        await once()  # What the event loop keeps for next time.
        before = held()
        for _ in range(3):
            await once()
        await back_to(before)

    async def test_the_numbers_add_up(self, scripts: ScriptFolder) -> None:
        async with self.occupied(scripts) as detector, asyncio.TaskGroup() as group:
            for number, script in enumerate(2 * [Script.ANSWER, Script.RAISE]):
                call = detector.detect(sample(script, number), None, source=str(number % 3))
                group.create_task(ended(call))
            await eventually(lambda: detector.stats().submitted == 5)
            stats = detector.stats()
            assert (stats.running, stats.waiting, stats.begun) == (1, 3, 1)
            assert stats.oldest is not None
            assert adds_up(stats)
            scripts.release(255)
            await eventually(lambda: detector.stats().waiting + detector.stats().running == 0)
            stats = detector.stats()
            assert (stats.detected, stats.failed, stats.dropped.replaced) == (2, 2, 1)
            assert adds_up(stats)
            assert stats.waited > 0
            assert stats.oldest is None


async def dropped(call: Awaitable[Detection]) -> DropReason | None:
    """Why a call was dropped; None where it was answered."""
    try:
        await call
    except SampleDroppedError as error:
        return DropReason(error.reason)
    return None


async def failed(call: Awaitable[Detection]) -> Exception:
    """The exception that a call raised."""
    [result] = await asyncio.gather(call, return_exceptions=True)
    assert isinstance(result, Exception)
    return result


async def ended(call: Awaitable[Detection]) -> None:
    """Wait for a call, however it ends."""
    await asyncio.gather(call, return_exceptions=True)


async def cancelled(task: asyncio.Task[T]) -> None:
    """Cancel ``task`` and wait for its end."""
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
