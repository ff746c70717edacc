"""Calls that may block for ever."""

import asyncio
import subprocess
import sys
import textwrap
import threading

import pytest

from sidecar.cluster.blocking_calls import BlockingCalls
from tests.sidecar.clients import eventually


async def test_a_call_gives_its_result_or_raises() -> None:
    calls = BlockingCalls(2, "test")
    assert await calls.run(int, "7") == 7
    assert await calls.run(int, "11", base=2) == 3
    with pytest.raises(ValueError, match="invalid literal"):
        await calls.run(int, "seven")


async def test_so_many_calls_run_at_once_and_one_that_is_given_up_counts_until_it_ends() -> None:
    calls, go, begun = BlockingCalls(2, "test"), threading.Event(), list[int]()

    def call(number: int) -> int:
        begun.append(number)
        assert go.wait(60)
        return number

    first, second, third = (asyncio.create_task(calls.run(call, n)) for n in range(3))
    await eventually(lambda: len(begun) == 2)
    first.cancel()
    with pytest.raises(asyncio.CancelledError):
        await first
    assert begun == [0, 1]
    go.set()
    assert [await second, await third] == [1, 2]


def test_a_call_that_never_returns_keeps_no_process_from_ending() -> None:
    script = """
        import asyncio, threading
        from sidecar.cluster.blocking_calls import BlockingCalls
        async def main():
            try:
                async with asyncio.timeout(0.01):
                    await BlockingCalls(1, "test").run(threading.Event().wait)
            except TimeoutError:
                print("given up")
        asyncio.run(main())
    """
    ended = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(script)], capture_output=True, text=True, timeout=60
    )
    assert (ended.stdout, ended.returncode) == ("given up\n", 0)
