"""The webhooks of the server and of its rooms: what happens in a room is delivered to both."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Final

import structlog

from config.errors import ConfigError, JournalError
from sidecar.addresses import AddressRule, check_host
from sidecar.aio import Component
from sidecar.sinks.webhook.dispatcher import DispatchLimits, SteadyClock, WebhookDispatcher
from sidecar.sinks.webhook.outbox import Delivery, Outbox, StoredWebhook
from sidecar.sinks.webhook.sender import Webhook, WebhookSender
from sidecar.sinks.webhook.signature import signing_key
from sidecar.sinks.webhook.sink import delivery_of
from sidecar.supervisor.event_log import EventRecord
from sidecar.supervisor.room_urls import host_of
from sidecar.supervisor.values import WebhookRequest

log = structlog.get_logger(__name__)

RESULTS: Final = ("delivered", "failed", "dead", "dropped")
"""What deliveries are counted by."""


@dataclass(frozen=True, slots=True)
class WebhookOptions:
    """How webhooks are delivered."""

    server: tuple[Webhook, ...] = ()
    """Those that get the events of all rooms."""
    rule: AddressRule = AddressRule.PUBLIC
    """Where webhooks may lead."""
    limits: DispatchLimits = field(default_factory=DispatchLimits)


def check_webhooks(
    requests: Sequence[WebhookRequest], secrets: Mapping[str, str], rule: AddressRule
) -> None:
    """Raise ConfigError or RefusedError for a room's webhook that can't be delivered to."""
    for request in requests:
        check_host(host_of(request.url), rule)
        if request.secret not in secrets:
            what = f"the secret {request.secret} is not given"
            raise ConfigError(what, where="webhooks", do="add it to secrets")
        signing_key(secrets[request.secret])


class WebhookDelivery(Component):
    """Takes the records of the event log and delivers them; ``results`` and ``waiting`` count.

    ``open_secret`` returns the secret that stands on disk, in the clear; it raises ConfigError.
    """

    def __init__(
        self, options: WebhookOptions, outbox: Outbox, open_secret: Callable[[str], str]
    ) -> None:
        self._options = options
        self._outbox = outbox
        self._open_secret = open_secret
        self._clock = SteadyClock()
        sender = WebhookSender(options.rule)
        self._dispatcher = WebhookDispatcher(
            outbox, sender, limits=options.limits, clock=self._clock
        )
        self._rooms: dict[str, tuple[Webhook, ...]] = {}

    async def start(self) -> None:
        """Continue what waits on disk, also for rooms that are over; raises JournalError."""
        for webhook in self._options.server:
            self._dispatcher.add(webhook)
        stored = await self._outbox.webhooks()
        for one in stored:
            self._dispatcher.add(self._webhook(one))
        await self._dispatcher.start()
        for one in stored:
            self._dispatcher.remove(one.id)

    async def aclose(self) -> None:
        """Deliver and write what waits, within a few seconds."""
        await self._dispatcher.aclose()

    @property
    def results(self) -> dict[str, int]:
        """Deliveries and attempts so far, by each of ``RESULTS``."""
        return {result: self._dispatcher.results[result] for result in RESULTS}

    @property
    def waiting(self) -> int:
        """Deliveries that wait now."""
        return self._dispatcher.waiting

    async def remember(
        self, room: str, requests: Sequence[WebhookRequest], secrets: dict[str, str]
    ) -> None:
        """Write a new room's webhooks to disk; ``secrets`` are sealed. Raises JournalError."""
        for number, request in enumerate(requests, 1):
            stored = StoredWebhook(_id(room, number), request.url, secrets[request.secret])
            await self._outbox.add_webhook(stored)

    def open_room(
        self, room: str, requests: Sequence[WebhookRequest], secret: Callable[[str], str]
    ) -> None:
        """Deliver the events of ``room`` to its webhooks too.

        ``secret`` returns a room's secret by name, and raises ConfigError where it is gone.
        """
        webhooks = tuple(
            Webhook(
                _id(room, number),
                request.url,
                partial(secret, request.secret),
                frozenset(request.events or ()),
            )
            for number, request in enumerate(requests, 1)
        )
        for webhook in webhooks:
            self._dispatcher.add(webhook)
        self._rooms[room] = webhooks

    async def close_room(self, room: str) -> None:
        """Forget a room's webhooks as soon as nothing waits for them."""
        closed = self._rooms.pop(room, ())
        for webhook in closed:
            self._dispatcher.remove(webhook.id)
        if closed:
            try:
                await self._outbox.forget_webhooks(self._dispatcher.known)
            except JournalError as error:
                log.warning("webhooks stay in the journal", room=room, reason=str(error))

    def take(self, record: EventRecord) -> None:
        """Queue an event for all webhooks that want it; returns at once."""
        kind = str(record.event.get("event", ""))
        for webhook in (*self._options.server, *self._rooms.get(record.room, ())):
            if webhook.wants(kind):
                now = self._clock()
                self._dispatcher.put(delivery_of(webhook.id, record.room, record.event, now))

    async def deliveries(
        self, *, dead: bool | None, webhook: str, room: str, after: int, limit: int
    ) -> list[Delivery]:
        """Deliveries on disk with numbers above ``after``; empty texts select all."""
        return await self._outbox.deliveries(
            dead=dead, webhook=webhook, room=room, after=after, limit=limit
        )

    async def redeliver(self, number: int) -> Delivery:
        """Send a dead letter again, after what waits; raises NotFoundError and JournalError."""
        known = self._dispatcher.known
        gone = [one for one in await self._outbox.webhooks() if one.id not in known]
        for one in gone:
            self._dispatcher.add(self._webhook(one))
        try:
            return await self._dispatcher.redeliver(number)
        finally:
            for one in gone:
                self._dispatcher.remove(one.id)

    def _webhook(self, stored: StoredWebhook) -> Webhook:
        """The webhook of a room that may be over."""
        return Webhook(stored.id, stored.url, lambda: self._open_secret(stored.secret))


def _id(room: str, number: int) -> str:
    return f"{room}-{number}"
