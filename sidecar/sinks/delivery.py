"""Runs event sinks: a task and a bounded queue each, so that none delays the session."""

import asyncio
from collections import deque
from typing import Final

import structlog

from sidecar.aio import Component, Contained
from sidecar.captured import Captured
from sidecar.session.events import SessionEvent
from sidecar.session.stats import SinkStats
from sidecar.sinks.base import EventSink

log = structlog.get_logger(__name__)

CAPACITY: Final = 256
"""Events that wait for one sink at most: the oldest are dropped for new ones."""


class EventDelivery(Component):
    """Delivers events to ``sink`` in order, each within ``patience`` seconds.

    An event that fails, takes too long or finds no place in the queue is dropped and counted. The
    log has one line when dropping begins or its reason changes, and one when it is over. On
    closing, events that wait get ``flush`` seconds in all, and the sink ``closing`` seconds.
    """

    def __init__(
        self,
        sink: EventSink,
        *,
        capacity: int = CAPACITY,
        patience: float = 10.0,
        flush: float = 1.0,
        closing: float = 2.0,
    ) -> None:
        self._sink = sink
        self._capacity = capacity
        self._patience = patience
        self._flush = flush
        self._closing = closing
        self._waiting: deque[SessionEvent] = deque()
        self._wake = asyncio.Event()
        self._task: asyncio.Task[None] | None = None
        self._closed = False
        self._delivered = 0
        self._dropped = 0
        self._reason = ""

    async def start(self) -> None:
        """Start the sink; raises what it raises."""
        await self._sink.start()
        self._task = asyncio.create_task(self._run(), name=f"sink {self._sink.name}")

    async def aclose(self) -> None:
        self._closed = True
        self._wake.set()
        if self._task is not None:
            # A task that is stuck in the sink is cancelled: its event is dropped with the rest.
            await asyncio.wait([self._task], timeout=self._flush)
            self._task.cancel()
            await asyncio.wait([self._task])
        if self._waiting:
            self._drop("closed before they were delivered", len(self._waiting))
            self._waiting.clear()
        await self._close_sink()
        if self._dropped:
            name, delivered, dropped = self._sink.name, self._delivered, self._dropped
            log.warning("sink closed", sink=name, delivered=delivered, dropped=dropped)

    def put(self, event: SessionEvent) -> None:
        """Queue ``event``; returns at once."""
        if self._closed:
            return
        if len(self._waiting) >= self._capacity:
            self._waiting.popleft()
            self._drop(f"{self._capacity} events behind")
        self._waiting.append(event)
        self._wake.set()

    def stats(self) -> SinkStats:
        """The counters of this moment."""
        return SinkStats(self._sink.name, self._delivered, self._dropped, self._reason)

    async def _run(self) -> None:
        while not (self._closed and not self._waiting):
            if not self._waiting:
                self._wake.clear()
                await self._wake.wait()
                continue
            await self._deliver(self._waiting.popleft())

    async def _deliver(self, event: SessionEvent) -> None:
        # Another package's sink may raise anything; the next event is tried all the same.
        with Captured() as attempt:
            try:
                async with asyncio.timeout(self._patience) as limit:
                    await self._sink.write(event)
            except asyncio.CancelledError:
                self._drop("closed before they were delivered")
                raise
        if attempt.error is not None:
            late = isinstance(attempt.error, TimeoutError) and limit.expired()
            self._drop(f"not written within {self._patience:g} s" if late else attempt.reason)
        else:
            self._delivered += 1
            if self._reason and not self._waiting:
                self._reason = ""
                log.info("sink recovered", sink=self._sink.name, dropped=self._dropped)

    def _drop(self, reason: str, count: int = 1) -> None:
        self._dropped += count
        if reason != self._reason:
            self._reason = reason
            log.warning(
                "events dropped", sink=self._sink.name, reason=reason, dropped=self._dropped
            )

    async def _close_sink(self) -> None:
        with Contained("sink not closed", sink=self._sink.name):
            async with asyncio.timeout(self._closing):
                await self._sink.aclose()
