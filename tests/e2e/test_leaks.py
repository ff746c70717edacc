"""Participants who left leave no task, thread or descriptor."""

import pytest

from tests.e2e.conftest import SessionHandle
from tests.servers.soak import JOINS
from tests.sidecar.clients import ColourTrack, eventually
from tests.sidecar.leaks import back_to, settled

pytestmark = [pytest.mark.models, pytest.mark.soak]


async def test_rounds_leave_no_task_thread_or_descriptor_behind(
    meeting: SessionHandle,
) -> None:
    async def come_and_go() -> None:
        async with meeting.camera("Guest", ColourTrack()) as client:
            async with meeting.watched():
                seen = meeting.frames
                await eventually(lambda: meeting.frames > seen)
                await eventually(lambda: len(meeting.session.stats().participants) == 1)
            async with meeting.http.delete(client.url) as answer:
                assert answer.status == 200
        await eventually(lambda: not meeting.session.stats().participants)
        await eventually(lambda: meeting.session.stats().viewers == 0)

    await come_and_go()
    before = await settled()
    for _ in range(JOINS):
        await come_and_go()
    await back_to(before)
