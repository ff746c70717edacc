"""Which sample is next: properties of any order of events, and the examples that explain them."""

import math
from collections import Counter

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from sidecar.inference.sample_queue import REMEMBERED_SOURCES, QueuedSample, SampleQueue


def put(queue: SampleQueue[str], source: str, payload: str = "", now: float = 0.0) -> None:
    queue.put(source, payload, None, now)


def taken(queue: SampleQueue[str], now: float = 0.0) -> str | None:
    """The source of the sample that is next, which is done with at once."""
    sample = queue.take(now)
    if sample is None:
        return None
    queue.release(sample.source)
    return sample.source


def test_an_empty_queue_has_nothing_to_detect() -> None:
    queue: SampleQueue[str] = SampleQueue()
    assert queue.take(0.0) is None
    assert queue.oldest(0.0) is None
    assert queue.next_deadline() == math.inf


def test_new_sources_are_served_in_the_order_in_which_they_came() -> None:
    queue: SampleQueue[str] = SampleQueue()
    for source in "cab":
        put(queue, source)
    assert [taken(queue) for _ in range(4)] == ["c", "a", "b", None]


def test_a_newer_sample_takes_the_place_of_the_one_that_waits() -> None:
    queue: SampleQueue[str] = SampleQueue()
    old, _ = queue.put("a", "old", None, 1.0)
    put(queue, "b", now=2.0)
    new, replaced = queue.put("a", "new", None, 3.0)
    assert replaced is old
    assert len(queue) == 2
    assert queue.oldest(4.0) == 2.0
    assert queue.take(4.0) is new


def test_the_source_that_was_served_longest_ago_is_next() -> None:
    queue: SampleQueue[str] = SampleQueue()
    for source in "abc":
        put(queue, source)
        assert taken(queue) == source
    for source in "cba":
        put(queue, source)
    assert [taken(queue) for _ in range(3)] == ["a", "b", "c"]


def test_many_new_sources_do_not_overtake_one_that_waits() -> None:
    queue: SampleQueue[str] = SampleQueue()
    for source in "ab":
        put(queue, source)
        assert taken(queue) == source
    put(queue, "a")
    for number in range(100):
        put(queue, f"new {number}")
    assert taken(queue) == "a"


def test_a_source_waits_while_its_last_sample_runs() -> None:
    queue: SampleQueue[str] = SampleQueue()
    put(queue, "a")
    assert queue.take(0.0) is not None
    put(queue, "a")
    assert queue.take(0.0) is None
    queue.release("a")
    assert taken(queue) == "a"


def test_expired_samples_are_not_detected_but_taken_out() -> None:
    queue: SampleQueue[str] = SampleQueue()
    early, _ = queue.put("a", "", 1.0, 0.0)
    late, _ = queue.put("b", "", 2.0, 0.0)
    assert queue.next_deadline() == 1.0
    assert queue.take(1.0) is late
    assert queue.expire(0.9) == []
    assert queue.expire(1.0) == [early]
    assert queue.next_deadline() == math.inf


def test_a_source_keeps_its_turn_when_its_sample_expires() -> None:
    queue: SampleQueue[str] = SampleQueue()
    for source in "ab":
        put(queue, source)
        assert taken(queue) == source
    queue.put("a", "", 1.0, 0.0)
    put(queue, "b")
    queue.expire(1.0)
    put(queue, "a", now=1.0)
    assert taken(queue, 1.0) == "a"


def test_a_sample_can_be_removed_while_it_waits_only() -> None:
    queue: SampleQueue[str] = SampleQueue()
    first, _ = queue.put("a", "", None, 0.0)
    assert queue.remove(first)
    assert not queue.remove(first)
    second, _ = queue.put("a", "", None, 0.0)
    assert not queue.remove(first)
    assert queue.take(0.0) is second
    assert not queue.remove(second)


def test_sources_that_left_are_forgotten() -> None:
    queue: SampleQueue[str] = SampleQueue()
    put(queue, "a")
    assert taken(queue) == "a"
    for number in range(REMEMBERED_SOURCES):
        put(queue, str(number))
        assert taken(queue) == str(number)
    put(queue, "1")
    put(queue, "a")
    assert taken(queue) == "1"


SOURCES = st.sampled_from("abcde")


class QueueMachine(RuleBasedStateMachine):
    """Sources that submit, workers that take and release, time that passes, in any order."""

    def __init__(self) -> None:
        super().__init__()
        self.queue: SampleQueue[int] = SampleQueue()
        self.now = 0.0
        self.waiting: dict[str, QueuedSample[int]] = {}
        self.running: set[str] = set()
        self.passed_over: Counter[str] = Counter()

    @rule(source=SOURCES, lasts=st.sampled_from([None, 0.0, 0.5, 3.0]))
    def submit(self, source: str, lasts: float | None) -> None:
        deadline = None if lasts is None else self.now + lasts
        sample, replaced = self.queue.put(source, 0, deadline, self.now)
        assert replaced is self.waiting.get(source)
        self.waiting[source] = sample

    @rule()
    def take(self) -> None:
        sample = self.queue.take(self.now)
        able = {
            source: waiting
            for source, waiting in self.waiting.items()
            if waiting.deadline > self.now and source not in self.running
        }
        if sample is None:
            assert not able
            return
        assert able.pop(sample.source) is sample
        del self.waiting[sample.source]
        self.running.add(sample.source)
        self.passed_over[sample.source] = 0
        self.passed_over.update(able.keys())
        # Each other source at most once before this one.
        assert max(self.passed_over.values()) <= 4

    @rule(source=SOURCES)
    def release(self, source: str) -> None:
        self.queue.release(source)
        self.running.discard(source)

    @rule(source=SOURCES)
    def cancel(self, source: str) -> None:
        if (sample := self.waiting.pop(source, None)) is not None:
            assert self.queue.remove(sample)

    @rule(seconds=st.sampled_from([0.25, 1.0]))
    def pass_time(self, seconds: float) -> None:
        self.now += seconds
        for sample in self.queue.expire(self.now):
            assert sample.deadline <= self.now
            assert self.waiting.pop(sample.source) is sample

    @invariant()
    def holds_what_it_should(self) -> None:
        assert len(self.queue) == len(self.waiting)
        deadlines = [sample.deadline for sample in self.waiting.values()]
        assert self.queue.next_deadline() == min(deadlines, default=math.inf)


TestQueueMachine = QueueMachine.TestCase
