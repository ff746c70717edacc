"""A sink that is slow, fails or hangs holds up nothing, and what it misses is counted."""

import asyncio

from structlog.testing import capture_logs

from sidecar.session.events import EventBus
from sidecar.sinks.delivery import EventDelivery
from tests.sidecar.clients import eventually
from tests.sidecar.sinks.sinks import RecordingSink, joined


def times(sink: RecordingSink) -> list[float]:
    return [event.time for event in sink.events]


async def test_events_arrive_in_order() -> None:
    sink = RecordingSink()
    async with EventDelivery(sink) as delivery:
        for number in range(5):
            delivery.put(joined(number))
    assert times(sink) == [0, 1, 2, 3, 4]
    assert delivery.stats().delivered == 5
    assert sink.closed


async def test_a_sink_that_hangs_loses_the_oldest_and_recovers_with_the_newest() -> None:
    sink = RecordingSink()
    sink.open.clear()
    with capture_logs() as logs:
        async with EventDelivery(sink, capacity=3) as delivery:
            delivery.put(joined(0))
            await asyncio.sleep(0)  # The first is being written.
            for number in range(1, 8):
                delivery.put(joined(number))
            assert delivery.stats().dropped == 4
            assert delivery.stats().reason == "3 events behind"
            sink.open.set()
            await eventually(lambda: len(sink.events) == 4)
            assert times(sink) == [0, 5, 6, 7]
            assert delivery.stats().reason == ""
    changes = [(log["event"], log.get("reason"), log["dropped"]) for log in logs]
    assert changes == [
        ("events dropped", "3 events behind", 1),
        ("sink recovered", None, 4),
        ("sink closed", None, 4),
    ]


async def test_a_write_that_takes_too_long_is_given_up_and_the_next_event_is_tried() -> None:
    sink = RecordingSink()
    sink.open.clear()
    async with EventDelivery(sink, patience=0.02) as delivery:
        delivery.put(joined(0))
        await eventually(lambda: delivery.stats().dropped == 1)
        assert delivery.stats().reason == "not written within 0.02 s"
        sink.open.set()
        delivery.put(joined(1))
        await eventually(lambda: times(sink) == [1])


async def test_failures_are_logged_once_per_reason_and_delivery_goes_on() -> None:
    sink = RecordingSink()
    with capture_logs() as logs:
        async with EventDelivery(sink) as delivery:
            sink.failure = OSError(28, "no space left")
            for number in range(3):
                delivery.put(joined(number))
            await eventually(lambda: delivery.stats().dropped == 3)
            sink.failure = OSError(30, "read-only")
            for number in range(2):
                delivery.put(joined(number))
            await eventually(lambda: delivery.stats().dropped == 5)
            sink.failure = None
            delivery.put(joined(9))
            await eventually(lambda: times(sink) == [9])
    reasons = [log["reason"] for log in logs if log["event"] == "events dropped"]
    assert reasons == ["no space left", "read-only"]


async def test_what_waits_when_it_closes_gets_its_time_and_is_counted_after_that() -> None:
    sink = RecordingSink()
    sink.open.clear()
    delivery = EventDelivery(sink, flush=0.05)
    await delivery.start()
    for number in range(3):
        delivery.put(joined(number))
    await delivery.aclose()
    assert delivery.stats().dropped == 3
    assert sink.closed
    delivery.put(joined(4))
    assert delivery.stats().dropped == 3


async def test_a_sink_that_does_not_close_is_left() -> None:
    class Stuck(RecordingSink):
        async def aclose(self) -> None:
            await asyncio.Event().wait()

    with capture_logs() as logs:
        async with asyncio.timeout(30), EventDelivery(Stuck(), closing=0.02):
            pass
    assert [log["event"] for log in logs] == ["sink not closed"]


async def test_no_sink_holds_up_another_or_the_publisher() -> None:
    stuck, quick, bus = RecordingSink("stuck"), RecordingSink("quick"), EventBus()
    stuck.open.clear()
    async with (
        EventDelivery(stuck, flush=0.01) as slow,
        EventDelivery(quick) as fast,
    ):
        with bus.subscribe(slow.put), bus.subscribe(fast.put):
            for number in range(1000):
                bus.publish(joined(number))
                await asyncio.sleep(0)
            await eventually(lambda: fast.stats().delivered == 1000)
            assert slow.stats().dropped == 1000 - 256 - 1


async def test_closing_ends_the_task() -> None:
    before = asyncio.all_tasks()
    async with EventDelivery(RecordingSink()) as delivery:
        delivery.put(joined(1))
    assert asyncio.all_tasks() == before
