"""Nothing is left of people who came and went."""

import asyncio
import gc
import threading
from pathlib import Path

import pytest

from tests.e2e.conftest import Meeting, PoseTrack
from tests.sidecar.clients import ColourTrack, eventually

pytestmark = pytest.mark.models

ROUNDS = 20


def descriptors() -> int:
    return len(list(Path("/proc/self/fd").iterdir()))


async def test_twenty_rounds_leave_no_task_thread_or_descriptor_behind(
    meeting: Meeting, ada: PoseTrack
) -> None:
    async def come_and_go() -> None:
        async with meeting.camera("Guest", ColourTrack()) as client:
            async with meeting.watched():
                seen = meeting.frames
                await eventually(lambda: meeting.frames > seen, 10)
                await eventually(lambda: len(meeting.session.stats().participants) == 1, 10)
            async with meeting.http.delete(client.url) as answer:
                assert answer.status == 200
        await eventually(lambda: not meeting.session.stats().participants, 10)
        await eventually(lambda: meeting.session.stats().viewers == 0, 10)

    await come_and_go()
    await asyncio.sleep(0.5)
    gc.collect()
    before = len(asyncio.all_tasks()), threading.active_count(), descriptors()
    for _ in range(ROUNDS):
        await come_and_go()

    def settled() -> bool:
        gc.collect()
        now = len(asyncio.all_tasks()), threading.active_count(), descriptors()
        return all(count <= start for count, start in zip(now, before, strict=True))

    await eventually(settled, 10)
