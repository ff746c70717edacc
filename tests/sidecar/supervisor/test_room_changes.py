"""Changes of a running room, through the runner, in a meeting in memory."""

import asyncio
from collections.abc import AsyncIterator, Callable

import pytest

from config.errors import RoomError
from config.reaction_table import load_reaction_table
from config.sensitivity import Sensitivity
from config.settings import Settings
from reactions.labels import LABELS
from sidecar.supervisor.control import (
    Begin,
    ChangeParticipant,
    ChangeRoom,
    ChoicesReport,
    ListParticipants,
    StateReport,
    StatsReport,
)
from sidecar.supervisor.handle import Report
from sidecar.supervisor.values import ParticipantPatch, RoomPatch, RoomRequest, RoomState, RoomStats
from tests.sidecar.supervisor.memory_handle import MemoryHandle


def begin(**request: object) -> Begin:
    table = load_reaction_table(LABELS, environ={})
    return Begin(
        room="r-1",
        request=RoomRequest.model_validate({"url": "wss://sfu.example", **request}),
        secrets={},
        settings=Settings().model_dump(mode="json"),
        table={label: rule.model_dump(mode="json") for label, rule in table.items()},
        inference="",
    )


async def sensitivity(handle: MemoryHandle) -> str:
    """That of the only participant, once there is one."""
    async with asyncio.timeout(10):
        while True:
            try:
                if people := await handle.call(ListParticipants()):
                    return str(people[0]["sensitivity"])
            except RoomError:
                pass
            await asyncio.sleep(0.02)


@pytest.mark.parametrize(("asked", "gets"), [({}, "normal"), ({"sensitivity": "calm"}, "calm")])
async def test_a_room_begins_at_the_sensitivity_that_was_asked_for(
    asked: dict[str, str], gets: str
) -> None:
    handle = MemoryHandle()
    await handle.start(begin(**asked))
    assert await sensitivity(handle) == gets
    await handle.aclose()


async def test_a_participants_own_sensitivity_outlasts_a_change_of_the_rooms() -> None:
    handle = MemoryHandle()
    await handle.start(begin())
    await sensitivity(handle)
    await handle.call(ChangeRoom(patch=RoomPatch(sensitivity=Sensitivity.CALM)))
    assert await sensitivity(handle) == "calm"
    patch = ParticipantPatch(sensitivity=Sensitivity.PLAYFUL)
    changed = await handle.call(ChangeParticipant(participant="ada", patch=patch))
    assert changed["sensitivity"] == "playful"
    await handle.call(ChangeRoom(patch=RoomPatch(sensitivity=Sensitivity.NORMAL)))
    assert await sensitivity(handle) == "playful"
    await handle.aclose()


async def test_a_room_that_is_wanted_paused_samples_no_participant_until_it_goes_on() -> None:
    handle = MemoryHandle()
    await handle.start(begin(paused=True))
    reports = handle.reports()
    async with asyncio.timeout(20):
        assert await anext(reports) == StateReport(state=RoomState.PAUSED)
        assert (await numbers(reports, lambda stats: stats.frames_in > 2)).samples == 0
        await handle.call(ChangeRoom(patch=RoomPatch(paused=False)))
        await numbers(reports, lambda stats: stats.samples > 0)
    await handle.aclose()


async def test_a_pause_is_reported_before_it_is_answered() -> None:
    handle = MemoryHandle()
    await handle.start(begin())
    await sensitivity(handle)
    await handle.call(ChangeRoom(patch=RoomPatch(paused=True)))
    await handle.aclose()
    states = [one.state async for one in handle.reports() if isinstance(one, StateReport)]
    assert states[:2] == [RoomState.LIVE, RoomState.PAUSED]


async def test_what_was_chosen_for_participants_counts_in_the_next_life() -> None:
    handle = MemoryHandle()
    await handle.start(begin())
    await sensitivity(handle)
    patch = ParticipantPatch(opted_out=True, sensitivity=Sensitivity.CALM, pinned=True)
    await handle.call(ChangeParticipant(participant="ada", patch=patch))
    await handle.aclose()
    [report] = [one async for one in handle.reports() if isinstance(one, ChoicesReport)]
    assert report.choices == {"ada": patch}
    handle = MemoryHandle()
    await handle.start(begin().model_copy(update={"choices": report.choices}))
    assert await sensitivity(handle) == "calm"
    [ada] = await handle.call(ListParticipants())
    assert (ada["opted_out"], ada["pinned"]) == (True, True)
    assert (await numbers(handle.reports(), lambda stats: stats.frames_in > 2)).samples == 0
    await handle.aclose()


async def numbers(reports: AsyncIterator[Report], wanted: Callable[[RoomStats], bool]) -> RoomStats:
    """The room's first numbers that are as ``wanted``."""
    async for report in reports:
        if isinstance(report, StatsReport) and wanted(report.stats):
            return report.stats
    raise AssertionError("the room ended")
