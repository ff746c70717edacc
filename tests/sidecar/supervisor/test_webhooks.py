"""The webhooks of a server and its rooms, over a supervisor of fake rooms."""

import asyncio
import json
import os
import signal
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from cryptography.fernet import Fernet
from pydantic import SecretStr

from config.errors import ConfigError, RefusedError
from sidecar.addresses import AddressRule
from sidecar.sinks.webhook.dispatcher import DispatchLimits
from sidecar.sinks.webhook.sender import Webhook
from sidecar.supervisor.control import EventReport
from sidecar.supervisor.journal import Journal
from sidecar.supervisor.secrets import SecretStore
from sidecar.supervisor.supervisor import Supervisor
from sidecar.supervisor.values import RoomRequest, RoomState, WebhookRequest
from sidecar.supervisor.webhooks import WebhookOptions
from tests.sidecar.clients import eventually
from tests.sidecar.sinks.webhook.receiver import SECRET, Receiver, receiving
from tests.sidecar.supervisor.test_journal import everything
from tests.sidecar.supervisor.world import World, live

LIMITS = DispatchLimits(flush=0.0)
STARTED = {"event": "reaction.started", "t": 1.0, "participant": "ada", "label": "wave"}


@pytest.fixture
async def receiver() -> AsyncIterator[Receiver]:
    async with receiving() as found:
        yield found


def world(journal: Path | None = None, server: tuple[Webhook, ...] = ()) -> World:
    return World(journal, webhooks=WebhookOptions(server, AddressRule.ANY, LIMITS))


def wanted(url: str, *, secret: str = SECRET, events: tuple[str, ...] | None = None) -> RoomRequest:
    hook = WebhookRequest.model_validate({"url": url, "events": events})
    secrets = {"WEBHOOK_SECRET": SecretStr(secret)}
    return RoomRequest(url="wss://sfu.example#room", webhooks=(hook,), secrets=secrets)


def kinds(receiver: Receiver, room: str) -> list[str]:
    events = map(json.loads, dict.fromkeys(receiver.bodies))
    return [event["event"] for event in events if event["room"] == room]


async def test_a_rooms_webhook_gets_its_events_and_states_and_no_other_rooms(
    receiver: Receiver,
) -> None:
    rooms = world()
    async with rooms.running() as supervisor:
        room = await live(supervisor, wanted(receiver.url))
        other = await live(supervisor)
        rooms.handles[0].report(EventReport(event=STARTED))
        rooms.handles[1].report(EventReport(event=STARTED))
        await eventually(lambda: "reaction.started" in kinds(receiver, room.id))
        assert kinds(receiver, room.id) == ["room.state", "reaction.started"]
        assert kinds(receiver, other.id) == []
        assert supervisor.webhooks.results["delivered"] == 2


async def test_the_servers_webhook_gets_the_events_of_all_rooms_that_it_wants(
    receiver: Receiver,
) -> None:
    wants = frozenset({"reaction.started"})
    rooms = world(server=(Webhook("server-1", receiver.url, lambda: SECRET, wants),))
    async with rooms.running() as supervisor:
        made = [await live(supervisor), await live(supervisor)]
        for handle in rooms.handles:
            handle.report(EventReport(event=STARTED))
        await eventually(lambda: len(receiver.bodies) == 2)
        assert [kinds(receiver, room.id) for room in made] == [["reaction.started"]] * 2


async def test_what_waits_is_delivered_by_the_next_supervisor_in_order(
    receiver: Receiver, tmp_path: Path
) -> None:
    receiver.broken = True
    rooms, store = world(tmp_path / "j.db"), SecretStore(Fernet(Fernet.generate_key()))
    async with rooms.running(store) as supervisor:
        room = await live(supervisor, wanted(receiver.url))
        for number in range(5):
            rooms.handles[0].report(EventReport(event=STARTED | {"n": number}))
        await eventually(lambda: receiver.bodies)
    assert SECRET.encode() not in everything(tmp_path)
    receiver.broken = False
    receiver.bodies.clear()
    async with rooms.running(store):
        await eventually(lambda: len(receiver.taken[room.id]) >= 7)
    numbers = [event["n"] for event in map(json.loads, receiver.bodies) if "n" in event]
    assert numbers == [0, 1, 2, 3, 4]


async def test_a_room_that_is_deleted_leaves_what_waits_for_the_next_supervisor(
    receiver: Receiver, tmp_path: Path
) -> None:
    receiver.broken = True
    rooms, store = world(tmp_path / "j.db"), SecretStore(Fernet(Fernet.generate_key()))
    async with rooms.running(store) as supervisor:
        room = await live(supervisor, wanted(receiver.url))
        await supervisor.delete(room.id)
        await eventually(lambda: supervisor.room(room.id).state is RoomState.ENDED)
    receiver.broken = False
    receiver.bodies.clear()
    async with rooms.running(store) as supervisor:
        assert supervisor.rooms() == []
        await eventually(lambda: supervisor.webhooks.waiting == 0)
    states = [json.loads(body)["state"] for body in dict.fromkeys(receiver.bodies)]
    assert states == ["live", "ending", "ended"]


async def join_and_leave(supervisor: Supervisor, request: RoomRequest) -> str:
    made = await live(supervisor, request)
    await supervisor.delete(made.id)
    room = supervisor.room(made.id)
    await eventually(lambda: room.state is RoomState.ENDED)
    await eventually(lambda: supervisor.webhooks.waiting == 0)
    return made.id


async def test_webhooks_of_rooms_that_are_over_are_forgotten(
    receiver: Receiver, tmp_path: Path
) -> None:
    async with world(tmp_path / "j.db").running() as supervisor:
        over = [await join_and_leave(supervisor, wanted(receiver.url)) for _ in range(2)]
    async with world(tmp_path / "j.db").running() as supervisor:
        await join_and_leave(supervisor, wanted(receiver.url))
    async with Journal(tmp_path / "j.db") as journal:
        kept = [one.id for one in await journal.outbox.webhooks()]
    assert not [one for one in kept for room in over if one.startswith(room)]


async def test_a_secret_that_is_gone_after_a_restart_is_the_reason(
    receiver: Receiver, tmp_path: Path
) -> None:
    receiver.broken = True
    rooms = world(tmp_path / "j.db")
    async with rooms.running() as supervisor:
        await live(supervisor, wanted(receiver.url))
        await eventually(lambda: receiver.bodies)
    receiver.bodies.clear()
    async with rooms.running() as supervisor:
        await eventually(lambda: supervisor.webhooks.results["failed"] > 0)
        assert receiver.bodies == []


async def test_an_address_that_is_not_public_is_refused() -> None:
    async with World().running() as supervisor:
        with pytest.raises(RefusedError, match="not a public address"):
            await supervisor.create(wanted("http://127.0.0.1/hook"))
        assert supervisor.rooms() == []


async def test_a_webhook_needs_a_secret_that_is_given_and_long_enough() -> None:
    async with world().running() as supervisor:
        request = wanted("http://h.example/").model_copy(update={"secrets": {}})
        with pytest.raises(ConfigError, match="WEBHOOK_SECRET is not given"):
            await supervisor.create(request)
        with pytest.raises(ConfigError, match="too short"):
            await supervisor.create(wanted("http://h.example/", secret="short"))


PROGRAM = """
import asyncio, sys
from pathlib import Path
from sidecar.addresses import AddressRule
from sidecar.sinks.webhook.sender import Webhook
from sidecar.supervisor.webhooks import WebhookOptions
from tests.sidecar.supervisor.world import World, live

async def main() -> None:
    hook = Webhook("server-1", sys.argv[2], lambda: sys.argv[3])
    world = World(Path(sys.argv[1]), webhooks=WebhookOptions((hook,), AddressRule.ANY))
    async with world.running() as supervisor:
        room = await live(supervisor)
        for number in range(1_000_000):
            supervisor.events.append("r-1", {"event": "x", "n": number})
            await asyncio.sleep(0.01)

asyncio.run(main())
"""


async def test_a_supervisor_that_is_killed_loses_nothing_that_was_written(
    receiver: Receiver, tmp_path: Path
) -> None:
    """SIGKILL in the middle of it: the next one continues, each event at least once, in order."""
    command = [sys.executable, "-c", PROGRAM, str(tmp_path / "j.db"), receiver.url, SECRET]
    child = await asyncio.create_subprocess_exec(*command)
    await eventually(lambda: len(receiver.taken["r-1"]) > 30)
    receiver.broken = True
    before = len(receiver.bodies)
    await eventually(lambda: len(receiver.bodies) > before)
    os.kill(child.pid, signal.SIGKILL)
    await child.wait()
    async with Journal(tmp_path / "j.db") as journal:
        waiting = await journal.outbox.deliveries(
            dead=False, webhook="", room="r-1", after=0, limit=500
        )
    assert waiting
    receiver.broken = False
    rooms = world(tmp_path / "j.db", (Webhook("server-1", receiver.url, lambda: SECRET),))
    async with rooms.running() as supervisor:
        await eventually(lambda: supervisor.webhooks.waiting == 0, seconds=20)
    order = {json.loads(body)["id"]: json.loads(body).get("n") for body in receiver.bodies}
    numbers = [order[one] for one in dict.fromkeys(receiver.taken["r-1"])]
    assert numbers == list(range(len(numbers)))
    assert {one.id for one in waiting} <= set(receiver.taken["r-1"])
