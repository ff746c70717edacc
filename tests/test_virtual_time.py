"""The clock of the tests."""

import asyncio
import threading

import pytest

from tests.virtual_time import VirtualTimeLoop


async def sleep_for_a_day() -> float:
    loop = asyncio.get_running_loop()
    began = loop.time()
    await asyncio.sleep(86400)
    return loop.time() - began


def test_a_day_passes_at_once() -> None:
    with asyncio.Runner(loop_factory=VirtualTimeLoop) as runner:
        assert runner.run(sleep_for_a_day()) == pytest.approx(86400)


def test_timers_fire_in_their_order() -> None:
    async def main() -> list[int]:
        fired: list[int] = []

        async def fire(after: int) -> None:
            await asyncio.sleep(after)
            fired.append(after)

        await asyncio.gather(*(fire(seconds) for seconds in (30, 10, 20)))
        return fired

    with asyncio.Runner(loop_factory=VirtualTimeLoop) as runner:
        assert runner.run(main()) == [10, 20, 30]


def test_a_timeout_takes_its_virtual_seconds() -> None:
    async def main() -> float:
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(60):
                await asyncio.Event().wait()
        return asyncio.get_running_loop().time()

    with asyncio.Runner(loop_factory=VirtualTimeLoop) as runner:
        assert runner.run(main()) == pytest.approx(60)


def test_work_in_threads_takes_no_virtual_time() -> None:
    async def main() -> float:
        go = threading.Event()
        threading.Timer(0.05, go.set).start()
        ticking = asyncio.create_task(asyncio.sleep(3600))
        await asyncio.to_thread(go.wait, 10)
        now = asyncio.get_running_loop().time()
        ticking.cancel()
        return now

    with asyncio.Runner(loop_factory=VirtualTimeLoop) as runner:
        assert runner.run(main()) == 0


@pytest.mark.parametrize("seconds", [0.1, 1.0])
def test_a_clock_of_the_loop_agrees_with_its_sleeps(seconds: float) -> None:
    async def main() -> float:
        clock = asyncio.get_running_loop().time
        began = clock()
        for _ in range(10):
            await asyncio.sleep(seconds)
        return clock() - began

    with asyncio.Runner(loop_factory=VirtualTimeLoop) as runner:
        assert runner.run(main()) == pytest.approx(10 * seconds)
