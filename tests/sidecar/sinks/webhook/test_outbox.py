from collections.abc import AsyncIterator
from dataclasses import replace

import pytest

from config.errors import NotFoundError
from sidecar.sinks.journal_file import JournalFile
from sidecar.sinks.webhook import outbox as module
from sidecar.sinks.webhook.outbox import TABLES, Delivery, Outbox, StoredWebhook


def delivery(name: str, webhook: str = "w", room: str = "r") -> Delivery:
    return Delivery(name, webhook, room, "{}", 100.0)


async def ids(outbox: Outbox, *, dead: bool | None = None) -> list[str]:
    found = await outbox.deliveries(dead=dead, webhook="", room="", after=0, limit=100)
    return [one.id for one in found]


@pytest.fixture
async def outbox() -> AsyncIterator[Outbox]:
    async with JournalFile(None, TABLES) as file:
        yield Outbox(file)


async def test_deliveries_of_a_stream_are_loaded_in_order_and_in_parts(outbox: Outbox) -> None:
    await outbox.store([delivery("a"), delivery("x", room="other"), delivery("b"), delivery("c")])
    first = await outbox.load(("w", "r"), 0, 2)
    rest = await outbox.load(("w", "r"), first[-1].number or 0, 2)
    assert [one.id for one in first + rest] == ["a", "b", "c"]


async def test_what_is_done_is_forgotten_in_the_transaction_that_stores(outbox: Outbox) -> None:
    stored = await outbox.store([delivery("a"), delivery("b")])
    await outbox.store([delivery("c")], [stored[0].number or 0])
    assert await ids(outbox) == ["b", "c"]


async def test_a_delivery_that_is_stored_twice_stands_there_once(outbox: Outbox) -> None:
    await outbox.store([delivery("a")])
    await outbox.store([delivery("a"), delivery("b")])
    assert await ids(outbox) == ["a", "b"]


async def test_a_dead_letter_keeps_its_reason_and_is_not_loaded(outbox: Outbox) -> None:
    [stored] = await outbox.store([delivery("a")])
    await outbox.bury(replace(stored, attempts=3), "answered 500")
    [dead] = await outbox.deliveries(dead=True, webhook="", room="", after=0, limit=9)
    assert (dead.id, dead.attempts, dead.reason) == ("a", 3, "answered 500")
    assert await outbox.load(("w", "r"), 0, 9) == []


async def test_the_oldest_dead_letters_give_way(
    outbox: Outbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "DEAD_KEPT", 2)
    for name in "abc":
        await outbox.bury(delivery(name), "refused")
    assert await ids(outbox, dead=True) == ["b", "c"]


async def test_a_revived_letter_is_the_last_that_waits(outbox: Outbox) -> None:
    await outbox.bury(delivery("a"), "refused")
    await outbox.store([delivery("b")])
    [dead] = await outbox.deliveries(dead=True, webhook="", room="", after=0, limit=9)
    revived = await outbox.revive(dead.number or 0, 500.0)
    assert (revived.created, revived.attempts, revived.dead) == (500.0, 0, False)
    assert await ids(outbox, dead=False) == ["b", "a"]


async def test_a_delivery_that_still_waits_is_no_dead_letter(outbox: Outbox) -> None:
    [stored] = await outbox.store([delivery("a")])
    with pytest.raises(NotFoundError):
        await outbox.revive(stored.number or 0, 1.0)


async def test_deliveries_are_selected_by_webhook_and_room(outbox: Outbox) -> None:
    await outbox.store([delivery("a", "w", "r"), delivery("b", "w", "s"), delivery("c", "v", "r")])
    found = await outbox.deliveries(dead=None, webhook="w", room="r", after=0, limit=9)
    assert [one.id for one in found] == ["a"]


async def test_webhooks_are_forgotten_when_no_delivery_and_no_room_needs_them(
    outbox: Outbox,
) -> None:
    for name in ("used", "wanted", "neither"):
        await outbox.add_webhook(StoredWebhook(name, "https://h.example", "env:S"))
    await outbox.bury(delivery("a", "used"), "refused")
    await outbox.forget_webhooks(["wanted"])
    assert [one.id for one in await outbox.webhooks()] == ["used", "wanted"]
