"""Streams of deliveries: order, retries, dead letters, restarts, a disk that is full."""

import asyncio
import sqlite3
import time
from collections import defaultdict
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from config.errors import JournalError, NotFoundError
from sidecar.addresses import AddressRule
from sidecar.aio import Backoff
from sidecar.sinks.journal_file import JournalFile
from sidecar.sinks.webhook.dispatcher import DispatchLimits, SteadyClock, WebhookDispatcher
from sidecar.sinks.webhook.outbox import TABLES, Delivery, Outbox
from sidecar.sinks.webhook.sender import Outcome, Webhook, WebhookSender
from sidecar.sinks.webhook.sink import delivery_of
from tests.sidecar.clients import eventually
from tests.sidecar.sinks.webhook.receiver import SECRET, Receiver, receiving

SOON = Backoff(first=0.01, factor=1.0, longest=0.01, jitter=0.0)
LIMITS = DispatchLimits(window=3, flush=5.0)
QUICK_END = DispatchLimits(window=3, flush=0.0)


class SettableClock:
    """Unix time that a test sets."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


class FullDisk(Outbox):
    """An outbox that takes nothing while ``full``."""

    def __init__(self, file: JournalFile) -> None:
        super().__init__(file)
        self.full = True
        self.refusals = 0

    async def store(self, new: Sequence[Delivery], done: Sequence[int] = ()) -> list[Delivery]:
        if self.full:
            self.refusals += 1
            raise JournalError("database or disk is full")
        return await super().store(new, done)


def event(number: int, room: str = "r", webhook: str = "w") -> Delivery:
    name = f"{webhook}-{room}-{number}"
    return delivery_of(webhook, room, {"event": "x", "n": number}, 1000.0, name=name)


def names(count: int, room: str = "r", webhook: str = "w") -> list[str]:
    return [f"{webhook}-{room}-{number}" for number in range(count)]


def without_repeats(taken: Sequence[str]) -> list[str]:
    return list(dict.fromkeys(taken))


@asynccontextmanager
async def dispatching(
    url: str,
    path: Path | None = None,
    *,
    limits: DispatchLimits = LIMITS,
    clock: Callable[[], float] | None = None,
    answer: float = 5.0,
) -> AsyncIterator[WebhookDispatcher]:
    """A dispatcher that knows the webhook ``w`` at ``url``."""
    async with JournalFile(path, TABLES) as file:
        sender = WebhookSender(AddressRule.ANY, timeout=answer)
        dispatcher = WebhookDispatcher(
            *(Outbox(file), sender),
            limits=limits,
            retries=SOON,
            writing=SOON,
            clock=clock or SettableClock(),
        )
        dispatcher.add(Webhook("w", url, lambda: SECRET))
        async with dispatcher:
            yield dispatcher


@pytest.fixture
async def receiver() -> AsyncIterator[Receiver]:
    async with receiving() as found:
        yield found


async def on_disk(path: Path, *, dead: bool) -> list[str]:
    async with JournalFile(path, TABLES) as file:
        found = await Outbox(file).deliveries(dead=dead, webhook="", room="", after=0, limit=999)
        return [one.id for one in found]


async def test_events_of_each_room_come_in_order(receiver: Receiver) -> None:
    async with dispatching(receiver.url) as dispatcher:
        for number in range(20):
            for room in ("a", "b"):
                assert dispatcher.put(event(number, room))
    assert receiver.taken == {"a": names(20, "a"), "b": names(20, "b")}
    assert dispatcher.results == {"delivered": 40}
    assert dispatcher.waiting == 0


async def test_what_was_delivered_is_not_kept(receiver: Receiver, tmp_path: Path) -> None:
    async with dispatching(receiver.url, tmp_path / "j.db") as dispatcher:
        for number in range(10):
            dispatcher.put(event(number))
    assert await on_disk(tmp_path / "j.db", dead=False) == []


async def test_a_receiver_that_answers_500_and_recovers_loses_nothing(receiver: Receiver) -> None:
    receiver.statuses = [500, 500, 204, 500]
    async with dispatching(receiver.url) as dispatcher:
        for number in range(5):
            dispatcher.put(event(number))
    assert receiver.taken["r"] == names(5)
    assert dispatcher.results == {"delivered": 5, "failed": 3}


async def test_a_receiver_that_goes_away_and_comes_back_loses_nothing(receiver: Receiver) -> None:
    async with dispatching(receiver.url) as dispatcher:
        dispatcher.put(event(0))
        await eventually(lambda: len(receiver.taken["r"]) == 1)
        await receiver.aclose()
        for number in range(1, 10):
            dispatcher.put(event(number))
        await eventually(lambda: dispatcher.results["failed"] > 2)
        await receiver.start()
    assert receiver.taken["r"] == names(10)


async def test_a_receiver_that_hangs_is_tried_again(receiver: Receiver) -> None:
    receiver.hanging.clear()
    async with dispatching(receiver.url, answer=0.1) as dispatcher:
        for number in range(3):
            dispatcher.put(event(number))
        await eventually(lambda: dispatcher.results["failed"] > 0)
        receiver.hanging.set()
    assert without_repeats(receiver.taken["r"]) == names(3)


async def test_a_webhook_that_hangs_holds_up_no_other(receiver: Receiver) -> None:
    async with receiving() as stuck:
        stuck.hanging.clear()
        async with dispatching(receiver.url, limits=QUICK_END) as dispatcher:
            dispatcher.add(Webhook("stuck", stuck.url, lambda: SECRET))
            for number in range(20):
                dispatcher.put(event(0, f"room-{number}", "stuck"))
            dispatcher.put(event(0))
            await eventually(lambda: receiver.taken["r"] == names(1))


async def test_closing_ends_in_time_beside_a_receiver_that_hangs(receiver: Receiver) -> None:
    receiver.hanging.clear()
    async with asyncio.timeout(30):
        async with dispatching(receiver.url, limits=QUICK_END, answer=60.0) as dispatcher:
            dispatcher.put(event(0))
            await eventually(lambda: len(receiver.bodies) == 1)


async def test_what_waits_is_delivered_after_a_restart_in_order(
    receiver: Receiver, tmp_path: Path
) -> None:
    receiver.broken = True
    async with dispatching(receiver.url, tmp_path / "j.db", limits=QUICK_END) as dispatcher:
        for number in range(10):
            dispatcher.put(event(number))
        await eventually(lambda: dispatcher.results["failed"] > 0)
    receiver.broken = False
    async with dispatching(receiver.url, tmp_path / "j.db") as dispatcher:
        assert dispatcher.waiting == 10
        for number in range(10, 15):
            dispatcher.put(event(number))
    assert receiver.taken["r"] == names(15)


async def test_a_delivery_that_fails_for_too_long_is_a_dead_letter(
    receiver: Receiver, tmp_path: Path
) -> None:
    clock = SettableClock()
    receiver.broken = True
    async with dispatching(receiver.url, tmp_path / "j.db", clock=clock) as dispatcher:
        dispatcher.put(event(0))
        await eventually(lambda: dispatcher.results["failed"] > 2)
        clock.now += DispatchLimits().give_up
        await eventually(lambda: dispatcher.results["dead"] == 1)
        receiver.broken = False
        dispatcher.put(event(1))
    assert await on_disk(tmp_path / "j.db", dead=True) == names(1)
    assert receiver.taken["r"] == ["w-r-1"]


async def test_a_system_clock_that_is_set_gives_nothing_up(
    receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock = SteadyClock()
    before = clock()
    monkeypatch.setattr(time, "time", lambda: before + 10 * DispatchLimits().give_up)
    assert before <= clock() < before + 60
    receiver.statuses = [500]
    async with dispatching(receiver.url, clock=clock) as dispatcher:
        dispatcher.put(replace(event(0), created=before))
    assert dispatcher.results == {"failed": 1, "delivered": 1}


async def test_a_dead_letter_is_sent_again_on_request(receiver: Receiver) -> None:
    receiver.statuses = [410]
    async with dispatching(receiver.url) as dispatcher:
        dispatcher.put(event(0))
        await eventually(lambda: dispatcher.results["dead"] == 1)
        with pytest.raises(NotFoundError):
            await dispatcher.redeliver(999)
        await dispatcher.redeliver(2)
        await eventually(lambda: receiver.taken["r"] == names(1))


async def test_an_unknown_webhook_makes_dead_letters(receiver: Receiver) -> None:
    async with dispatching(receiver.url) as dispatcher:
        dispatcher.put(event(0, webhook="gone"))
        await eventually(lambda: dispatcher.results["dead"] == 1)
    assert not receiver.bodies


async def test_a_webhook_that_is_removed_gets_what_waits_for_it(receiver: Receiver) -> None:
    async with dispatching(receiver.url) as dispatcher:
        for number in range(5):
            dispatcher.put(event(number))
        dispatcher.remove("w")
    assert receiver.taken["r"] == names(5)


async def test_a_backlog_has_a_limit_and_what_is_beyond_is_counted(receiver: Receiver) -> None:
    receiver.hanging.clear()
    limits = DispatchLimits(backlog=5, flush=0.0)
    async with dispatching(receiver.url, limits=limits) as dispatcher:
        taken = [dispatcher.put(event(number)) for number in range(8)]
        assert taken == [True] * 5 + [False] * 3
        assert dispatcher.results["dropped"] == 3


@asynccontextmanager
async def on_a_full_disk(
    url: str, memory: int
) -> AsyncIterator[tuple[WebhookDispatcher, FullDisk]]:
    async with JournalFile(None, TABLES) as file:
        outbox = FullDisk(file)
        dispatcher = WebhookDispatcher(
            *(outbox, WebhookSender(AddressRule.ANY)),
            limits=DispatchLimits(window=3, memory=memory, flush=5.0),
            retries=SOON,
            writing=SOON,
            clock=SettableClock(),
        )
        dispatcher.add(Webhook("w", url, lambda: SECRET))
        async with dispatcher:
            yield dispatcher, outbox


async def test_a_full_disk_stops_no_delivery(receiver: Receiver) -> None:
    async with on_a_full_disk(receiver.url, memory=50) as (dispatcher, outbox):
        for number in range(20):
            assert dispatcher.put(event(number))
        await eventually(lambda: receiver.taken["r"] == names(20))
        assert outbox.refusals > 0
        outbox.full = False


async def test_a_full_disk_and_a_receiver_that_fails_fill_a_bounded_queue(
    receiver: Receiver,
) -> None:
    receiver.broken = True
    async with on_a_full_disk(receiver.url, memory=10) as (dispatcher, outbox):
        taken = 0
        for number in range(30):
            taken += dispatcher.put(event(number))
            await asyncio.sleep(0.002)
        # The window has three, the queue ten; the rest is dropped and counted.
        assert dispatcher.results["dropped"] == 30 - taken >= 30 - 10 - 4
        receiver.broken = False
        outbox.full = False
    assert receiver.taken["r"] == names(taken)


async def test_order_holds_when_the_disk_fills_up_and_is_free_again(receiver: Receiver) -> None:
    async with on_a_full_disk(receiver.url, memory=100) as (dispatcher, outbox):
        for number in range(40):
            outbox.full = number // 10 % 2 == 1
            dispatcher.put(event(number))
            await asyncio.sleep(0.003)
        outbox.full = False
    assert receiver.taken["r"] == names(40)


async def test_a_disk_that_sqlite_says_is_full_is_a_journal_error(tmp_path: Path) -> None:
    async with JournalFile(tmp_path / "j.db", TABLES) as file:
        await file.run(_leave_one_page)
        with pytest.raises(JournalError, match="full"):
            await Outbox(file).store([event(number) for number in range(2000)])
        assert await Outbox(file).load(("w", "r"), 0, 9) == []


def _leave_one_page(database: sqlite3.Connection) -> None:
    (pages,) = database.execute("PRAGMA page_count").fetchone()
    database.execute(f"PRAGMA max_page_count = {pages + 1}")


class FakeSender(WebhookSender):
    """Answers as ``plan`` says, then well; keeps what was delivered."""

    def __init__(self, plan: Sequence[bool]) -> None:
        super().__init__(AddressRule.ANY)
        self.taken: dict[str, list[str]] = defaultdict(list)
        self._plan = list(plan)

    async def send(self, webhook: Webhook, delivery: Delivery) -> Outcome:
        await asyncio.sleep(0)
        if self._plan and not self._plan.pop():
            return Outcome("answered 500")
        self.taken[delivery.room].append(delivery.id)
        return Outcome()


class BrokenSender(FakeSender):
    """Raises what no sender should, the first time."""

    async def send(self, webhook: Webhook, delivery: Delivery) -> Outcome:
        if self._plan:
            self._plan.clear()
            raise RuntimeError("a library's own mistake")
        return await super().send(webhook, delivery)


async def test_a_fault_of_a_library_ends_no_stream() -> None:
    sender = BrokenSender([False])
    async with JournalFile(None, TABLES) as file:
        dispatcher = WebhookDispatcher(Outbox(file), sender, limits=LIMITS, retries=SOON)
        dispatcher.add(Webhook("w", "http://unused.example/", lambda: SECRET))
        async with dispatcher:
            for number in range(3):
                dispatcher.put(replace(event(number), created=SteadyClock()()))
    assert sender.taken["r"] == names(3)


STEPS = st.lists(st.one_of(st.sampled_from(["a", "b", "restart", "full", "free", "wait"])))


async def _play(steps: Sequence[str], plan: Sequence[bool], path: Path) -> None:
    """Put events and restart as ``steps`` say; each room's come in order, none is missing."""
    put: dict[str, list[str]] = defaultdict(list)
    sender = FakeSender(plan)
    remaining = [*steps, "last"]
    while remaining:
        flush = 0.0 if "restart" in remaining else 10.0
        async with JournalFile(path, TABLES) as file:
            outbox = FullDisk(file)
            outbox.full = False
            dispatcher = WebhookDispatcher(
                *(outbox, sender),
                limits=DispatchLimits(window=2, flush=flush),
                retries=Backoff(first=0.0, jitter=0.0),
                writing=Backoff(first=0.0, jitter=0.0),
                clock=SettableClock(),
            )
            dispatcher.add(Webhook("w", "http://unused.example/", lambda: SECRET))
            async with dispatcher:
                while (step := remaining.pop(0)) not in {"restart", "last"}:
                    if step in {"a", "b"}:
                        delivery = event(len(put[step]), step)
                        assert dispatcher.put(delivery)
                        put[step].append(delivery.id)
                    elif step == "wait":
                        await asyncio.sleep(0.001)
                    else:
                        outbox.full = step == "full"
                outbox.full = False
    for room, ids in put.items():
        assert without_repeats(sender.taken[room]) == ids


@settings(
    max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(steps=STEPS, plan=st.lists(st.booleans(), max_size=20))
def test_order_holds_and_nothing_is_lost_over_failures_restarts_and_full_disks(
    steps: list[str], plan: list[bool], tmp_path_factory: pytest.TempPathFactory
) -> None:
    asyncio.run(_play(steps, plan, tmp_path_factory.mktemp("journal") / "j.db"))
