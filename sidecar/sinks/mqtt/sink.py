"""An MQTT broker as an event sink: ``mqtt://HOST/PREFIX`` and ``mqtts://HOST/PREFIX``.

The module needs the extra ``mqtt``; ``sidecar.sinks.mqtt.entry`` says so where it is missing.
"""

import asyncio
import contextlib
import ssl
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Final

import aiomqtt
import structlog

from sidecar.aio import Backoff, Broadcast, TaskSet, run_until_first
from sidecar.session.events import SessionEvent, as_json
from sidecar.sinks.mqtt.messages import OFFLINE, ONLINE, MqttMessage, RoomTopics

log = structlog.get_logger(__name__)

KEEP_ALIVE: Final = 10
"""Seconds between signs of life; the broker publishes the last will after 1.5 times as long. It
also limits a TLS handshake, which blocks a thread."""
ANSWER: Final = 5.0
"""Seconds that the broker may take to answer."""
LEAVING: Final = 1.0
"""Seconds to say that the sidecar leaves, on closing."""
RETRIES: Final = Backoff(first=0.5, factor=2.0, longest=15.0)


@dataclass(frozen=True, slots=True)
class Broker:
    """Where the broker is, and how it lets us in."""

    host: str
    port: int
    tls: bool = False
    username: str | None = field(default=None, repr=False)
    password: str | None = field(default=None, repr=False)
    ca: str | None = None
    """PEM file of authorities; None takes the system's."""
    qos: int = 1
    """1: at least once; 0: at most once."""


class MqttSink:
    """Implements ``EventSink``; the connection is made in a task, and again when it is lost."""

    def __init__(
        self, broker: Broker, topics: RoomTopics, *, retries: Backoff | None = None
    ) -> None:
        self._broker = broker
        self._topics = topics
        self._retries = retries or RETRIES
        self._context: ssl.SSLContext | None = None
        self._client: aiomqtt.Client | None = None
        self._changed = Broadcast()
        self._renew = asyncio.Event()
        self._closing = False
        self._reason = ""
        self._tasks = TaskSet()
        self._task: asyncio.Task[None] | None = None

    @property
    def name(self) -> str:
        return f"mqtt {self._broker.host}:{self._broker.port}"

    async def start(self) -> None:
        """Begin to connect: a broker that is down holds up no meeting."""
        if self._broker.tls:
            self._context = await asyncio.to_thread(_tls_context, self._broker.ca)
        self._task = self._tasks.create_task(self._stay_connected(), name=self.name)

    async def write(self, event: SessionEvent) -> None:
        """Publish ``event`` as soon as the broker is there; waits until then."""
        time = datetime.now(UTC).isoformat(timespec="milliseconds")
        for message in self._topics.take(as_json(event), time):
            await self._publish(message)

    async def aclose(self) -> None:
        """Publish that the sidecar is offline, and disconnect."""
        self._closing = True
        self._renew.set()
        if self._task is not None:
            await asyncio.wait([self._task], timeout=LEAVING)
        await self._tasks.aclose()

    async def _publish(self, message: MqttMessage) -> None:
        while True:
            await self._changed.wait_for(lambda: self._client is not None)
            client = self._client
            if client is None:
                continue
            try:
                await self._send(client, message)
            except aiomqtt.MqttError as error:
                # The next connection publishes it again: it comes at least once.
                self._lose(client, str(error))
            else:
                return

    async def _send(self, client: aiomqtt.Client, message: MqttMessage) -> None:
        await client.publish(
            message.topic, message.payload, qos=self._broker.qos, retain=message.retain
        )

    def _lose(self, client: aiomqtt.Client, reason: str) -> None:
        if self._client is client:
            self._client = None
            self._note(reason)
            self._renew.set()

    async def _stay_connected(self) -> None:
        attempt = 0
        while not self._closing:
            self._renew.clear()
            try:
                await self._connect()
                attempt = 0
            except (aiomqtt.MqttError, OSError, ValueError) as error:
                self._note(str(error) or type(error).__name__)
            finally:
                self._client = None
            if not self._closing:
                with contextlib.suppress(TimeoutError):
                    async with asyncio.timeout(self._retries.delay(attempt)):
                        await self._renew.wait()
                attempt += 1

    async def _connect(self) -> None:
        """One connection, until it is lost or no longer wanted."""
        client = self._make_client()
        async with AsyncExitStack() as stack:
            # A connection that is made in part is closed too.
            stack.push_async_exit(client)
            stack.callback(_limit, client)
            await stack.enter_async_context(client)
            stack.callback(_limit, client)
            await self._send(client, self._topics.availability(ONLINE))
            await self._send(client, self._topics.participants())
            log.info("broker connected", sink=self.name)
            self._reason = ""
            self._client = client
            self._changed.notify()
            if reason := await run_until_first(_until_lost(client), self._until_renewed()):
                self._note(reason)
            self._client = None
            if self._closing:
                await self._send(client, self._topics.availability(OFFLINE))

    async def _until_renewed(self) -> str:
        """Wait until the connection is no longer wanted; the text is empty."""
        await self._renew.wait()
        return ""

    def _note(self, reason: str) -> None:
        if reason != self._reason:
            self._reason = reason
            log.warning("broker not connected", sink=self.name, reason=reason)

    def _make_client(self) -> aiomqtt.Client:
        broker, will = self._broker, self._topics.availability(OFFLINE)
        return aiomqtt.Client(
            broker.host,
            broker.port,
            username=broker.username,
            password=broker.password,
            will=aiomqtt.Will(will.topic, will.payload, qos=broker.qos, retain=will.retain),
            tls_context=self._context,
            keepalive=KEEP_ALIVE,
            timeout=ANSWER,
        )


def _limit(client: aiomqtt.Client) -> None:
    """Wait no longer for a broker that does not answer, since the connection is to end."""
    client.timeout = LEAVING / 2


async def _until_lost(client: aiomqtt.Client) -> str:
    """Why the connection ended."""
    try:
        async for _ in client.messages:
            # Nothing is subscribed to.
            continue
    except aiomqtt.MqttError as error:
        return str(error.__cause__ or error)
    return "closed by the broker"


def _tls_context(ca: str | None) -> ssl.SSLContext:
    return ssl.create_default_context(cafile=ca)
