"""The webhook sink of one session, and the receiver that the documentation shows."""

import asyncio
import importlib.util
import json
from collections import OrderedDict
from collections.abc import AsyncIterator
from pathlib import Path
from types import ModuleType

import pytest
from aiohttp.test_utils import TestServer

from config.errors import ConfigError
from sidecar.rooms.memory import MemoryRoom
from sidecar.sinks.base import SinkOptions
from sidecar.sinks.delivery import EventDelivery
from sidecar.sinks.registry import open_event_sink
from sidecar.sinks.webhook.signature import signature_headers
from tests.sidecar.clients import eventually
from tests.sidecar.sinks.sinks import joined
from tests.sidecar.sinks.webhook.receiver import SECRET, Receiver, receiving

EXAMPLE = Path(__file__).parents[4] / "docs" / "examples" / "webhook_receiver.py"
OPTIONS = SinkOptions(MemoryRoom(), {"WEBHOOK_SECRET": SECRET, "OTHER": "short"})


@pytest.fixture
async def receiver() -> AsyncIterator[Receiver]:
    async with receiving() as found:
        yield found


@pytest.fixture(scope="module")
def example() -> ModuleType:
    spec = importlib.util.spec_from_file_location("webhook_receiver", EXAMPLE)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


async def test_events_arrive_with_the_room_and_the_time(receiver: Receiver) -> None:
    sink = open_event_sink(f"webhook+{receiver.url}", OPTIONS)
    async with EventDelivery(sink) as delivery:
        delivery.put(joined(1))
        delivery.put(joined(2))
        await eventually(lambda: len(receiver.bodies) == 2)
    first, second = map(json.loads, receiver.bodies)
    assert first["room"] == OPTIONS.room.name
    assert first["event"] == "participant.joined"
    assert first["time"].endswith("+00:00")
    assert [first["participant"], second["participant"]] == ["p-1", "p-2"]
    assert first["id"] != second["id"]


async def test_kinds_that_are_not_asked_for_are_not_sent(receiver: Receiver) -> None:
    sink = open_event_sink(f"webhook+{receiver.url}#events=reaction.started", OPTIONS)
    async with EventDelivery(sink) as delivery:
        delivery.put(joined(1))
        await eventually(lambda: delivery.stats().delivered == 1)
    assert receiver.bodies == []


async def test_a_journal_keeps_what_waits_for_the_next_session(
    receiver: Receiver, tmp_path: Path
) -> None:
    url = f"webhook+{receiver.url}#journal={tmp_path / 'hook.db'}"
    receiver.broken = True
    async with EventDelivery(open_event_sink(url, OPTIONS)) as delivery:
        delivery.put(joined(1))
        await eventually(lambda: len(receiver.bodies) == 1)
    receiver.broken = False
    async with EventDelivery(open_event_sink(url, OPTIONS)) as delivery:
        delivery.put(joined(2))
        await eventually(lambda: len(receiver.taken["memory"]) == 2)
    assert [json.loads(body)["participant"] for body in receiver.bodies[-2:]] == ["p-1", "p-2"]


async def test_a_receiver_that_hangs_holds_up_neither_events_nor_closing(
    receiver: Receiver,
) -> None:
    receiver.hanging.clear()
    sink = open_event_sink(f"webhook+{receiver.url}", OPTIONS)
    async with asyncio.timeout(30):
        async with EventDelivery(sink) as delivery:
            for number in range(100):
                delivery.put(joined(number))
            await eventually(lambda: delivery.stats().delivered == 100)


@pytest.mark.parametrize(
    ("url", "reason"),
    [
        ("webhook+https:///path", "names no host"),
        ("webhook+https://h.example:port/", "is no URL"),
        ("webhook+https://h.example/#secret=env:MISSING", "MISSING is not set"),
        ("webhook+https://h.example/#secret=in-the-clear", "no reference"),
        ("webhook+https://h.example/#secret=env:OTHER", "too short"),
        ("webhook+https://h.example/#secret=file:/no/such/file", "can't be read"),
        ("webhook+https://h.example/#colour=red", "unknown option 'colour'"),
    ],
)
def test_what_is_wrong_with_a_url_is_one_clear_error(url: str, reason: str) -> None:
    with pytest.raises(ConfigError, match=reason) as caught:
        open_event_sink(url, OPTIONS)
    assert "in-the-clear" not in str(caught.value)


def test_a_webhook_without_a_secret_is_refused() -> None:
    with pytest.raises(ConfigError, match="has no secret"):
        open_event_sink("webhook+https://h.example/", SinkOptions(MemoryRoom()))


def test_a_secret_may_stand_in_a_file(tmp_path: Path) -> None:
    (tmp_path / "secret").write_text(f"{SECRET}\n")
    url = f"webhook+https://h.example/#secret=file:{tmp_path / 'secret'}"
    assert open_event_sink(url, SinkOptions(MemoryRoom())).name == "webhook+https://h.example/"
    with pytest.raises(ConfigError, match="no reference"):
        open_event_sink(url, SinkOptions(MemoryRoom(), files=False))


async def test_the_documented_receiver_takes_what_the_sink_sends(
    example: ModuleType, capsys: pytest.CaptureFixture[str]
) -> None:
    seen: OrderedDict[str, None] = OrderedDict()
    async with TestServer(example.receiver(SECRET, seen)) as server:
        sink = open_event_sink(f"webhook+http://127.0.0.1:{server.port}/hook", OPTIONS)
        async with EventDelivery(sink) as delivery:
            delivery.put(joined(1))
            await eventually(lambda: len(seen) == 1)
    assert "memory participant.joined" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("secret", "seconds", "body"),
    [("another-secret-of-16", 0, b"{}"), (SECRET, -301, b"{}"), (SECRET, 0, b"{} ")],
)
def test_the_documented_receiver_refuses_what_was_changed_or_is_old(
    example: ModuleType, secret: str, seconds: int, body: bytes
) -> None:
    now = int(example.time.time()) + seconds
    headers = signature_headers(secret, "msg_1", now, b"{}")
    values = headers["webhook-timestamp"], headers["webhook-signature"]
    assert not example.is_signed(SECRET, "msg_1", *values, body)
    good = signature_headers(SECRET, "msg_1", now - seconds, b"{}")
    values = good["webhook-timestamp"], good["webhook-signature"]
    assert example.is_signed(SECRET, "msg_1", *values, b"{}")
