"""Calls that may never return, away from the event loop."""

import asyncio
import functools
import threading

import pytest

from sidecar.sinks.background_thread import BACKLOG, BackgroundThread


async def test_calls_run_in_order_on_one_thread() -> None:
    thread, ran = BackgroundThread("test"), list[object]()
    await thread.start()
    for number in range(3):
        thread.post(functools.partial(ran.append, number))
    ran.append(await thread.call(lambda: threading.current_thread().name))
    assert ran == [0, 1, 2, "test"]
    assert await thread.aclose()


async def test_what_a_call_raises_is_raised() -> None:
    thread = BackgroundThread("test")
    await thread.start()
    with pytest.raises(ZeroDivisionError):
        await thread.call(lambda: 1 // 0)
    thread.post(lambda: 1 // 0)
    assert await thread.call(lambda: 5) == 5
    assert await thread.aclose()


async def test_a_call_that_hangs_holds_up_later_calls_alone() -> None:
    thread, go = BackgroundThread("test"), threading.Event()
    await thread.start()
    hanging = asyncio.create_task(thread.call(go.wait))
    later = asyncio.create_task(thread.call(lambda: "later"))
    await asyncio.sleep(0.01)
    hanging.cancel()
    with pytest.raises(asyncio.CancelledError):
        await hanging
    assert not later.done()
    go.set()
    assert await later == "later"
    assert await thread.aclose()


async def test_closing_does_not_wait_for_a_call_that_hangs() -> None:
    thread, go = BackgroundThread("test"), threading.Event()
    await thread.start()
    thread.post(go.wait)
    assert not await thread.aclose(0.01)
    go.set()


async def test_no_more_calls_wait_than_the_backlog() -> None:
    thread, go = BackgroundThread("test"), threading.Event()
    await thread.start()
    hanging = asyncio.create_task(thread.call(go.wait))
    await asyncio.sleep(0.01)
    taken = [thread.post(lambda: None) for _ in range(BACKLOG + 5)]
    assert taken.count(False) >= 4
    go.set()
    await hanging
    assert await thread.aclose()
