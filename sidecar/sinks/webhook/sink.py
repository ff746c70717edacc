"""A webhook as an event sink of one session: ``webhook+https://HOST/PATH``."""

import json
import uuid
from collections.abc import Callable, Mapping
from contextlib import AsyncExitStack
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

import structlog

from config.errors import CapacityError, ConfigError
from sidecar.session.events import SessionEvent, as_json
from sidecar.sinks.base import SinkOptions
from sidecar.sinks.journal_file import JournalFile
from sidecar.sinks.sink_url import SinkUrl
from sidecar.sinks.webhook.dispatcher import (
    TOO_MANY,
    DispatchLimits,
    SteadyClock,
    WebhookDispatcher,
)
from sidecar.sinks.webhook.outbox import TABLES, Delivery, Outbox
from sidecar.sinks.webhook.sender import Webhook, WebhookSender
from sidecar.sinks.webhook.signature import signing_key

log = structlog.get_logger(__name__)

SECRET: Final = "WEBHOOK_SECRET"  # noqa: S105
"""The variable with the secret, where the URL does not name another one."""
OPTIONS: Final = ("secret", "events", "journal")
CLOSING: Final = DispatchLimits(flush=0.7, write=0.5)
"""A sink closes within two seconds."""


def delivery_of(
    webhook: str, room: str, event: Mapping[str, Any], created: float, *, name: str = ""
) -> Delivery:
    """The delivery of ``event`` (as ``as_json`` makes it) in ``room``; ``created`` is Unix time.

    ``name`` is the delivery's id; a new one without it.
    """
    name = name or f"msg_{uuid.uuid4().hex}"
    time = datetime.fromtimestamp(created, UTC).isoformat(timespec="milliseconds")
    body = json.dumps({"id": name, "time": time, "room": room, **event}, ensure_ascii=False)
    return Delivery(name, webhook, room, body, created)


@dataclass(frozen=True, slots=True)
class WebhookTarget:
    """What the URL of a webhook sink names."""

    webhook: Webhook
    room: str
    """In the deliveries' ``room``."""
    journal: Path | None = None
    """Keeps what waits over restarts; None keeps it in memory."""


class WebhookSink:
    """Implements ``EventSink``: hands events to a dispatcher of its own."""

    def __init__(
        self,
        target: WebhookTarget,
        sender: WebhookSender,
        *,
        clock: Callable[[], float] | None = None,
    ) -> None:
        self._target = target
        self._clock = clock or SteadyClock()
        self._file = JournalFile(target.journal, TABLES)
        self._dispatcher = WebhookDispatcher(
            Outbox(self._file), sender, limits=CLOSING, clock=self._clock
        )
        self._dispatcher.add(target.webhook)
        self._life = AsyncExitStack()

    @property
    def name(self) -> str:
        return self._target.webhook.id

    async def start(self) -> None:
        """Open the journal and continue what waits in it; raises ConfigError, JournalError."""
        async with AsyncExitStack() as stack:
            await stack.enter_async_context(self._file)
            await stack.enter_async_context(self._dispatcher)
            self._life = stack.pop_all()

    async def write(self, event: SessionEvent) -> None:
        """Queue ``event``; raises CapacityError where too many wait."""
        target = self._target
        if not target.webhook.wants(event.kind):
            return
        delivery = delivery_of(target.webhook.id, target.room, as_json(event), self._clock())
        if not self._dispatcher.put(delivery):
            raise CapacityError(TOO_MANY, where=self.name)

    async def aclose(self) -> None:
        await self._life.aclose()
        if self._target.journal is None and (lost := self._dispatcher.waiting):
            log.warning("webhook deliveries lost", sink=self.name, count=lost, reason="no journal")


def webhook_sink(url: str, options: SinkOptions) -> WebhookSink:
    """The sink of ``webhook+https://…``; raises ConfigError without a secret.

    Options: ``secret`` (a reference; else the variable ``WEBHOOK_SECRET``), ``events`` (kinds,
    with commas), ``journal`` (a file).
    """
    parsed = SinkUrl.parse(url, OPTIONS)
    parsed.host()
    secret = parsed.credential("secret", SECRET, options)
    if secret is None:
        do = f"set {SECRET}, or end the URL with #secret=env:NAME"
        raise ConfigError(f"{parsed.shown!r} has no secret", where="--sink", do=do)
    signing_key(secret)
    events = frozenset(filter(None, parsed.options.get("events", "").split(",")))
    journal = parsed.options.get("journal")
    webhook = Webhook(parsed.shown, parsed.parts.geturl(), lambda: secret, events)
    path = Path(journal) if journal else None
    return WebhookSink(WebhookTarget(webhook, options.room.name, path), WebhookSender(options.rule))
