"""Detection in processes of their own, and what becomes of it when they die or hang."""

import asyncio
import os
import signal
import subprocess
import sys
import textwrap
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import numpy as np
import psutil
import pytest
from structlog.testing import capture_logs

from config.errors import InferenceError, PictureError
from reactions.landmark_types import Sample
from sidecar.aio import Backoff
from sidecar.inference.detector import Detector, DroppedSamples, DropReason
from sidecar.inference.processes import ProcessDetector
from sidecar.inference.worker_process import WorkerLimits, WorkerProcess
from tests.conformance.detector import DetectorConformance, dropped, failed
from tests.conformance.scripted_pipeline import Script, ScriptFolder, sample, steps
from tests.sidecar.clients import eventually

IMPATIENT = WorkerLimits(ping_every=0.1, answer=0.5)
SOON = WorkerLimits(restarts=Backoff(first=0.01, longest=0.01))


class TestProcessDetector(DetectorConformance):
    def make(self, scripts: ScriptFolder, workers: int = 1) -> Detector:
        return ProcessDetector(scripts.load, workers=workers)


@pytest.fixture
def scripts(tmp_path: Path) -> ScriptFolder:
    return ScriptFolder(tmp_path)


@asynccontextmanager
async def running(
    scripts: ScriptFolder, *, workers: int = 1, limits: WorkerLimits | None = None
) -> AsyncIterator[ProcessDetector]:
    async with (
        asyncio.timeout(60),
        ProcessDetector(scripts.load, workers=workers, limits=limits) as detector,
    ):
        yield detector


def alive(pid: int) -> bool:
    """Whether the process runs; a zombie does not."""
    try:
        return psutil.Process(pid).status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


async def test_a_killed_worker_takes_its_sample_with_it_and_nothing_else(
    scripts: ScriptFolder,
) -> None:
    async with running(scripts) as detector, asyncio.TaskGroup() as group:
        lost = group.create_task(
            dropped(detector.detect(sample(Script.WAIT, 1), None, source="ada"))
        )
        await eventually(lambda: scripts.begun() == [1])
        kept = group.create_task(detector.detect(sample(Script.ANSWER, 2), None, source="bob"))
        await eventually(lambda: detector.stats().waiting == 1)
        os.kill(detector.pids[0], signal.SIGKILL)
        assert await lost == DropReason.WORKER_LOST
        assert (await kept).scores
        stats = detector.stats()
        assert stats.dropped == DroppedSamples(worker_lost=1)
        assert (stats.restarts, stats.detected, stats.workers) == (1, 1, 1)


async def test_the_other_worker_goes_on_while_one_is_replaced(scripts: ScriptFolder) -> None:
    async with running(scripts, workers=2) as detector:
        first, second = detector.pids
        os.kill(first, signal.SIGKILL)
        await eventually(lambda: first not in detector.pids)
        await detector.detect(sample(Script.ANSWER), None, source="ada")
        await eventually(lambda: detector.stats().restarts == 1)
        assert second in detector.pids
        assert first not in detector.pids


async def test_memory_survives_the_worker(scripts: ScriptFolder) -> None:
    async with running(scripts) as detector:
        before = await detector.detect(sample(Script.ANSWER), None, source="ada")
        call = detector.detect(sample(Script.DIE), before.memory, source="ada")
        assert await dropped(call) == DropReason.WORKER_LOST
        after = await detector.detect(sample(Script.ANSWER), before.memory, source="ada")
        assert steps(after.memory) == 2


async def test_an_idle_worker_that_is_killed_is_replaced(scripts: ScriptFolder) -> None:
    async with running(scripts) as detector:
        os.kill(detector.pids[0], signal.SIGKILL)
        await eventually(lambda: detector.stats().restarts == 1)
        await detector.detect(sample(Script.ANSWER), None, source="ada")


async def test_a_worker_that_takes_too_long_is_killed(scripts: ScriptFolder) -> None:
    async with running(scripts, limits=IMPATIENT) as detector:
        hanging = detector.detect(sample(Script.WAIT), None, source="ada")
        assert await dropped(hanging) == DropReason.WORKER_LOST
        await detector.detect(sample(Script.ANSWER), None, source="ada")


async def test_an_idle_worker_that_does_not_answer_is_killed(scripts: ScriptFolder) -> None:
    async with running(scripts, limits=IMPATIENT) as detector:
        pid = detector.pids[0]
        os.kill(pid, signal.SIGSTOP)
        await eventually(lambda: detector.stats().restarts == 1)
        assert not alive(pid)
        await detector.detect(sample(Script.ANSWER), None, source="ada")


async def test_a_ping_is_answered_by_an_idle_worker(scripts: ScriptFolder) -> None:
    process = WorkerProcess(scripts.load, WorkerLimits(), lambda outcome: None)
    await process.start()
    try:
        process.ping()
        assert process.unanswered > 0
        await eventually(lambda: process.unanswered == 0)
        assert process.ready
    finally:
        await process.aclose()


async def test_workers_that_die_at_every_sample_are_replaced_each_time(
    scripts: ScriptFolder,
) -> None:
    async with running(scripts, limits=SOON) as detector:
        for _ in range(3):
            call = detector.detect(sample(Script.DIE), None, source="ada")
            assert await dropped(call) == DropReason.WORKER_LOST
        await eventually(lambda: detector.stats().restarts == 3)
        assert detector.stats().dropped == DroppedSamples(worker_lost=3)


async def test_a_worker_that_can_not_be_replaced_is_tried_again(scripts: ScriptFolder) -> None:
    async with running(scripts, limits=SOON) as detector:
        scripts.break_loading()
        os.kill(detector.pids[0], signal.SIGKILL)
        await eventually(lambda: detector.stats().workers == 0)
        call = detector.detect(sample(Script.ANSWER), None, source="ada")
        waiting = asyncio.create_task(call)
        await eventually(lambda: detector.stats().waiting == 1)
        scripts.mend_loading()
        assert (await waiting).scores


async def test_a_process_that_does_not_get_ready_in_time_is_an_error(
    scripts: ScriptFolder,
) -> None:
    limits = WorkerLimits(start=0.01)
    with pytest.raises(InferenceError, match=r"inference worker not ready within 0\.01 s"):
        await ProcessDetector(scripts.load, limits=limits).start()


async def test_a_detection_that_can_not_be_sent_fails_alone(scripts: ScriptFolder) -> None:
    async with running(scripts) as detector:
        error = await failed(detector.detect(sample(Script.UNSENDABLE), None, source="ada"))
        assert "pickle" in str(error)
        await detector.detect(sample(Script.ANSWER), None, source="ada")


async def test_an_exception_says_where_in_the_worker_it_was_raised(
    scripts: ScriptFolder,
) -> None:
    async with running(scripts) as detector:
        error = await failed(detector.detect(sample(Script.RAISE, 1), None, source="ada"))
    [note] = error.__notes__
    assert "scripted_pipeline.py" in note


async def test_a_sample_that_does_not_fit_is_refused(scripts: ScriptFolder) -> None:
    large = Sample(np.zeros((1080, 1920, 3), np.uint8), 0.0)
    async with running(scripts) as detector:
        with pytest.raises(ValueError, match="a sample of 1920x1080 exceeds 1228800 bytes"):
            await detector.detect(large, None, source="ada")
        await detector.detect(sample(Script.ANSWER), None, source="ada")


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
async def test_a_signal_to_all_processes_leaves_the_workers_to_their_parent(
    scripts: ScriptFolder, number: signal.Signals
) -> None:
    async with running(scripts) as detector:
        pid = detector.pids[0]
        assert os.getpgid(pid) != os.getpgid(0)
        os.kill(pid, number)
        await detector.detect(sample(Script.ANSWER), None, source="ada")
        assert detector.pids == (pid,)


async def test_no_process_is_left_after_closing(scripts: ScriptFolder) -> None:
    async with running(scripts, workers=2) as detector:
        pids = detector.pids
        assert all(alive(pid) for pid in pids)
    children = psutil.Process().children()
    assert not {child.pid for child in children} & set(pids)


async def test_closing_while_a_worker_is_being_replaced_leaves_none(
    scripts: ScriptFolder,
) -> None:
    before = set(psutil.Process().children())
    async with running(scripts) as detector:
        os.kill(detector.pids[0], signal.SIGKILL)
        await eventually(lambda: not detector.pids)
    await eventually(lambda: set(psutil.Process().children()) <= before)


PARENT = """
    import asyncio, sys
    from pathlib import Path
    from sidecar.inference.processes import ProcessDetector
    from tests.conformance.scripted_pipeline import Script, ScriptFolder, sample

    async def main():
        scripts = ScriptFolder(Path(sys.argv[1]))
        async with ProcessDetector(scripts.load, workers=2) as detector:
            busy = detector.detect(sample(Script.WAIT, 1), None, source="ada")
            task = asyncio.create_task(busy)
            await asyncio.sleep(0)
            print(*detector.pids, flush=True)
            await task

    asyncio.run(main())
"""


def test_workers_end_with_their_parent_also_while_they_are_busy(scripts: ScriptFolder) -> None:
    root = Path(__file__).parents[3]
    with subprocess.Popen(
        [sys.executable, "-c", textwrap.dedent(PARENT), str(scripts.folder)],
        stdout=subprocess.PIPE,
        text=True,
        cwd=root,
    ) as parent:
        assert parent.stdout is not None
        pids = [int(pid) for pid in parent.stdout.readline().split()]
        workers = [psutil.Process(pid) for pid in pids]
        assert len(workers) == 2
        parent.kill()
    gone, left = psutil.wait_procs(workers, timeout=10)
    assert (len(gone), left) == (2, [])


async def test_workers_give_way_to_the_event_loop(scripts: ScriptFolder) -> None:
    async with running(scripts, limits=WorkerLimits(niceness=3)) as detector:
        assert os.getpriority(os.PRIO_PROCESS, detector.pids[0]) == min(19, os.nice(0) + 3)


async def test_a_supervision_that_fails_begins_again(
    scripts: ScriptFolder, monkeypatch: pytest.MonkeyPatch
) -> None:
    close = WorkerProcess.aclose
    failures = [OSError("no more descriptors")]

    async def close_badly(process: WorkerProcess) -> str:
        how = await close(process)
        if failures:
            raise failures.pop()
        return how

    async with running(scripts, limits=SOON) as detector:
        monkeypatch.setattr(WorkerProcess, "aclose", close_badly)
        with capture_logs() as logs:
            os.kill(detector.pids[0], signal.SIGKILL)
            await eventually(lambda: not failures and detector.stats().workers == 1)
        assert (await detector.detect(sample(Script.ANSWER), None, source="ada")).scores
    failed = [log["reason"] for log in logs if log["event"] == "task failed"]
    assert failed == ["OSError('no more descriptors')"]


async def test_workers_load_other_models_without_dropping_a_sample(
    scripts: ScriptFolder, tmp_path: Path
) -> None:
    other = ScriptFolder(tmp_path / "other")
    other.folder.mkdir()
    async with ProcessDetector(scripts.load, workers=2) as detector:
        before = detector.pids
        replacing = asyncio.create_task(detector.replace(other.load))
        sent = 0
        while not replacing.done():
            await detector.detect(sample(Script.ANSWER, sent % 200), None, source=f"p{sent % 3}")
            sent += 1
        await replacing
        after = len(other.begun())
        await detector.detect(sample(Script.ANSWER, 201), None, source="p")
        assert other.begun()[after:] == [201]
        assert 201 not in scripts.begun()
        assert detector.pids == before
        stats = detector.stats()
        assert (stats.dropped.total, stats.failed, stats.detected) == (0, 0, sent + 1)
        assert (stats.restarts, stats.workers) == (0, 2)


async def test_a_busy_worker_answers_before_it_loads_other_models(
    scripts: ScriptFolder, tmp_path: Path
) -> None:
    other = ScriptFolder(tmp_path / "other")
    other.folder.mkdir()
    async with ProcessDetector(scripts.load) as detector:
        busy = asyncio.create_task(detector.detect(sample(Script.WAIT, 1), None, source="a"))
        await eventually(lambda: scripts.begun() == [1])
        replacing = asyncio.create_task(detector.replace(other.load))
        await asyncio.sleep(0.2)
        assert detector.stats().workers == 1
        scripts.release(1)
        await busy
        await replacing
        await detector.detect(sample(Script.ANSWER, 2), None, source="a")
        assert (scripts.begun(), other.begun()) == ([1], [2])
        assert detector.stats().dropped.total == 0


async def test_a_worker_that_ends_while_it_loads_comes_back_with_the_models_before(
    scripts: ScriptFolder, tmp_path: Path
) -> None:
    deadly = ScriptFolder(tmp_path / "deadly")
    async with ProcessDetector(scripts.load, workers=2) as detector:
        before = detector.pids
        with pytest.raises(InferenceError, match="ended while it loaded"):
            await detector.replace(deadly.die_loading)
        # The other worker was not touched.
        assert detector.pids[-1] == before[1]
        await eventually(lambda: len(detector.pids) == 2)
        for number in (5, 6):
            await detector.detect(sample(Script.ANSWER, number), None, source="a")
        assert scripts.begun() == [5, 6]
        assert detector.stats().dropped.total == 0


async def test_workers_that_have_loaded_other_models_go_back_where_another_can_t(
    scripts: ScriptFolder, tmp_path: Path
) -> None:
    other = ScriptFolder(tmp_path / "other")
    other.folder.mkdir()
    async with ProcessDetector(scripts.load, workers=2) as detector:
        before = detector.pids
        with pytest.raises(PictureError):
            await detector.replace(other.load_once)
        async with asyncio.TaskGroup() as group:
            for number in range(8):
                call = detector.detect(sample(Script.ANSWER, number), None, source=f"p{number}")
                group.create_task(call)
        assert sorted(scripts.begun()) == list(range(8))
        assert (detector.pids, other.begun()) == (before, [])


async def test_a_worker_may_load_models_for_longer_than_it_may_take_for_an_answer(
    scripts: ScriptFolder,
) -> None:
    limits = WorkerLimits(ping_every=0.05, answer=0.2)
    async with ProcessDetector(scripts.load, limits=limits) as detector:
        before = detector.pids
        await detector.replace(scripts.load_slowly)
        assert detector.pids == before
        assert (await detector.detect(sample(Script.ANSWER), None, source="a")).scores


async def test_a_pipeline_that_can_t_be_loaded_replaces_nothing(
    scripts: ScriptFolder, tmp_path: Path
) -> None:
    broken = ScriptFolder(tmp_path / "broken-one")
    broken.folder.mkdir()
    broken.break_loading()
    async with ProcessDetector(scripts.load) as detector:
        with pytest.raises(PictureError):
            await detector.replace(broken.load)
        await detector.detect(sample(Script.ANSWER, 7), None, source="a")
        assert scripts.begun() == [7]


async def test_a_worker_with_too_much_memory_is_started_again_between_two_samples(
    scripts: ScriptFolder, monkeypatch: pytest.MonkeyPatch
) -> None:
    sizes = [0]
    monkeypatch.setattr(WorkerProcess, "resident", property(lambda _: sizes[0]))
    limits = WorkerLimits(ping_every=0.05, restarts=SOON.restarts, memory=10 << 20)
    with capture_logs() as logs:
        async with running(scripts, limits=limits) as detector:
            (before,) = detector.pids
            busy = asyncio.create_task(detector.detect(sample(Script.WAIT, 1), None, source="a"))
            await eventually(lambda: scripts.begun() == [1])
            sizes[0] = 11 << 20
            await asyncio.sleep(0.3)
            assert detector.pids == (before,)
            scripts.release(1)
            await busy
            await eventually(lambda: before not in detector.pids)
            sizes[0] = 0
            await detector.detect(sample(Script.ANSWER, 2), None, source="a")
            assert detector.stats().dropped.total == 0
    lost = [log["reason"] for log in logs if log["event"] == "inference worker lost"]
    assert lost[0] == "it used 11 MiB"


async def test_a_worker_with_much_memory_is_a_warning_once(scripts: ScriptFolder) -> None:
    limits = WorkerLimits(ping_every=0.05, memory_warn=1)
    with capture_logs() as logs:
        async with running(scripts, limits=limits) as detector:
            await asyncio.sleep(0.5)
            assert detector.stats().restarts == 0
    assert [log["event"] for log in logs].count("inference worker memory high") == 1
