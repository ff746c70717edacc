"""Webhook deliveries as a client of the API sees them."""

from collections.abc import AsyncIterator
from typing import Any

import pytest
from aiohttp.test_utils import TestClient, TestServer
from prometheus_client.parser import text_string_to_metric_families

from sidecar.addresses import AddressRule
from sidecar.inference.dispatcher import Dispatcher
from sidecar.server.api.app import ApiOptions, create_api
from sidecar.server.api.metrics import MetricSources
from sidecar.server.api.system_endpoints import SystemEndpoints
from sidecar.server.api.tokens import Authenticator, KnownToken, Scope, known_token
from sidecar.server.api.webhook_endpoints import WebhookEndpoints
from sidecar.sinks.webhook.dispatcher import DispatchLimits
from sidecar.sinks.webhook.sender import Webhook
from sidecar.supervisor.supervisor import Supervisor
from sidecar.supervisor.webhooks import WebhookOptions
from tests.sidecar.clients import eventually
from tests.sidecar.sinks.webhook.receiver import SECRET, Receiver, receiving
from tests.sidecar.supervisor.world import World

ADMIN, EVENTS = "the-admin-has-this-token", "a-reader-of-events-has-this"
LIST = "/v1/webhooks/deliveries"


class WebhookApi:
    """A client, the supervisor behind the server, and where its webhook leads."""

    def __init__(
        self, supervisor: Supervisor, client: TestClient[Any, Any], receiver: Receiver
    ) -> None:
        self.supervisor = supervisor
        self.receiver = receiver
        self._client = client

    async def call(self, method: str, path: str, token: str = ADMIN) -> tuple[int, Any]:
        headers = {"Authorization": f"Bearer {token}"}
        async with self._client.request(method, path, headers=headers) as answer:
            found = answer.content_type.endswith("json")
            return answer.status, await (answer.json() if found else answer.text())

    async def bury(self, count: int) -> None:
        """Make dead letters: the receiver wants no more."""
        before = self.supervisor.webhooks.results["dead"]
        for number in range(count):
            self.receiver.statuses.append(410)
            self.supervisor.events.append("r-1", {"event": "x", "n": number})
        await eventually(lambda: self.supervisor.webhooks.results["dead"] == before + count)


@pytest.fixture
async def api() -> AsyncIterator[WebhookApi]:
    async with receiving() as receiver:
        hook = Webhook("server-1", receiver.url, lambda: SECRET)
        options = WebhookOptions((hook,), AddressRule.ANY, DispatchLimits(flush=0.0))
        async with World(webhooks=options).running() as supervisor:
            tokens: tuple[KnownToken, ...] = (
                known_token(ADMIN, "admin"),
                known_token(EVENTS, "reader", frozenset({Scope.EVENTS})),
            )
            sources = MetricSources(supervisor, lambda: Dispatcher().stats(restarts=0))
            app = create_api(
                WebhookEndpoints(supervisor.webhooks).endpoints(),
                SystemEndpoints(sources, faults=list, drain=lambda: None),
                Authenticator(tokens),
                ApiOptions("127.0.0.1"),
            )
            async with TestClient(TestServer(app)) as client:
                yield WebhookApi(supervisor, client, receiver)


async def test_dead_letters_are_listed_with_their_reason(api: WebhookApi) -> None:
    await api.bury(2)
    status, answer = await api.call("GET", f"{LIST}?state=dead&room=r-1")
    assert status == 200
    assert [one["event"]["n"] for one in answer["deliveries"]] == [0, 1]
    first = answer["deliveries"][0]
    assert (first["webhook"], first["state"]) == ("server-1", "dead")
    assert (first["attempts"], first["reason"]) == (1, "answered 410")
    assert answer["next"] is None
    assert (await api.call("GET", f"{LIST}?state=waiting"))[1]["deliveries"] == []


async def test_a_long_list_comes_in_pages(api: WebhookApi) -> None:
    await api.bury(3)
    _, first = await api.call("GET", f"{LIST}?limit=2")
    _, second = await api.call("GET", f"{LIST}?limit=2&after={first['next']}")
    numbers = [one["event"]["n"] for page in (first, second) for one in page["deliveries"]]
    assert (numbers, second["next"]) == ([0, 1, 2], None)


async def test_a_dead_letter_is_delivered_again(api: WebhookApi) -> None:
    await api.bury(1)
    _, answer = await api.call("GET", f"{LIST}?state=dead")
    [dead] = answer["deliveries"]
    status, shown = await api.call("POST", f"{LIST}/{dead['number']}/redeliver")
    assert (status, shown["state"], shown["id"]) == (202, "waiting", dead["id"])
    await eventually(lambda: api.receiver.taken["r-1"] == [dead["id"]])
    assert (await api.call("POST", f"{LIST}/{dead['number']}/redeliver"))[0] == 404


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("POST", f"{LIST}/999/redeliver", 404),
        ("POST", f"{LIST}/-1/redeliver", 404),
        ("POST", f"{LIST}/{2**63}/redeliver", 404),
        ("GET", f"{LIST}?state=lost", 400),
        ("GET", f"{LIST}?limit=0", 400),
        ("GET", f"{LIST}?after={10**30}", 400),
    ],
)
async def test_a_wrong_request_is_a_problem(
    api: WebhookApi, method: str, path: str, status: int
) -> None:
    got, answer = await api.call(method, path)
    assert (got, answer["status"]) == (status, status)


@pytest.mark.parametrize(("method", "path"), [("GET", LIST), ("POST", f"{LIST}/1/redeliver")])
async def test_the_scope_admin_is_needed(api: WebhookApi, method: str, path: str) -> None:
    assert (await api.call(method, path, EVENTS))[0] == 403


async def test_deliveries_are_counted_by_result(api: WebhookApi) -> None:
    await api.bury(2)
    api.supervisor.events.append("r-1", {"event": "x"})
    await eventually(lambda: api.supervisor.webhooks.results["delivered"] == 1)
    _, text = await api.call("GET", "/metrics")
    values = {
        (sample.name, *sample.labels.values()): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }
    assert values["sidecar_webhook_deliveries_total", "delivered"] == 1
    assert values["sidecar_webhook_deliveries_total", "dead"] == 2
    assert values["sidecar_webhook_deliveries_total", "dropped"] == 0
    assert values["sidecar_webhook_waiting",] == 0
