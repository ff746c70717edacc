"""What is done about rooms that use too much, and under overload."""

import itertools

from structlog.testing import capture_logs

from sidecar.supervisor.control import ChangeSampling, StatsReport
from sidecar.supervisor.handle import Usage
from sidecar.supervisor.values import RoomState, RoomStats
from tests.sidecar.clients import eventually
from tests.sidecar.supervisor.fake_handle import FakeHandle
from tests.sidecar.supervisor.world import World, live


async def test_a_room_that_uses_too_much_memory_is_restarted() -> None:
    world = World(memory_limit=100 * 2**20)
    async with world.running() as supervisor:
        made = await live(supervisor)
        world.handles[0].used = Usage(0.0, 200 * 2**20)
        await eventually(lambda: len(world.handles) == 2)
        room = supervisor.room(made.id)
        await eventually(lambda: room.state is RoomState.LIVE)
        assert room.view().restarts == 1


async def test_a_room_that_uses_much_memory_is_a_warning_first() -> None:
    world = World(memory_warn=100 * 2**20, memory_limit=300 * 2**20)
    async with world.running() as supervisor:
        made = await live(supervisor)
        with capture_logs() as lines:
            world.handles[0].used = Usage(0.0, 200 * 2**20)
            await eventually(lambda: any(line["event"] == "room memory high" for line in lines))
        assert supervisor.room(made.id).state is RoomState.LIVE
    assert len(world.handles) == 1


async def test_overload_slows_down_sampling_in_every_room() -> None:
    world = World()
    async with world.running() as supervisor:
        await live(supervisor)
        await live(supervisor)
        ticks = itertools.count(100, 100)

        def slowed() -> bool:
            # A tenth of the composite's ticks is late.
            count = next(ticks)
            stats = RoomStats(ticks=count, late_ticks=count // 10)
            world.handles[0].report(StatsReport(stats=stats))
            return supervisor.sampling.factor < 1.0

        await eventually(slowed)
        await eventually(
            lambda: (
                [factors[-1:] for factors in map(sampled, world.handles)]
                == [[supervisor.sampling.factor]] * 2
            )
        )


def sampled(handle: FakeHandle) -> list[float]:
    return [call.factor for call in handle.calls if isinstance(call, ChangeSampling)]
