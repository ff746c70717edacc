"""Delivers events to webhooks: in order for each room, at least once, over restarts too.

Deliveries of one webhook and one room are a stream, which a task sends one after another. They are
written to the outbox before they are sent; a stream holds the next few in memory and reads on when
they are delivered. While the disk takes nothing, a bounded number waits in memory.
"""

import asyncio
import time
from collections import Counter, defaultdict, deque
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from itertools import islice
from typing import Final

import structlog

from config.errors import JournalError
from sidecar.aio import Backoff, Broadcast, Component, Contained, TaskSet
from sidecar.sinks.webhook.outbox import Delivery, Outbox, Stream
from sidecar.sinks.webhook.sender import Outcome, Webhook, WebhookSender

log = structlog.get_logger(__name__)

TOO_MANY: Final = "too many deliveries wait"
BATCH: Final = 256
"""Deliveries that are written in one transaction."""
RETRIES: Final = Backoff(first=1.0, factor=2.0, longest=300.0)
"""Between attempts of one delivery: 1 s, 2 s, … 5 min, the upper half of each at random."""
WRITING: Final = Backoff(first=0.5, factor=2.0, longest=30.0)
"""Between attempts to use a disk that takes nothing."""


class SteadyClock:
    """Unix time in seconds that does not jump when the system's clock is set."""

    def __init__(self) -> None:
        self._offset = time.time() - time.monotonic()

    def __call__(self) -> float:
        return self._offset + time.monotonic()


@dataclass(frozen=True, slots=True)
class DispatchLimits:
    """Bounds of a dispatcher."""

    give_up: float = 86_400.0
    """Seconds after which a delivery that fails becomes a dead letter."""
    backlog: int = 10_000
    """Deliveries that wait for one webhook; further events are dropped."""
    memory: int = 2048
    """Deliveries of all webhooks that are not written yet; further events are dropped."""
    window: int = 32
    """Deliveries of a stream in memory."""
    parallel: int = 8
    """Streams of one webhook that send at once."""
    flush: float = 1.0
    """Seconds to deliver what waits, on closing."""
    write: float = 2.0
    """Seconds to write what waits, on closing."""


@dataclass(slots=True)
class _Stream:
    key: Stream
    window: deque[Delivery] = field(default_factory=deque)
    after: int = 0
    """Number of the last delivery that was put into the window."""
    more: bool = False
    """The outbox has deliveries behind those of the window."""


class WebhookDispatcher(Component):
    """Sends what ``put`` takes; ``results`` counts what came of it."""

    def __init__(
        self,
        outbox: Outbox,
        sender: WebhookSender,
        *,
        limits: DispatchLimits | None = None,
        retries: Backoff = RETRIES,
        writing: Backoff = WRITING,
        clock: Callable[[], float] | None = None,
    ) -> None:
        """``clock`` is Unix time in seconds, and does not jump."""
        self.results: Counter[str] = Counter()
        """Deliveries ``delivered``, ``dead`` (given up), ``dropped``; and attempts ``failed``."""
        self._outbox = outbox
        self._sender = sender
        self._limits = limits or DispatchLimits()
        self._retries = retries
        self._writing = writing
        self._clock = clock or SteadyClock()
        self._webhooks: dict[str, Webhook] = {}
        self._streams: dict[Stream, _Stream] = {}
        self._waiting: Counter[str] = Counter()
        self._slots = defaultdict[str, asyncio.Semaphore](
            lambda: asyncio.Semaphore(self._limits.parallel)
        )
        self._failing: dict[str, str] = {}
        self._inbox: deque[Delivery] = deque()
        self._done: set[int] = set()
        self._changed = asyncio.Event()
        self._storing = asyncio.Lock()
        self._trouble = ""
        self._tasks = TaskSet()
        self._progress = Broadcast()
        self._leaving: set[str] = set()
        self._dropping: set[str] = set()
        self._giving_up: set[str] = set()
        self._writer = TaskSet()

    async def start(self) -> None:
        """Continue what waits in the outbox; raises JournalError."""
        await self._sender.start()
        for key, count in await self._outbox.streams():
            self._waiting[key[0]] += count
            self._open_stream(key).more = True
        self._writer.create_task(self._write_all(), name="webhook outbox")

    async def aclose(self) -> None:
        """Deliver and write what waits, as far as the limits of time allow."""
        await self._wait_until_sent()
        await self._tasks.aclose()
        await self._writer.aclose()
        await self._write_rest()
        await self._sender.aclose()

    @property
    def waiting(self) -> int:
        """Deliveries that wait, on disk and in memory."""
        return self._waiting.total()

    @property
    def known(self) -> frozenset[str]:
        """Ids of the webhooks that were added and are still needed."""
        return frozenset(self._webhooks)

    def add(self, webhook: Webhook) -> None:
        """Make a webhook known; deliveries to unknown ones become dead letters."""
        self._webhooks[webhook.id] = webhook
        self._leaving.discard(webhook.id)

    def remove(self, webhook: str) -> None:
        """Forget the webhook with this id as soon as nothing waits for it."""
        self._leaving.add(webhook)
        self._forget_if_done(webhook)

    def put(self, delivery: Delivery) -> bool:
        """Take ``delivery``; returns at once, and False if it is dropped because too many wait."""
        full = len(self._inbox) >= self._limits.memory
        if full or self._waiting[delivery.webhook] >= self._limits.backlog:
            self.results["dropped"] += 1
            if delivery.webhook not in self._dropping:
                self._dropping.add(delivery.webhook)
                log.warning("webhook events dropped", webhook=delivery.webhook, reason=TOO_MANY)
            return False
        self._dropping.discard(delivery.webhook)
        self._waiting[delivery.webhook] += 1
        self._inbox.append(delivery)
        self._changed.set()
        return True

    async def redeliver(self, number: int) -> Delivery:
        """Send a dead letter again, after what waits; raises NotFoundError and JournalError."""
        async with self._storing:
            delivery = await self._outbox.revive(number, self._clock())
            self._waiting[delivery.webhook] += 1
            self._arrive(delivery)
        return delivery

    # Writing

    async def _write_all(self) -> None:
        attempt = 0
        while True:
            if not (self._inbox or self._done):
                self._changed.clear()
                await self._changed.wait()
            try:
                await self._write_batch()
            except JournalError as error:
                self._report_trouble(str(error))
                self._pass_on_unwritten()
                await asyncio.sleep(self._writing.delay(attempt))
                attempt += 1
            else:
                attempt = 0
                if self._trouble and not self._inbox:
                    self._trouble = ""
                    log.info("webhook outbox recovered", dropped=self.results["dropped"])

    async def _write_batch(self) -> None:
        async with self._storing:
            new = list(islice(self._inbox, BATCH))
            done = list(islice(self._done, 4 * BATCH))
            stored = await self._outbox.store(new, done)
            self._done.difference_update(done)
            for delivery in stored:
                self._inbox.popleft()
                self._arrive(delivery)

    def _pass_on_unwritten(self) -> None:
        """Send from memory what the disk does not take, where nothing on disk comes before it."""
        kept: deque[Delivery] = deque()
        behind: set[Stream] = set()
        for delivery in self._inbox:
            stream = self._streams.get(delivery.stream)
            full = stream is not None and (stream.more or len(stream.window) >= self._limits.window)
            if full or delivery.stream in behind:
                behind.add(delivery.stream)
                kept.append(delivery)
            else:
                self._open_stream(delivery.stream).window.append(delivery)
        self._inbox = kept

    async def _write_rest(self) -> None:
        unwritten = [one for s in self._streams.values() for one in s.window if one.number is None]
        self._inbox.extendleft(reversed(unwritten))
        self._streams.clear()
        try:
            async with asyncio.timeout(self._limits.write):
                while self._inbox or self._done:
                    await self._store_rest()
        except (JournalError, TimeoutError) as error:
            reason = str(error) or "the disk takes too long"
            log.warning("webhook deliveries lost", count=len(self._inbox), reason=reason)

    async def _store_rest(self) -> None:
        new = list(islice(self._inbox, BATCH))
        done = list(self._done)
        await self._outbox.store(new, done)
        self._done.clear()
        for _ in new:
            self._inbox.popleft()

    # Sending

    def _open_stream(self, key: Stream) -> _Stream:
        stream = self._streams.get(key)
        if stream is None:
            stream = self._streams[key] = _Stream(key)
            self._tasks.create_task(self._send_stream(stream), name=f"webhook {key[0]}")
        return stream

    def _arrive(self, delivery: Delivery) -> None:
        stream = self._open_stream(delivery.stream)
        if stream.more or len(stream.window) >= self._limits.window:
            stream.more = True
        else:
            stream.window.append(delivery)
            stream.after = delivery.number or stream.after

    async def _send_stream(self, stream: _Stream) -> None:
        """Send until nothing is left; the stream ends with that."""
        attempt = 0
        while stream.window or stream.more:
            if stream.window:
                await self._deliver(stream.window[0])
                stream.window.popleft()
                continue
            try:
                await self._refill(stream)
                attempt = 0
            except JournalError as error:
                self._report_trouble(str(error))
                await asyncio.sleep(self._writing.delay(attempt))
                attempt += 1
        del self._streams[stream.key]
        self._progress.notify()

    async def _refill(self, stream: _Stream) -> None:
        async with self._storing:
            limit = self._limits.window
            loaded = await self._outbox.load(stream.key, stream.after, limit)
            stream.window.extend(loaded)
            stream.more = len(loaded) == limit
            if loaded:
                stream.after = loaded[-1].number or stream.after

    async def _deliver(self, delivery: Delivery) -> None:
        """Try until it is delivered or given up."""
        while True:
            outcome = await self._attempt(delivery)
            if not outcome.reason:
                self._finish(delivery, "delivered")
                self._forget(delivery)
                return
            number = delivery.attempts
            delivery = replace(delivery, attempts=number + 1, reason=outcome.reason)
            if outcome.final or self._clock() - delivery.created >= self._limits.give_up:
                await self._bury(delivery)
                return
            self.results["failed"] += 1
            await asyncio.sleep(max(outcome.wait, self._retries.delay(number)))

    async def _attempt(self, delivery: Delivery) -> Outcome:
        webhook = self._webhooks.get(delivery.webhook)
        if webhook is None:
            return Outcome("the webhook is not configured any more", final=True)
        async with self._slots[webhook.id]:
            outcome = Outcome("something went wrong here; the log says what")
            with Contained("webhook not sent", webhook=webhook.id):
                outcome = await self._sender.send(webhook, delivery)
        before = self._failing.pop(webhook.id, "")
        if outcome.reason:
            self._failing[webhook.id] = outcome.reason
            if outcome.reason != before:
                log.warning("webhook fails", webhook=webhook.id, reason=outcome.reason)
        elif before:
            self._giving_up.discard(webhook.id)
            log.info("webhook recovered", webhook=webhook.id)
        return outcome

    async def _bury(self, delivery: Delivery) -> None:
        if delivery.webhook not in self._giving_up:
            # One line for all until one is delivered; the metrics count them.
            self._giving_up.add(delivery.webhook)
            reason = delivery.reason
            log.warning("webhook deliveries given up", webhook=delivery.webhook, reason=reason)
        try:
            await self._outbox.bury(delivery, delivery.reason)
        except JournalError as error:
            self._report_trouble(str(error))
            self._finish(delivery, "dropped")
            self._forget(delivery)
        else:
            self._finish(delivery, "dead")

    def _finish(self, delivery: Delivery, result: str) -> None:
        self.results[result] += 1
        self._waiting[delivery.webhook] -= 1
        self._forget_if_done(delivery.webhook)

    def _forget_if_done(self, webhook: str) -> None:
        if webhook in self._leaving and self._waiting[webhook] <= 0:
            self._leaving.discard(webhook)
            self._webhooks.pop(webhook, None)
            self._slots.pop(webhook, None)
            self._failing.pop(webhook, None)
            self._dropping.discard(webhook)
            self._giving_up.discard(webhook)
            del self._waiting[webhook]

    def _forget(self, delivery: Delivery) -> None:
        if delivery.number is not None:
            self._done.add(delivery.number)
            self._changed.set()

    async def _wait_until_sent(self) -> None:
        """Give the streams the time to send what waits, what is not written yet included."""
        try:
            async with asyncio.timeout(self._limits.flush):
                await self._progress.wait_for(lambda: not (self._streams or self._inbox))
        except TimeoutError:
            log.info("webhook deliveries wait", count=self.waiting)

    def _report_trouble(self, reason: str) -> None:
        if reason != self._trouble:
            self._trouble = reason
            log.warning("webhook outbox in trouble", reason=reason, unwritten=len(self._inbox))
