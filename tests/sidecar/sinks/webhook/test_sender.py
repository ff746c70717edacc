"""One attempt against a real HTTP server."""

import asyncio
import json
from collections.abc import AsyncIterator

import pytest

from config.errors import ConfigError
from sidecar.addresses import AddressRule
from sidecar.sinks.webhook.outbox import Delivery
from sidecar.sinks.webhook.sender import Outcome, Webhook, WebhookSender
from sidecar.sinks.webhook.signature import signature_headers
from tests.sidecar.sinks.webhook.receiver import SECRET, Receiver, receiving

DELIVERY = Delivery("msg_1", "w", "r", json.dumps({"id": "msg_1", "room": "r"}), 0.0)


@pytest.fixture
async def receiver() -> AsyncIterator[Receiver]:
    async with receiving() as found:
        yield found


async def send(url: str, rule: AddressRule = AddressRule.ANY, answer: float = 5.0) -> Outcome:
    sender = WebhookSender(rule, timeout=answer, clock=lambda: 1_700_000_000.9)
    await sender.start()
    try:
        return await sender.send(Webhook("w", url, lambda: SECRET), DELIVERY)
    finally:
        await sender.aclose()


async def test_a_delivery_is_a_signed_json_post(receiver: Receiver) -> None:
    assert await send(receiver.url) == Outcome()
    assert receiver.bodies == [DELIVERY.body]
    headers = receiver.headers[0]
    assert headers["Content-Type"] == "application/json"
    wanted = signature_headers(SECRET, "msg_1", 1_700_000_000, DELIVERY.body.encode())
    assert {name: headers[name] for name in wanted} == wanted


async def test_an_error_status_is_the_reason(receiver: Receiver) -> None:
    receiver.statuses = [500]
    assert await send(receiver.url) == Outcome("answered 500")


async def test_410_ends_the_delivery(receiver: Receiver) -> None:
    receiver.statuses = [410]
    assert (await send(receiver.url)).final


@pytest.mark.parametrize(("given", "wait"), [("7", 7.0), ("999999", 3600.0), ("soon", 0.0)])
async def test_retry_after_is_respected_within_an_hour(
    receiver: Receiver, given: str, wait: float
) -> None:
    receiver.statuses = [503]
    receiver.answer_headers = {"Retry-After": given}
    assert (await send(receiver.url)).wait == wait


async def test_a_receiver_that_hangs_is_given_up(receiver: Receiver) -> None:
    receiver.hanging.clear()
    assert await send(receiver.url, answer=0.2) == Outcome("no answer within 0.2 s")


async def test_a_receiver_that_closes_at_once_is_a_failure() -> None:
    async def close(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.close()

    async with await asyncio.start_server(close, "127.0.0.1", 0) as server:
        port = server.sockets[0].getsockname()[1]
        outcome = await send(f"http://127.0.0.1:{port}/")
    assert outcome.reason
    assert not outcome.final


async def test_a_receiver_that_sends_nonsense_is_a_failure() -> None:
    async def babble(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"\x00\xff nothing of HTTP \r\n\r\n")
        writer.close()

    async with await asyncio.start_server(babble, "127.0.0.1", 0) as server:
        port = server.sockets[0].getsockname()[1]
        assert (await send(f"http://127.0.0.1:{port}/")).reason


async def test_no_server_is_a_failure(receiver: Receiver) -> None:
    await receiver.aclose()
    outcome = await send(receiver.url)
    assert "127.0.0.1" in outcome.reason
    assert not outcome.final


@pytest.mark.parametrize("status", [307, 308])
async def test_a_redirect_that_keeps_the_method_is_followed(
    receiver: Receiver, status: int
) -> None:
    receiver.statuses = [status]
    receiver.answer_headers = {"Location": "/elsewhere"}
    assert await send(receiver.url) == Outcome()
    assert receiver.bodies == [DELIVERY.body] * 2


async def test_a_redirect_that_would_make_it_a_get_is_a_failure(receiver: Receiver) -> None:
    receiver.statuses = [302]
    receiver.answer_headers = {"Location": "/elsewhere"}
    assert "302" in (await send(receiver.url)).reason
    assert len(receiver.bodies) == 1


async def test_redirects_without_end_are_a_failure(receiver: Receiver) -> None:
    receiver.statuses = [307] * 10
    receiver.answer_headers = {"Location": "/again"}
    assert await send(receiver.url) == Outcome("more than 3 redirects")
    assert len(receiver.bodies) == 4


async def test_a_redirect_to_a_metadata_service_is_refused(receiver: Receiver) -> None:
    receiver.statuses = [307]
    receiver.answer_headers = {"Location": "http://169.254.169.254/latest/meta-data"}
    outcome = await send(receiver.url, AddressRule.ROOM)
    assert outcome.final
    assert "metadata" in outcome.reason


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "2130706433", "[::1]", "10.0.0.1"])
async def test_an_address_that_is_not_public_is_refused(receiver: Receiver, host: str) -> None:
    outcome = await send(f"http://{host}:{receiver.port}/", AddressRule.PUBLIC)
    assert outcome.final
    assert not receiver.bodies


async def test_a_secret_that_is_gone_is_a_failure_without_a_request(receiver: Receiver) -> None:
    def gone() -> str:
        raise ConfigError("the secret is not known any more")

    sender = WebhookSender(AddressRule.ANY)
    await sender.start()
    outcome = await sender.send(Webhook("w", receiver.url, gone), DELIVERY)
    await sender.aclose()
    assert outcome == Outcome("the secret is not known any more")
    assert not receiver.bodies


async def test_a_password_in_the_url_stands_in_no_reason(receiver: Receiver) -> None:
    await receiver.aclose()
    outcome = await send(f"http://user:tell-no-one@127.0.0.1:{receiver.port}/")
    assert outcome.reason
    assert "tell-no-one" not in outcome.reason
