import asyncio
from collections.abc import Collection, Mapping
from contextlib import aclosing
from pathlib import Path

import pytest
from pydantic import SecretStr
from structlog.testing import capture_logs

from config.errors import (
    CapacityError,
    ConfigError,
    InferenceError,
    InputError,
    JournalError,
    NotFoundError,
    RefusedError,
)
from sidecar.supervisor.control import ChangeRoom, ChoicesReport, StateReport
from sidecar.supervisor.journal import Journal, WantedRoom
from sidecar.supervisor.values import (
    ParticipantPatch,
    RoomLayout,
    RoomPatch,
    RoomRequest,
    RoomState,
)
from tests.sidecar.clients import eventually
from tests.sidecar.supervisor.fake_handle import FakeHandle
from tests.sidecar.supervisor.world import REQUEST, World, live


async def test_a_room_that_is_made_is_joined_and_listed() -> None:
    world = World()
    async with world.running() as supervisor:
        made = await live(supervisor)
        assert [room.id for room in supervisor.rooms()] == [made.id]
        assert made.url == "wss://sfu.example"
        assert made.pid == 4242
    assert world.handles[0].closed


async def test_secrets_reach_the_room_with_references_replaced() -> None:
    world = World()
    request = REQUEST.model_copy(
        update={"secrets": {"A": SecretStr("env:TOKEN"), "B": SecretStr("plain")}}
    )
    async with world.running() as supervisor:
        await live(supervisor, request)
    begun = world.handles[0].begun
    assert begun is not None
    assert begun.secrets == {"A": "from-environment", "B": "plain"}
    assert begun.request.secrets == {}


async def test_an_idempotency_key_makes_one_room() -> None:
    async with World().running() as supervisor:
        request = REQUEST.model_copy(update={"idempotency_key": "k"})
        first, new = await supervisor.create(request)
        second, again = await supervisor.create(request)
        assert (first.id, new, again) == (second.id, True, False)


async def test_requests_with_one_key_at_the_same_time_make_one_room() -> None:
    world = World()
    async with world.running() as supervisor:
        request = REQUEST.model_copy(update={"idempotency_key": "k"})
        made = await asyncio.gather(*(supervisor.create(request) for _ in range(5)))
        assert len({view.id for view, _ in made}) == 1
        assert [new for _, new in made].count(True) == 1
        assert len(supervisor.rooms()) == 1


async def test_a_key_that_failed_may_be_used_again() -> None:
    world = World()
    async with world.running() as supervisor:
        request = REQUEST.model_copy(update={"idempotency_key": "k"})
        world.can_score = False
        tries = (supervisor.create(request) for _ in range(2))
        results = await asyncio.gather(*tries, return_exceptions=True)
        assert [type(one) for one in results] == [InferenceError, InferenceError]
        world.can_score = True
        _, new = await supervisor.create(request)
        assert new


async def test_a_key_of_another_room_is_refused() -> None:
    async with World().running() as supervisor:
        request = REQUEST.model_copy(update={"idempotency_key": "k"})
        made, _ = await supervisor.create(request)
        await eventually(lambda: supervisor.room(made.id).state is RoomState.LIVE)
        # What can be changed later may differ from what the key was made with.
        await supervisor.change(made.id, RoomPatch(rate=1.0))
        again, _ = await supervisor.create(request)
        assert again.id == made.id
        other = request.model_copy(update={"url": "wss://sfu.example#other"})
        with pytest.raises(InputError, match="another url") as caught:
            await supervisor.create(other)
        assert caught.value.status == 422


async def test_choices_of_participants_outlast_the_room_s_process_and_the_supervisor(
    tmp_path: Path,
) -> None:
    world = World(tmp_path / "journal.db")
    choices = {"ada": ParticipantPatch(opted_out=True), "bob": ParticipantPatch(pinned=True)}
    async with world.running() as supervisor:
        made = await live(supervisor)
        world.handles[0].report(ChoicesReport(choices=choices))
        await eventually(lambda: supervisor.room(made.id).choices == choices)
        world.handles[0].die()
        await eventually(lambda: len(world.handles) == 2 and world.handles[1].begun is not None)
        assert begun_with(world, 1) == choices
    async with world.running() as supervisor:
        await eventually(lambda: len(world.handles) == 3 and world.handles[2].begun is not None)
        assert begun_with(world, 2) == choices
        await supervisor.delete(made.id)
        await eventually(lambda: supervisor.room(made.id).state is RoomState.ENDED)
    async with aclosing(Journal(tmp_path / "journal.db")) as journal:
        await journal.start()
        assert await journal.rooms() == []


def begun_with(world: World, life: int) -> Mapping[str, ParticipantPatch]:
    """The choices that a life of a room began with."""
    begun = world.handles[life].begun
    assert begun is not None
    return begun.choices


async def test_a_full_server_refuses_with_the_figure_that_is_full() -> None:
    async with World().running() as supervisor:
        await live(supervisor)
        await live(supervisor)
        with pytest.raises(CapacityError, match=r"0\.80 of 1\.00 cores"):
            await supervisor.create(REQUEST)
        assert len(supervisor.rooms()) == 2


async def test_a_reservation_counts_until_its_room_is_made() -> None:
    async with World().running() as supervisor:
        supervisor.reserve("job", REQUEST)
        await live(supervisor)
        with pytest.raises(CapacityError):
            supervisor.reserve("another", REQUEST)
        await supervisor.create(REQUEST, reserved="job")
        assert len(supervisor.rooms()) == 2
        assert supervisor.admission.load(supervisor.now) == pytest.approx(0.8)


async def test_a_room_that_another_system_places_is_not_joined_by_the_next_supervisor(
    tmp_path: Path,
) -> None:
    world = World(tmp_path / "journal.db")
    async with world.running() as supervisor:
        supervisor.reserve("job", REQUEST)
        made, _ = await supervisor.create(REQUEST, reserved="job")
        await eventually(lambda: supervisor.room(made.id).state is RoomState.LIVE)
    async with world.running() as supervisor:
        assert supervisor.rooms() == []


async def test_a_url_that_may_not_be_joined_is_refused() -> None:
    async with World().running() as supervisor:
        with pytest.raises(RefusedError):
            await supervisor.create(RoomRequest(url="http://metadata/"))
        assert supervisor.rooms() == []


async def test_a_deleted_room_ends_and_is_wanted_no_more(tmp_path: Path) -> None:
    world = World(tmp_path / "journal.db")
    async with world.running() as supervisor:
        made = await live(supervisor)
        assert (await supervisor.delete(made.id)).state in {RoomState.ENDING, RoomState.ENDED}
        await eventually(lambda: supervisor.room(made.id).state is RoomState.ENDED)
    async with world.running() as supervisor:
        assert supervisor.rooms() == []


async def test_a_new_supervisor_joins_the_rooms_that_were_wanted(tmp_path: Path) -> None:
    world = World(tmp_path / "journal.db")
    async with world.running() as supervisor:
        made = await live(supervisor, REQUEST.model_copy(update={"rate": 2.0}))
    async with world.running() as supervisor:
        room = supervisor.room(made.id)
        await eventually(lambda: room.state is RoomState.LIVE)
        assert room.request.rate == 2.0


async def test_a_room_whose_secret_was_not_stored_is_failed_and_says_so(tmp_path: Path) -> None:
    world = World(tmp_path / "journal.db")
    request = REQUEST.model_copy(update={"secrets": {"JANUS_PIN": SecretStr("1234")}})
    async with world.running() as supervisor:
        made = await live(supervisor, request)
    async with world.running() as supervisor:
        room = supervisor.room(made.id)
        await eventually(lambda: room.state is RoomState.FAILED)
        assert "JANUS_PIN" in room.reason


async def test_a_room_that_ended_by_itself_is_wanted_no_more(tmp_path: Path) -> None:
    world = World(tmp_path / "journal.db")
    async with world.running() as supervisor:
        made = await live(supervisor)
        world.handles[0].report(
            StateReport(state=RoomState.ENDED, reason="the meeting is over", final=True)
        )
        world.handles[0].die()
        await eventually(lambda: supervisor.room(made.id).state is RoomState.ENDED)
        await eventually(lambda: not supervisor.admission.costs(0.0))
    async with world.running() as supervisor:
        assert supervisor.rooms() == []


async def test_a_change_reaches_the_room_and_is_remembered(tmp_path: Path) -> None:
    world = World(tmp_path / "journal.db")
    async with world.running() as supervisor:
        made = await live(supervisor)
        await supervisor.change(made.id, RoomPatch(rate=1.0))
        assert world.handles[0].calls == [ChangeRoom(patch=RoomPatch(rate=1.0))]
    async with world.running() as supervisor:
        assert supervisor.room(made.id).request.rate == 1.0


async def test_a_paused_room_is_joined_again_as_paused(tmp_path: Path) -> None:
    world = World(tmp_path / "journal.db")
    async with world.running() as supervisor:
        made = await live(supervisor)
        await supervisor.change(made.id, RoomPatch(paused=True))
        assert supervisor.room(made.id).request.paused
    async with world.running() as supervisor:
        assert supervisor.room(made.id).request.paused
        await eventually(lambda: supervisor.room(made.id).state is RoomState.LIVE)
        await supervisor.change(made.id, RoomPatch(paused=False))
        assert not supervisor.room(made.id).request.paused


async def test_changes_of_a_layout_add_up() -> None:
    async with World().running() as supervisor:
        made = await live(supervisor)
        await supervisor.change(made.id, RoomPatch(layout=RoomLayout(width=640, fps=10)))
        await supervisor.change(made.id, RoomPatch(layout=RoomLayout(fps=5)))
        layout = supervisor.room(made.id).request.layout
    assert layout == RoomLayout(width=640, fps=5)


async def test_a_journal_that_can_t_be_written_refuses_the_room(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async def full(self: Journal, room: WantedRoom) -> None:
        raise JournalError("the disk is full")

    monkeypatch.setattr(Journal, "add", full)
    async with World().running() as supervisor:
        with pytest.raises(JournalError):
            await supervisor.create(REQUEST)
        assert supervisor.admission.costs(0.0) == {}


async def test_a_draining_server_takes_no_new_rooms_and_waits_for_the_last() -> None:
    world = World()
    async with world.running() as supervisor:
        await live(supervisor)
        draining = asyncio.create_task(supervisor.drain())
        await asyncio.sleep(0)
        with pytest.raises(CapacityError, match="draining"):
            await supervisor.create(REQUEST)
        assert not draining.done()
        world.handles[0].report(StateReport(state=RoomState.ENDED, final=True))
        world.handles[0].die()
        await draining


async def test_a_room_that_can_t_be_left_does_not_keep_the_others() -> None:
    class Stuck(FakeHandle):
        async def aclose(self) -> None:
            await super().aclose()
            raise OSError("no more descriptors")

    world = World()
    with capture_logs() as logs:
        async with world.running() as supervisor:
            world.make = Stuck
            await live(supervisor)
            world.make = FakeHandle
            await live(supervisor)
    assert [handle.closed for handle in world.handles] == [True, True]
    assert "OSError('no more descriptors')" in {log.get("reason") for log in logs}


async def test_draining_ends_after_its_time() -> None:
    async with World().running() as supervisor:
        await live(supervisor)
        await supervisor.drain(0.01)
        assert len(supervisor.rooms()) == 1


async def test_an_unknown_room_is_not_found() -> None:
    async with World().running() as supervisor:
        with pytest.raises(NotFoundError):
            await supervisor.delete("r-none")


async def test_an_unknown_reference_is_refused_before_anything_is_made() -> None:
    async with World().running() as supervisor:
        secrets = {"A": SecretStr("env:HOME")}
        with pytest.raises(ConfigError, match="may not be used"):
            await supervisor.create(REQUEST.model_copy(update={"secrets": secrets}))
        assert supervisor.rooms() == []


async def test_the_detector_scores_a_room_s_labels_before_the_room_has_them(
    tmp_path: Path,
) -> None:
    world = World(tmp_path / "journal.db")
    async with world.running() as supervisor:
        made = await live(supervisor, REQUEST.model_copy(update={"labels": ("wave",)}))
        await supervisor.change(made.id, RoomPatch(labels=("fist", "wave")))
        assert world.scored[1:] == [{"wave"}, {"fist", "wave"}]
        world.can_score = False
        with pytest.raises(InferenceError):
            await supervisor.change(made.id, RoomPatch(labels=("smile",)))
        assert supervisor.room(made.id).request.labels == ("fist", "wave")
    later = World(tmp_path / "journal.db")
    async with later.running():
        assert later.scored == [{"fist", "wave"}]


async def test_labels_of_a_room_s_own_table_are_scored_again_after_a_restart(
    tmp_path: Path,
) -> None:
    world = World(tmp_path / "journal.db")
    async with world.running() as supervisor:
        made = await live(supervisor, REQUEST.model_copy(update={"labels": ("wave",)}))
        await live(supervisor)
    later = World(tmp_path / "journal.db")

    def labels(room: str) -> Collection[str]:
        if room != made.id:
            raise ConfigError("is no reaction table")
        return {"fist"}

    later.labels = labels
    async with later.running():
        assert later.scored == [{"wave", "fist"}]
