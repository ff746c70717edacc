"""Which event sinks a room's process has: those of its request, and those of the settings."""

import asyncio
from collections.abc import AsyncIterator, Mapping
from pathlib import Path

import pytest

from config.errors import ConfigError
from config.reaction_table import load_reaction_table
from config.serve_settings import StandingRoom
from config.settings import Settings
from reactions.labels import LABELS
from sidecar.rooms.memory import MemoryMeeting
from sidecar.serve.rooms import open_standing_rooms
from sidecar.supervisor.control import Begin, StateReport, TriggerReaction, plain_settings
from sidecar.supervisor.handle import Report
from sidecar.supervisor.room_runner import RoomRunner
from sidecar.supervisor.supervised_room import RoomLimits
from sidecar.supervisor.values import ReactionRequest, RoomRequest, RoomState
from tests.sidecar.clients import eventually
from tests.sidecar.sinks.eyeson.double import KEY, Eyeson, eyeson
from tests.sidecar.sinks.webhook.receiver import SECRET, Receiver, receiving
from tests.sidecar.supervisor.memory_handle import MemoryAdapter, NothingSeen, SlowCamera
from tests.sidecar.supervisor.world import World, live

TABLE = load_reaction_table(LABELS, environ={})
RULES = {label: rule.model_dump(mode="json") for label, rule in TABLE.items()}


@pytest.fixture
async def receiver() -> AsyncIterator[Receiver]:
    async with receiving() as found:
        yield found


@pytest.fixture
async def meeting() -> AsyncIterator[Eyeson]:
    async with eyeson() as found:
        yield found


class RunningRoom:
    """A room of one participant, and what it reported."""

    def __init__(
        self,
        ours: tuple[str, ...] = (),
        environ: Mapping[str, str] | None = None,
        *,
        theirs: tuple[str, ...] = (),
    ) -> None:
        memory = MemoryMeeting()
        memory.join("ada", "Ada", SlowCamera())

        async def find(url: str) -> MemoryAdapter:
            return MemoryAdapter(memory)

        settings = Settings.model_validate({"rooms": {"sinks": ours}})
        begin = Begin(
            room="r-1",
            # The API takes no address without TLS.
            request=RoomRequest.model_construct(url="wss://a", publish=("none",), sinks=theirs),
            secrets={"EYESON_ACCESS_KEY": KEY},
            settings=plain_settings(settings),
            table=RULES,
        )
        self.reports: list[Report] = []
        self._runner = RoomRunner(
            begin, NothingSeen(), self.reports.append, find=find, environ=environ
        )
        self._task = asyncio.create_task(self._runner.run())

    def states(self) -> list[tuple[RoomState, str]]:
        return [(one.state, one.reason) for one in self.reports if isinstance(one, StateReport)]

    async def react(self) -> None:
        await eventually(lambda: self.states() and any("joined" in str(r) for r in self.reports))
        reaction = ReactionRequest(participant="ada", label="thumbs_up")
        await self._runner.call(TriggerReaction(reaction=reaction))

    async def leave(self) -> None:
        self._runner.leave()
        await self._task


async def test_sinks_of_the_settings_get_the_events_with_the_operators_secrets(
    receiver: Receiver,
) -> None:
    room = RunningRoom((f"webhook+{receiver.url}",), {"WEBHOOK_SECRET": SECRET})
    await room.react()
    await eventually(lambda: any("reaction.started" in body for body in receiver.bodies))
    await room.leave()


async def test_a_sink_of_a_client_may_not_reach_private_addresses(meeting: Eyeson) -> None:
    room = RunningRoom(theirs=(f"eyeson+{meeting.url}",))
    await room.react()
    await room.leave()
    assert meeting.requests == []


async def test_a_sink_of_the_operator_may(meeting: Eyeson) -> None:
    room = RunningRoom((f"eyeson+{meeting.url}",), {"EYESON_ACCESS_KEY": KEY})
    await room.react()
    await eventually(lambda: "POST /layers" in meeting.requests)
    await room.leave()


async def test_a_client_may_have_no_file_read(meeting: Eyeson) -> None:
    room = RunningRoom(theirs=("eyeson:#key=file:/etc/hostname",))
    await eventually(lambda: room.states() and room.states()[-1][0] is RoomState.FAILED)
    assert "no reference to a secret of the environment" in room.states()[-1][1]
    await room.leave()


async def test_a_standing_room_has_sinks_and_webhooks_of_its_own() -> None:
    standing = StandingRoom.model_validate(
        {
            "url": "wss://sfu.example#lobby",
            "sinks": ["eyeson:"],
            "webhooks": [{"url": "https://h.example/hook", "events": ["room.state"]}],
            "secrets": {"WEBHOOK_SECRET": SECRET, "EYESON_ACCESS_KEY": KEY},
        }
    )
    async with World().running() as supervisor:
        await open_standing_rooms(supervisor, [standing])
        [room] = supervisor.rooms()
        assert room.request.sinks == ("eyeson:",)
        [webhook] = room.request.webhooks
        assert (webhook.url, webhook.events) == ("https://h.example/hook", ("room.state",))


async def test_a_standing_room_that_no_request_could_ask_for_is_one_line() -> None:
    standing = StandingRoom.model_validate({"url": "wss://sfu.example#lobby", "name": "x" * 65})
    async with World().running() as supervisor:
        with pytest.raises(ConfigError, match=r"serve.rooms: wss://sfu.example#lobby: name: .* 64"):
            await open_standing_rooms(supervisor, [standing])


async def test_a_standing_room_that_the_settings_name_otherwise_is_made_again(
    tmp_path: Path,
) -> None:
    world = World(tmp_path / "journal.db")
    lobby = StandingRoom(url="wss://sfu.example#lobby")
    async with world.running() as supervisor:
        await open_standing_rooms(supervisor, [lobby, StandingRoom(url="wss://sfu.example#old")])
        before = {room.request.url: room.id for room in supervisor.rooms()}
    async with world.running() as supervisor:
        changed = StandingRoom(url="wss://sfu.example#new", rate=2.0)
        await open_standing_rooms(supervisor, [lobby, changed])
        rooms = {room.request.url: room for room in supervisor.rooms() if not room.state.over}
        assert rooms["wss://sfu.example#lobby"].id == before["wss://sfu.example#lobby"]
        assert rooms["wss://sfu.example#new"].request.rate == 2.0
        left = supervisor.room(before["wss://sfu.example#old"])
        await eventually(lambda: left.state is RoomState.ENDED)


async def test_a_standing_room_is_kept_while_it_is_empty() -> None:
    async with World(limits=RoomLimits(empty=0.0)).running() as supervisor:
        await open_standing_rooms(supervisor, [StandingRoom(url="wss://sfu.example#lobby")])
        made = await live(supervisor)
        [standing] = [room for room in supervisor.rooms() if room.id != made.id]
        assert standing.idle() is None
        assert supervisor.room(made.id).idle() == "empty for 0 s"
