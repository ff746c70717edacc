"""The system's clock is set while a supervisor runs."""

import time

import pytest

from sidecar.supervisor.event_log import EventRecord
from sidecar.supervisor.values import RoomState
from tests.sidecar.clients import eventually
from tests.sidecar.supervisor.world import REQUEST, World, live


@pytest.mark.parametrize("jump", [3600.0, -3600.0], ids=["forward", "back"])
async def test_rooms_restarts_admission_and_event_numbers_do_not_follow_the_system_s_clock(
    monkeypatch: pytest.MonkeyPatch, jump: float
) -> None:
    world, records = World(), list[EventRecord]()
    async with world.running() as supervisor:
        supervisor.events.subscribe(records.append)
        made = await live(supervisor)
        load = supervisor.admission.load(supervisor.now)
        system = time.time
        monkeypatch.setattr(time, "time", lambda: system() + jump)
        assert supervisor.room(made.id).idle() is None
        world.handles[0].die()
        await eventually(lambda: len(world.handles) == 2)
        room = supervisor.room(made.id)
        await eventually(lambda: room.state is RoomState.LIVE)
        assert room.view().restarts == 1
        assert supervisor.admission.load(supervisor.now) == load
        other, new = await supervisor.create(REQUEST)
        assert (new, other.id) != (False, made.id)
    numbers = [record.number for record in records]
    assert len(numbers) > 2
    assert numbers == list(range(numbers[0], numbers[0] + len(numbers)))
