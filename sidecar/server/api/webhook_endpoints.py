"""Webhook deliveries over HTTP: those that wait, dead letters, and sending one again."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final, Literal

from aiohttp import web

from config.errors import InputError, NotFoundError
from sidecar.server.api.endpoints import Endpoint, Exchange, Parameter
from sidecar.server.api.tokens import Scope
from sidecar.sinks.webhook.outbox import Delivery
from sidecar.supervisor.values import Value
from sidecar.supervisor.webhooks import WebhookDelivery

LIMIT: Final = 100
"""Deliveries of one answer, unless it is asked for others."""
MOST: Final = 500
LARGEST: Final = 2**63 - 1
"""Numbers of rows are signed integers of 64 bits."""


class DeliveryView(Value):
    """One event on its way to one webhook."""

    number: int
    """Grows with every delivery; names it in the API."""
    id: str
    """The ``webhook-id`` that the receiver sees."""
    webhook: str
    """The room's id and the webhook's place in its list, or ``server-`` and a part of a hash."""
    room: str
    state: Literal["waiting", "dead"]
    created: datetime
    """When the event happened, or when it was last sent again."""
    attempts: int
    """Of a dead letter."""
    reason: str
    """Why a dead letter was given up."""
    event: dict[str, Any]
    """The body."""


class DeliveryList(Value):
    """A page of deliveries, the oldest first."""

    deliveries: tuple[DeliveryView, ...]
    next: int | None
    """``after`` of the next page; None at the end."""


_PARAMETERS: Final = (
    Parameter("state", "Only those that wait, or dead letters", {"enum": ["waiting", "dead"]}),
    Parameter("webhook", "Only of the webhook with this id", {"type": "string"}),
    Parameter("room", "Only of the room with this id", {"type": "string"}),
    Parameter(
        "after", "Only with larger numbers", {"type": "integer", "minimum": 0, "maximum": LARGEST}
    ),
    Parameter("limit", "How many", {"type": "integer", "minimum": 1, "maximum": MOST}),
)


@dataclass(frozen=True, slots=True)
class WebhookEndpoints:
    """The deliveries of ``webhooks``."""

    webhooks: WebhookDelivery

    def endpoints(self) -> Sequence[Endpoint]:
        """The table."""
        deliveries = "/v1/webhooks/deliveries"
        return (
            Endpoint(
                "GET", deliveries, "listDeliveries", "List webhook deliveries on disk",
                Scope.ADMIN, self.list, answer=DeliveryList, parameters=_PARAMETERS,
                errors=(400, 507), tag="webhooks",
            ),
            Endpoint(
                "POST", deliveries + "/{number}/redeliver", "redeliver", "Send a dead letter again",
                Scope.ADMIN, self.redeliver, status=202, answer=DeliveryView, errors=(404, 507),
                tag="webhooks",
            ),
        )  # fmt: skip

    async def list(self, exchange: Exchange) -> DeliveryList:
        request = exchange.request
        limit = _number(request, "limit", LIMIT, 1, MOST)
        found = await self.webhooks.deliveries(
            dead=_is_dead(request),
            webhook=request.query.get("webhook", ""),
            room=request.query.get("room", ""),
            after=_number(request, "after", 0, 0, LARGEST),
            limit=limit,
        )
        more = found[-1].number if len(found) == limit else None
        return DeliveryList(deliveries=tuple(map(_view, found)), next=more)

    async def redeliver(self, exchange: Exchange) -> DeliveryView:
        text = exchange.request.match_info["number"]
        if not (text.isascii() and text.isdigit() and int(text) <= LARGEST):
            raise NotFoundError("there is no such delivery", where="deliveries")
        return _view(await self.webhooks.redeliver(int(text)))


def _view(delivery: Delivery) -> DeliveryView:
    return DeliveryView(
        number=delivery.number or 0,
        id=delivery.id,
        webhook=delivery.webhook,
        room=delivery.room,
        state="dead" if delivery.dead else "waiting",
        created=datetime.fromtimestamp(delivery.created, UTC),
        attempts=delivery.attempts,
        reason=delivery.reason,
        event=json.loads(delivery.body),
    )


def _is_dead(request: web.Request) -> bool | None:
    state = request.query.get("state")
    if state not in {None, "waiting", "dead"}:
        raise InputError("the state is waiting or dead", status=400, where="state")
    return None if state is None else state == "dead"


def _number(request: web.Request, name: str, default: int, least: int, most: int) -> int:
    text = request.query.get(name, str(default))
    if not (text.isascii() and text.isdigit() and len(text) < 20 and least <= int(text) <= most):
        raise InputError(f"a whole number from {least} to {most}", status=400, where=name)
    return int(text)
