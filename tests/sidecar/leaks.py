"""What this process holds: for tests that show that nothing leaks."""

import asyncio
import gc
import time
from typing import TypeAlias

from tests.sidecar.clients import eventually
from tests.sidecar.media.pictures import descriptors, threads

Held: TypeAlias = tuple[int, int, int]
"""Tasks, threads and descriptors."""


def held() -> Held:
    """What is held now."""
    gc.collect()
    return len(asyncio.all_tasks()), threads(), descriptors()


def no_more_than(before: Held) -> bool:
    """Whether no more is held than before."""
    return all(now <= was for now, was in zip(held(), before, strict=True))


async def back_to(before: Held) -> None:
    """Wait until no more is held than before."""
    await eventually(lambda: no_more_than(before))


async def settled() -> Held:
    """What is held once that has been the same for a second."""
    async with asyncio.timeout(30):
        samples = [held()]
        while len(samples) < 6 or len(set(samples[-6:])) > 1:
            await asyncio.sleep(0.2)
            samples.append(held())
        return samples[-1]


async def warm_up() -> None:
    """Start every thread that the event loop's executor may ever have: it keeps them."""
    await asyncio.gather(*(asyncio.to_thread(time.sleep, 0.1) for _ in range(40)))
