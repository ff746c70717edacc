"""What the fuzzer counts as a fault."""

import asyncio
import itertools
import sys
from collections.abc import Iterator
from pathlib import Path
from random import Random

import pytest

from tests.fuzz import runner
from tests.fuzz.runner import run_targets
from tests.fuzz.target import FuzzTarget


def numbers(random: Random) -> Iterator[int]:
    return itertools.count()


def leave_a_failed_task(number: int) -> bool:
    """Refuse each input; a task of every other one fails, and no one awaits it."""

    async def run() -> None:
        async def fail() -> None:
            raise LookupError("no one asked")

        task = asyncio.ensure_future(fail())
        await asyncio.wait([task])

    if number % 2:
        asyncio.run(run())
    return False


@pytest.mark.skipif(sys.platform != "linux", reason="this system has no such thing")
def test_an_exception_of_a_task_that_is_not_awaited_is_a_fault(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(runner, "FOUND", tmp_path)
    target = FuzzTarget("left-tasks", numbers, leave_a_failed_task, megabytes=1024)
    (count,) = run_targets([target], seed=1, seconds=30.0, most=9)
    assert count.faults == 3
    (kept,) = tmp_path.iterdir()
    assert kept.read_bytes() == b"1"
    assert "LookupError('no one asked')" in capsys.readouterr().out
