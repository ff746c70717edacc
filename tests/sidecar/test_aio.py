"""Tasks, mailboxes, wake-ups and retries of components on the event loop."""

import asyncio

import pytest
from hypothesis import given
from hypothesis import strategies as st
from structlog.testing import capture_logs

from config.errors import RoomError
from sidecar.aio import (
    Backoff,
    Broadcast,
    Component,
    Contained,
    Mailbox,
    MailboxClosedError,
    TaskSet,
    cancel_and_wait,
    close_all,
    finish,
    is_logged,
    run_until_first,
    start_all,
    undo_on_failure,
)


async def settle() -> None:
    """Let every task that can run do so."""
    for _ in range(5):
        await asyncio.sleep(0)


async def forever() -> None:
    await asyncio.Event().wait()


async def fail_late(error: Exception) -> None:
    await settle()
    raise error


async def fail(error: Exception) -> None:
    raise error


class Recorded(Component):
    """Writes down its life; ``failure`` is raised by its start."""

    def __init__(self, failure: Exception | None = None) -> None:
        self.life: list[str] = []
        self._failure = failure

    async def start(self) -> None:
        self.life.append("start")
        if self._failure is not None:
            raise self._failure

    async def aclose(self) -> None:
        self.life.append("close")


class TestComponent:
    async def test_lives_as_long_as_it_is_entered(self) -> None:
        component = Recorded()
        async with component as entered:
            assert entered is component
            assert component.life == ["start"]
        assert component.life == ["start", "close"]

    async def test_components_are_started_together(self) -> None:
        components = [Recorded(), Recorded()]
        await start_all(components)
        assert [component.life for component in components] == [["start"], ["start"]]

    async def test_the_first_failure_of_several_is_raised_once_all_have_started(self) -> None:
        last = Recorded()
        components = [Recorded(KeyError("a")), Recorded(KeyError("b")), last]
        with pytest.raises(KeyError, match="a"):
            await start_all(components)
        assert last.life == ["start"]

    async def test_components_are_closed_together_and_a_failure_is_raised_after_that(self) -> None:
        class Failing(Component):
            async def aclose(self) -> None:
                raise KeyError("a")

        last = Recorded()
        with pytest.raises(KeyError, match="a"):
            await close_all((Failing(), last))
        assert last.life == ["close"]

    async def test_components_are_closed_also_where_that_is_cancelled_before_it_begins(
        self,
    ) -> None:
        components = [Recorded(), Recorded()]
        task = asyncio.create_task(close_all(components))
        await asyncio.sleep(0)
        task.cancel()
        await asyncio.wait([task])
        assert task.cancelled()
        assert [component.life for component in components] == [["close"], ["close"]]


class TestFinish:
    async def test_returns_what_the_work_returns(self) -> None:
        assert await finish(asyncio.sleep(0, "done")) == "done"

    async def test_raises_what_the_work_raises(self) -> None:
        with pytest.raises(KeyError, match="a"):
            await finish(fail_late(KeyError("a")))

    async def test_a_cancellation_is_raised_when_the_work_has_ended(self) -> None:
        go_on, ended = asyncio.Event(), asyncio.Event()

        async def work() -> None:
            await go_on.wait()
            ended.set()

        task = asyncio.create_task(finish(work()))
        for _ in range(3):
            await settle()
            task.cancel()
        await settle()
        assert not task.done()
        go_on.set()
        await asyncio.wait([task])
        assert task.cancelled()
        assert ended.is_set()


class TestUndoOnFailure:
    async def test_undoes_nothing_where_the_block_ends(self) -> None:
        component = Recorded()
        async with undo_on_failure(component.aclose):
            pass
        assert component.life == []

    async def test_undoes_where_the_block_raises(self) -> None:
        component = Recorded()
        with pytest.raises(KeyError):
            async with undo_on_failure(component.aclose):
                raise KeyError("x")
        assert component.life == ["close"]

    async def test_undoes_where_the_block_is_cancelled(self) -> None:
        component = Recorded()

        async def starting() -> None:
            async with undo_on_failure(component.aclose):
                await forever()

        task = asyncio.create_task(starting())
        await settle()
        await cancel_and_wait(task)
        assert task.cancelled()
        assert component.life == ["close"]


class TestContained:
    def test_logs_an_unexpected_failure_with_its_traceback(self) -> None:
        error = KeyError("x")
        with capture_logs() as logs, Contained("sink not closed", sink="file") as attempt:
            raise error
        assert attempt.error is error
        assert logs == [
            {
                "event": "sink not closed",
                "log_level": "error",
                "sink": "file",
                "reason": "KeyError('x')",
                "exc_info": error,
            }
        ]

    def test_logs_a_failure_that_a_user_can_act_on_in_one_line(self) -> None:
        with capture_logs() as logs, Contained("room failed"):
            raise RoomError("the server is gone")
        assert [(log["log_level"], log["reason"]) for log in logs] == [
            ("warning", "the server is gone")
        ]
        assert "exc_info" not in logs[0]

    def test_logs_nothing_where_the_block_ends(self) -> None:
        with capture_logs() as logs, Contained("room failed") as attempt:
            pass
        assert attempt.error is None
        assert logs == []

    def test_raises_what_is_to_pass(self) -> None:
        passed = pytest.raises(BrokenPipeError)
        with capture_logs() as logs, passed, Contained("request failed", OSError):
            raise BrokenPipeError
        assert logs == []

    def test_failures_that_repeat_are_logged_ever_more_rarely(self) -> None:
        assert [count for count in range(1, 40) if is_logged(count)] == [1, 2, 4, 8, 16, 32]


class TestRunUntilFirst:
    async def test_returns_what_the_first_returns_and_cancels_the_others(self) -> None:
        ended: list[str] = []

        async def other() -> str:
            try:
                await forever()
            finally:
                ended.append("other")
            return "other"

        async def first() -> str:
            await asyncio.sleep(0)
            return "first"

        assert await run_until_first(other(), first()) == "first"
        assert ended == ["other"]

    async def test_raises_what_the_first_raises(self) -> None:
        with pytest.raises(KeyError, match="x"):
            await run_until_first(forever(), fail(KeyError("x")))

    async def test_of_two_that_end_together_the_failure_is_raised(self) -> None:
        with pytest.raises(KeyError, match="x"):
            await run_until_first(settle(), fail_late(KeyError("x")))

    async def test_ends_its_tasks_when_it_is_cancelled(self) -> None:
        others = asyncio.all_tasks()
        task = asyncio.create_task(run_until_first(forever(), forever()))
        await settle()
        await cancel_and_wait(task)
        assert task.cancelled()
        assert asyncio.all_tasks() == others


class TestCancelAndWait:
    async def test_waits_until_the_tasks_are_done(self) -> None:
        left: list[str] = []

        async def slow() -> None:
            try:
                await forever()
            finally:
                await asyncio.sleep(0)
                left.append("done")

        task = asyncio.create_task(slow())
        await settle()
        await cancel_and_wait(task)
        assert left == ["done"]
        assert task.cancelled()

    async def test_logs_a_task_that_failed(self) -> None:
        task = asyncio.create_task(fail(KeyError("x")), name="reader")
        await settle()
        with capture_logs() as logs:
            await cancel_and_wait(task)
        assert [(log["event"], log["task"], log["reason"]) for log in logs] == [
            ("task failed", "reader", "KeyError('x')")
        ]

    async def test_needs_no_tasks(self) -> None:
        await cancel_and_wait()

    async def test_passes_on_the_cancellation_of_its_caller(self) -> None:
        release = asyncio.Event()

        async def stubborn() -> None:
            try:
                await forever()
            except asyncio.CancelledError:
                await release.wait()

        task = asyncio.create_task(stubborn())
        await settle()
        waiting = asyncio.create_task(cancel_and_wait(task))
        await settle()
        waiting.cancel()
        await settle()
        assert waiting.cancelled()
        release.set()
        await task


class TestTaskSet:
    async def test_closing_cancels_what_runs(self) -> None:
        async with TaskSet() as tasks:
            task = tasks.create_task(forever())
            await settle()
            assert len(tasks) == 1
        assert task.cancelled()
        assert len(tasks) == 0

    async def test_closing_waits_for_cleanups_and_cancels_none(self) -> None:
        freed: list[str] = []

        async def free() -> None:
            await asyncio.sleep(0.01)
            freed.append("socket")

        async with TaskSet() as tasks:
            tasks.create_cleanup(free())
        assert freed == ["socket"]

    async def test_a_cleanup_that_a_cancelled_task_starts_is_waited_for(self) -> None:
        freed: list[str] = []
        tasks = TaskSet()

        async def free() -> None:
            await settle()
            freed.append("socket")

        async def hold() -> None:
            try:
                await forever()
            finally:
                tasks.create_cleanup(free())

        tasks.create_task(hold())
        await settle()
        await tasks.aclose()
        assert freed == ["socket"]

    async def test_a_failure_is_logged_and_reported(self) -> None:
        errors: list[Exception] = []
        async with TaskSet(errors.append) as tasks:
            with capture_logs() as logs:
                tasks.create_task(fail(KeyError("x")), name="pings")
                await settle()
        assert [repr(error) for error in errors] == ["KeyError('x')"]
        assert [(log["log_level"], log["task"], log["reason"]) for log in logs] == [
            ("error", "pings", "KeyError('x')")
        ]

    async def test_an_error_of_ours_is_a_warning_of_one_line(self) -> None:
        async with TaskSet() as tasks:
            with capture_logs() as logs:
                tasks.create_task(fail(RoomError("gone", where="wss://h")))
                await settle()
        (log,) = logs
        assert log["log_level"] == "warning"
        assert log["reason"] == "wss://h: gone"
        assert "exc_info" not in log

    async def test_a_failed_cleanup_is_logged_and_not_reported(self) -> None:
        errors: list[Exception] = []
        with capture_logs() as logs:
            async with TaskSet(errors.append) as tasks:
                tasks.create_cleanup(fail(OSError("busy")))
        assert errors == []
        assert [log["event"] for log in logs] == ["task failed"]

    async def test_what_fails_while_it_is_cancelled_is_not_reported(self) -> None:
        errors: list[Exception] = []

        async def break_on_the_way_out() -> None:
            try:
                await forever()
            finally:
                raise KeyError("late")

        with capture_logs() as logs:
            async with TaskSet(errors.append) as tasks:
                tasks.create_task(break_on_the_way_out())
                await settle()
        assert errors == []
        assert len(logs) == 1

    async def test_a_closed_set_runs_no_more_tasks(self) -> None:
        began: list[str] = []

        async def work() -> None:
            began.append("work")

        tasks = TaskSet()
        await tasks.aclose()
        task = tasks.create_task(work())
        await settle()
        assert task.cancelled()
        assert began == []

    async def test_a_task_may_close_its_own_set(self) -> None:
        tasks = TaskSet()
        other = tasks.create_task(forever())
        closing = tasks.create_task(tasks.aclose())
        async with asyncio.timeout(30):
            await closing
        assert other.cancelled()


class TestMailbox:
    async def test_the_newest_item_replaces_one_that_was_not_read(self) -> None:
        mailbox: Mailbox[int] = Mailbox()
        for number in range(3):
            mailbox.put(number)
        assert await mailbox.get() == 2
        assert mailbox.replaced == 2

    async def test_a_reader_waits_for_the_next_item(self) -> None:
        mailbox: Mailbox[int] = Mailbox()
        waiting = asyncio.create_task(mailbox.get())
        await settle()
        assert not waiting.done()
        mailbox.put(7)
        assert await waiting == 7
        assert mailbox.replaced == 0

    async def test_the_last_item_can_be_read_after_closing(self) -> None:
        mailbox: Mailbox[int] = Mailbox()
        mailbox.put(1)
        mailbox.close()
        mailbox.put(2)
        assert await mailbox.get() == 1
        with pytest.raises(MailboxClosedError):
            await mailbox.get()

    async def test_closing_wakes_a_reader(self) -> None:
        mailbox: Mailbox[int] = Mailbox()
        waiting = asyncio.create_task(mailbox.get())
        await settle()
        mailbox.close()
        with pytest.raises(MailboxClosedError):
            await waiting

    async def test_iterating_ends_with_the_mailbox(self) -> None:
        mailbox: Mailbox[int] = Mailbox()
        mailbox.put(1)
        mailbox.close()
        assert [item async for item in mailbox] == [1]

    @given(st.lists(st.sampled_from(["put", "get"]), max_size=30))
    def test_what_is_read_is_always_the_newest(self, steps: list[str]) -> None:
        async def run() -> None:
            mailbox: Mailbox[int] = Mailbox()
            newest, read = 0, 0
            for step in steps:
                if step == "put":
                    newest += 1
                    mailbox.put(newest)
                elif newest > read:
                    read = await mailbox.get()
                    assert read == newest

        asyncio.run(run())


class TestBroadcast:
    async def test_a_change_wakes_every_waiter_once(self) -> None:
        changed = Broadcast()
        waiters = [asyncio.create_task(changed.wait()) for _ in range(3)]
        later = asyncio.create_task(changed.wait_for(lambda: changed.version == 2))
        await settle()
        changed.notify()
        await settle()
        assert [waiter.done() for waiter in waiters] == [True] * 3
        assert not later.done()
        changed.notify()
        await later

    async def test_a_change_between_reading_and_waiting_is_not_missed(self) -> None:
        changed = Broadcast()
        seen = changed.version
        changed.notify()
        async with asyncio.timeout(30):
            assert await changed.wait(seen) == 1

    async def test_a_predicate_that_holds_is_not_waited_for(self) -> None:
        async with asyncio.timeout(30):
            await Broadcast().wait_for(lambda: True)

    async def test_updates_begin_at_once_and_coalesce(self) -> None:
        changed, state = Broadcast(), [0]
        read: list[int] = []

        async def follow() -> None:
            async for _ in changed.updates():
                value = state[0]
                read.append(value)

        following = asyncio.create_task(follow())
        await settle()
        for number in (1, 2):
            state[0] = number
            changed.notify()
        await settle()
        await cancel_and_wait(following)
        assert read == [0, 2]

    async def test_an_update_during_a_step_makes_another_step(self) -> None:
        changed, steps = Broadcast(), 0
        async with asyncio.timeout(30):
            async for _ in changed.updates():
                steps += 1
                if steps == 3:
                    break
                changed.notify()
        assert steps == 3


class TestBackoff:
    @given(st.integers(0, 10_000), st.floats(0, 1))
    def test_delays_grow_up_to_a_limit(self, attempt: int, number: float) -> None:
        backoff = Backoff(random=lambda: number)
        assert 0 < backoff.delay(attempt) <= backoff.longest
        assert backoff.delay(attempt + 1) >= backoff.delay(attempt)

    def test_jitter_takes_from_the_delay_its_random_share(self) -> None:
        numbers = iter([0.0, 0.5, 1.0])
        backoff = Backoff(first=8.0, longest=8.0, jitter=0.25, random=lambda: next(numbers))
        assert [backoff.delay(0) for _ in range(3)] == [6.0, 7.0, 8.0]

    def test_without_jitter_the_schedule_is_exact(self) -> None:
        backoff = Backoff(first=1, factor=2, longest=60, jitter=0)
        assert [backoff.delay(attempt) for attempt in (0, 1, 2, 5, 6, 99)] == [1, 2, 4, 32, 60, 60]
