"""Give waiting samples to free workers and results to their callers, and count both."""

import asyncio
import math
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol, TypeAlias

from config.errors import SampleDroppedError
from reactions.landmark_types import Sample
from reactions.pipeline import Detection, Memory
from sidecar.inference.detector import DetectorStats, DroppedSamples, DropReason
from sidecar.inference.sample_queue import QueuedSample, SampleQueue


class InferenceWorker(Protocol):
    """Detects one sample at a time and reports to the dispatcher that it is attached to."""

    def begin(self, sample: Sample, memory: Memory | None, deadline: float) -> None:
        """Begin to detect without blocking; ``finish`` or ``fail`` of the dispatcher follows.

        ``deadline`` is for workers that are queues themselves; infinite where there is none.
        """
        ...


@dataclass(slots=True, eq=False)
class _Call:
    sample: Sample
    memory: Memory | None
    result: asyncio.Future[Detection]


_Queued: TypeAlias = QueuedSample[_Call]


class Dispatcher:
    """Gives each free worker the sample that the queue says is next. Belongs to one event loop.

    ``clock``: seconds, monotonic; deadlines are on it.
    """

    def __init__(self, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._queue: SampleQueue[_Call] = SampleQueue()
        self._idle: list[InferenceWorker] = []
        self._busy: dict[InferenceWorker, _Queued] = {}
        self._resting: set[InferenceWorker] = set()
        self._dropped: Counter[DropReason] = Counter()
        self._counts: Counter[str] = Counter()
        self._waited = 0.0
        self._timer: asyncio.TimerHandle | None = None
        self._closed = False

    async def detect(
        self, source: str, sample: Sample, memory: Memory | None, deadline: float | None
    ) -> Detection:
        """As ``Detector.detect``."""
        call = _Call(sample, memory, asyncio.get_running_loop().create_future())
        self._counts["submitted"] += 1
        if self._closed:
            self._drop(call, DropReason.CLOSED)
            return await call.result
        queued, replaced = self._queue.put(source, call, deadline, self._clock())
        if replaced is not None:
            self._drop(replaced.payload, DropReason.REPLACED)
        self._dispatch()
        try:
            return await call.result
        except asyncio.CancelledError:
            # A worker that has the sample finishes it; its result is discarded.
            self._counts["cancelled"] += 1
            self._queue.remove(queued)
            self._set_timer()
            raise
        finally:
            # A traceback that is kept has this frame: with the call's own error in it the two would
            # keep each other, and the sample, until the garbage collector looks.
            del call, queued, replaced

    def attach(self, worker: InferenceWorker) -> None:
        """``worker`` is ready for samples."""
        self._resting.discard(worker)
        if not self._closed and worker not in self._idle and worker not in self._busy:
            self._idle.append(worker)
            self._dispatch()

    def rest(self, worker: InferenceWorker) -> None:
        """Give ``worker`` no further sample until it is attached again; it finishes the one that it
        has."""
        if worker in self._idle:
            self._idle.remove(worker)
        self._resting.add(worker)

    def detach(self, worker: InferenceWorker) -> None:
        """``worker`` is lost, and with it the sample that it had."""
        self._resting.discard(worker)
        if worker in self._idle:
            self._idle.remove(worker)
        if (queued := self._busy.pop(worker, None)) is not None:
            self._queue.release(queued.source)
            self._drop(queued.payload, DropReason.WORKER_LOST)
            self._dispatch()

    def finish(self, worker: InferenceWorker, detection: Detection) -> None:
        """``worker`` has detected its sample and is ready for the next."""
        if (call := self._free(worker)) is not None and not call.result.done():
            self._counts["detected"] += 1
            call.result.set_result(detection)
        self._dispatch()

    def fail(self, worker: InferenceWorker, error: Exception) -> None:
        """The pipeline of ``worker`` raised ``error`` on its sample; it is ready for the next.

        SampleDroppedError comes from a worker that is a queue itself, and counts as dropped.
        """
        call = self._free(worker)
        if call is not None and isinstance(error, SampleDroppedError):
            self._drop(call, DropReason(error.reason))
        elif call is not None and not call.result.done():
            self._counts["failed"] += 1
            call.result.set_exception(error)
        self._dispatch()

    def close(self) -> None:
        """End every call; workers get nothing more."""
        self._closed = True
        for queued in (*self._queue.drain(), *self._busy.values()):
            self._drop(queued.payload, DropReason.CLOSED)
        self._idle.clear()
        self._busy.clear()
        self._resting.clear()
        self._set_timer()

    def stats(self, *, restarts: int = 0) -> DetectorStats:
        """The numbers of this moment; ``restarts`` is the caller's to count."""
        dropped, counts = self._dropped, self._counts
        return DetectorStats(
            workers=len({*self._idle, *self._busy, *self._resting}),
            submitted=counts["submitted"],
            waiting=len(self._queue),
            running=sum(not queued.payload.result.done() for queued in self._busy.values()),
            detected=counts["detected"],
            failed=counts["failed"],
            cancelled=counts["cancelled"],
            dropped=DroppedSamples(
                replaced=dropped[DropReason.REPLACED],
                expired=dropped[DropReason.EXPIRED],
                worker_lost=dropped[DropReason.WORKER_LOST],
                closed=dropped[DropReason.CLOSED],
            ),
            begun=counts["begun"],
            waited=self._waited,
            oldest=self._queue.oldest(self._clock()),
            restarts=restarts,
        )

    def _dispatch(self) -> None:
        """Drop what is past its deadline, and give waiting samples to idle workers."""
        now = self._clock()
        for expired in self._queue.expire(now):
            self._drop(expired.payload, DropReason.EXPIRED)
        while self._idle and (queued := self._queue.take(now)) is not None:
            worker = self._idle.pop()
            self._busy[worker] = queued
            self._counts["begun"] += 1
            self._waited += now - queued.since
            worker.begin(queued.payload.sample, queued.payload.memory, queued.deadline)
        self._set_timer()

    def _free(self, worker: InferenceWorker) -> _Call | None:
        queued = self._busy.pop(worker, None)
        if queued is None:
            return None
        self._queue.release(queued.source)
        if worker not in self._resting:
            self._idle.append(worker)
        return queued.payload

    def _drop(self, call: _Call, reason: DropReason) -> None:
        if not call.result.done():
            self._dropped[reason] += 1
            call.result.set_exception(SampleDroppedError(reason))

    def _set_timer(self) -> None:
        """Look again at the next deadline."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        if (until := self._queue.next_deadline()) < math.inf:
            delay = max(0.0, until - self._clock())
            self._timer = asyncio.get_running_loop().call_later(delay, self._dispatch)
