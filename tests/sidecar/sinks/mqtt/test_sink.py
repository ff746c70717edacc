"""The MQTT sink against a real broker, and against ones that refuse, hang and end."""

import asyncio
import importlib.util
import sys
from collections import defaultdict
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from importlib.machinery import ModuleSpec
from pathlib import Path
from typing import Final

import aiomqtt
import pytest

from config.errors import ConfigError
from reactions.geometry import Box
from reactions.reaction_event import ReactionEvent, ReactionStage
from sidecar.addresses import AddressRule
from sidecar.aio import Backoff
from sidecar.rooms.memory import MemoryRoom
from sidecar.session.events import ReactionStep
from sidecar.sinks.base import SinkOptions
from sidecar.sinks.delivery import EventDelivery
from sidecar.sinks.mqtt.messages import RoomTopics
from sidecar.sinks.mqtt.sink import Broker, MqttSink
from sidecar.sinks.registry import open_event_sink
from tests.servers.mosquitto import mosquitto
from tests.servers.process import LOOPBACK, ServerProcess
from tests.sidecar.clients import eventually
from tests.sidecar.sinks.sinks import joined

PASSWORD: Final = "tell-no-one"
SOON: Final = Backoff(first=0.1, factor=1.0, longest=0.1)
STARTED: Final = ReactionStep(
    ReactionEvent(ReactionStage.STARTED, 1.0, "ada", "wave", 0.9, 1.0, Box(0, 0, 1, 1)), "Ada"
)


class Subscriber:
    """Keeps all messages of a broker by topic."""

    def __init__(self) -> None:
        self.messages: dict[str, list[str]] = defaultdict(list)

    async def follow(self, client: aiomqtt.Client) -> None:
        async for message in client.messages:
            assert isinstance(message.payload, bytes)
            self.messages[str(message.topic)].append(message.payload.decode())


@asynccontextmanager
async def subscribed(broker: ServerProcess) -> AsyncIterator[Subscriber]:
    subscriber = Subscriber()
    async with aiomqtt.Client(LOOPBACK, broker.port) as client:
        await client.subscribe("#", qos=1)
        task = asyncio.create_task(subscriber.follow(client))
        try:
            yield subscriber
        finally:
            task.cancel()
            await asyncio.wait([task])


def options(**environ: str) -> SinkOptions:
    return SinkOptions(MemoryRoom(), environ)


def sink_at(port: int) -> MqttSink:
    return MqttSink(Broker(LOOPBACK, port), RoomTopics("sidecar", "memory"), retries=SOON)


@pytest.mark.servers
async def test_events_are_published_and_availability_is_retained(tmp_path: Path) -> None:
    async with mosquitto(tmp_path) as broker, subscribed(broker) as subscriber:
        got = subscriber.messages
        sink = open_event_sink(f"mqtt://{LOOPBACK}:{broker.port}/office", options())
        async with EventDelivery(sink) as delivery:
            delivery.put(joined(1))
            delivery.put(STARTED)
            await eventually(lambda: got["office/memory/reactions/wave"])
            assert got["office/memory/availability"] == ["online"]
            assert got["office/memory/participants/count"][-1] == "1"
        await eventually(lambda: got["office/memory/availability"] == ["online", "offline"])
        async with subscribed(broker) as later:
            await eventually(lambda: later.messages["office/memory/availability"] == ["offline"])
            assert not later.messages["office/memory/reactions/wave"]


@pytest.mark.servers
async def test_a_broker_that_is_killed_and_started_again_gets_what_waits(tmp_path: Path) -> None:
    async with mosquitto(tmp_path) as broker, EventDelivery(sink_at(broker.port)) as delivery:
        delivery.put(joined(1))
        await eventually(lambda: delivery.stats().delivered == 1)
        broker.kill()
        for number in range(2, 7):
            delivery.put(joined(number))
        await broker.start()
        async with subscribed(broker) as subscriber:
            await eventually(lambda: delivery.stats().delivered == 6)
            await eventually(
                lambda: subscriber.messages["sidecar/memory/participants/count"][-1:] == ["6"]
            )
            assert subscriber.messages["sidecar/memory/availability"] == ["online"]


@pytest.mark.servers
async def test_the_last_will_says_that_a_killed_sidecar_is_offline(
    tmp_path: Path,
) -> None:
    async with mosquitto(tmp_path) as broker, subscribed(broker) as subscriber:
        availability = subscriber.messages["sidecar/memory/availability"]
        program = (
            "import asyncio, sys\n"
            "from sidecar.sinks.mqtt.messages import RoomTopics\n"
            "from sidecar.sinks.mqtt.sink import Broker, MqttSink\n"
            "async def main():\n"
            "    broker = Broker('127.0.0.1', int(sys.argv[1]))\n"
            "    await MqttSink(broker, RoomTopics('sidecar', 'memory')).start()\n"
            "    await asyncio.Event().wait()\n"
            "asyncio.run(main())\n"
        )
        child = await asyncio.create_subprocess_exec(
            *(sys.executable, "-c", program, str(broker.port))
        )
        await eventually(lambda: availability == ["online"], seconds=60)
        child.kill()
        await child.wait()
        await eventually(lambda: availability == ["online", "offline"])


@pytest.mark.servers
async def test_a_password_lets_in_and_a_wrong_one_is_a_reason(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    async with mosquitto(tmp_path, password=PASSWORD) as broker:
        url = f"mqtt://{LOOPBACK}:{broker.port}"
        good = options(MQTT_USERNAME="sidecar", MQTT_PASSWORD=PASSWORD)
        async with EventDelivery(open_event_sink(url, good)) as delivery:
            delivery.put(joined(1))
            await eventually(lambda: delivery.stats().delivered == 1)
        wrong = options(MQTT_USERNAME="sidecar", MQTT_PASSWORD="another-one")
        seen: list[str] = []

        def refused() -> bool:
            seen.append(capsys.readouterr().out)
            return "broker not connected" in "".join(seen)

        async with EventDelivery(open_event_sink(url, wrong)) as delivery:
            delivery.put(joined(1))
            await eventually(refused)
            assert delivery.stats().delivered == 0
        assert "authori" in "".join(seen)
        assert "another-one" not in "".join(seen)


@pytest.mark.servers
async def test_a_broker_over_tls_is_trusted_by_its_authority(tmp_path: Path) -> None:
    async with mosquitto(tmp_path, tls=True) as broker:
        url = f"mqtts://{LOOPBACK}:{broker.port}"
        trusted = open_event_sink(f"{url}#ca={tmp_path / 'cert.pem'}", options())
        async with EventDelivery(trusted) as delivery:
            delivery.put(joined(1))
            await eventually(lambda: delivery.stats().delivered == 1)


@pytest.mark.servers
# paho leaves the socket of a handshake that fails to the garbage collector.
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
async def test_a_broker_with_an_unknown_certificate_gets_nothing(tmp_path: Path) -> None:
    async with mosquitto(tmp_path, tls=True) as broker:
        url = f"mqtts://{LOOPBACK}:{broker.port}"
        async with EventDelivery(open_event_sink(url, options()), patience=1.0) as delivery:
            delivery.put(joined(1))
            await eventually(lambda: delivery.stats().dropped == 1)


@pytest.mark.parametrize("greeting", [None, b"", b"\xff" * 64])
async def test_a_broker_that_is_none_holds_up_neither_events_nor_closing(
    greeting: bytes | None,
) -> None:
    """It hangs, closes at once, or sends what is no MQTT."""
    writers: list[asyncio.StreamWriter] = []

    def serve(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writers.append(writer)
        if greeting is not None:
            writer.write(greeting)
            writer.close()

    async with await asyncio.start_server(serve, LOOPBACK, 0) as server:
        port = server.sockets[0].getsockname()[1]
        async with asyncio.timeout(8):
            async with EventDelivery(sink_at(port), patience=0.5) as delivery:
                for number in range(3):
                    delivery.put(joined(number))
                await eventually(lambda: delivery.stats().dropped == 3)
        for writer in writers:
            writer.transport.abort()
        await asyncio.sleep(0)


@pytest.mark.parametrize(
    ("url", "reason"),
    [
        ("mqtt:///x", "names no host"),
        ("mqtt://user:secret@h.example/x", "no place in a URL"),
        ("mqtt://h.example/x#qos=2", "quality of service"),
        ("mqtt://h.example/a+b", "no topic"),
        ("mqtts://h.example/x#ca=/no/such/file", "no such file"),
        ("mqtt://h.example/x#password=env:MISSING", "MISSING is not set"),
        ("mqtt://h.example/x#retain=1", "unknown option"),
    ],
)
def test_what_is_wrong_with_a_url_is_one_clear_error(url: str, reason: str) -> None:
    with pytest.raises(ConfigError, match=reason) as caught:
        open_event_sink(url, options())
    assert "secret" not in str(caught.value)


def test_without_the_extra_the_error_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    def find_spec(name: str) -> ModuleSpec | None:
        return None

    monkeypatch.setattr(importlib.util, "find_spec", find_spec)
    with pytest.raises(ConfigError, match=r"reaction-sidecar\[mqtt\]"):
        open_event_sink("mqtt://h.example", options())


def test_a_client_of_the_api_may_name_no_broker() -> None:
    given = SinkOptions(MemoryRoom(), rule=AddressRule.PUBLIC)
    with pytest.raises(ConfigError, match="for the operator"):
        open_event_sink("mqtt://h.example", given)
