"""Looks at a server's rooms, by a fake of its API."""

from collections import Counter

from livekit.protocol.agent_dispatch import AgentDispatch

from config.errors import RoomError
from sidecar.dispatch.abandoned import AbandonedWatch
from sidecar.dispatch.dispatch_api import DispatchApi, ListedRoom, RoomDispatch, SignOfLife
from sidecar.dispatch.protocol import DispatchedJob
from sidecar.dispatch.room_turns import RoomTurns
from sidecar.dispatch.sweep import DispatchSweep


class FakeApi(DispatchApi):
    """Rooms with a dispatch each, whose watchers live but for those in ``silent``."""

    def __init__(self, rooms: int) -> None:
        self.now = 0.0
        self.rooms_of_server = [ListedRoom(f"r{n}", f"RM_{n}") for n in range(rooms)]
        self.silent: set[str] = set()
        self.failing: set[str] = set()
        self.listed = 0
        self.asked = Counter[str]()

    async def rooms(self) -> list[ListedRoom]:
        self.listed += 1
        self.now += 0.02
        return self.rooms_of_server

    async def dispatches(self, room: str, agent_name: str) -> list[RoomDispatch]:
        self.asked[room] += 1
        if room in self.failing:
            raise RoomError("too busy")
        return [RoomDispatch(f"AD_{room}", room, 1, 1.0, restarts=True, message=AgentDispatch())]

    async def sign(self, room: str, identity: str) -> SignOfLife:
        return SignOfLife(2.0, "last" if room in self.silent else f"{self.now:.0f}")


def sweep_of(api: FakeApi, size: int) -> DispatchSweep:
    turns = RoomTurns(0.25)
    turns.size = size
    return DispatchSweep(api, "agent", AbandonedWatch(), clock=lambda: api.now, turns=turns)


async def looks(
    sweep: DispatchSweep, api: FakeApi, number: int, own: tuple[DispatchedJob, ...] = ()
) -> set[str]:
    """The rooms that so many looks found abandoned, one a second."""
    found = set[str]()
    for _ in range(number):
        api.now += 1.0
        found |= {one.room for one in (await sweep.look(own, 1e9 + api.now)).abandoned}
    return found


async def test_of_many_rooms_those_without_a_server_are_found_and_no_others() -> None:
    api = FakeApi(100)
    api.silent = {"r7", "r93"}
    sweep = sweep_of(api, 20)
    assert await looks(sweep, api, 40) == {"r7", "r93"}
    assert len(api.asked) == 100


async def test_a_room_that_falls_silent_after_its_turn_is_found_at_the_next() -> None:
    api = FakeApi(100)
    sweep = sweep_of(api, 20)
    assert not await looks(sweep, api, 30)
    api.silent = {"r50"}
    assert await looks(sweep, api, 40) == {"r50"}


async def test_many_rooms_are_listed_seldom_and_few_at_each_look() -> None:
    many, few = FakeApi(100), FakeApi(10)
    await looks(sweep_of(many, 20), many, 10)
    await looks(sweep_of(few, 20), few, 10)
    assert many.listed < few.listed == 10


async def test_a_room_that_gives_no_answer_now_and_then_is_found_all_the_same() -> None:
    api = FakeApi(3)
    api.silent = {"r1"}
    sweep = sweep_of(api, 20)
    found = set[str]()
    for turn in range(8):
        api.failing = {"r1"} if turn % 2 else set()
        found |= await looks(sweep, api, 1)
    assert found == {"r1"}


async def test_rooms_of_our_own_jobs_are_looked_at_in_each_fifth_look_by_a_new_list() -> None:
    api = FakeApi(100)
    own = (DispatchedJob("AJ_1", "AD_r5", "r5", "RM_5", ""),)
    await looks(sweep_of(api, 20), api, 20, own)
    assert 1 <= api.asked["r5"] <= 4
