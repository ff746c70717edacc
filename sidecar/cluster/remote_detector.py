"""A detector whose workers are replicas elsewhere; how they are asked is passed in.

Waiting, deadlines and the newest sample of each participant are decided here, by a ``Dispatcher``;
what is sent waits in a replica, fairly between all who send (``replica.py``). Clocks of machines
differ: a deadline travels as the seconds that are left.
"""

import asyncio
import math
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Final, TypeAlias

import structlog

from config.errors import SampleDroppedError
from reactions.landmark_types import Sample
from reactions.pipeline import Detection, Memory
from sidecar.aio import Component, TaskSet, is_logged
from sidecar.captured import Captured
from sidecar.inference.detector import DetectorStats, DropReason
from sidecar.inference.dispatcher import Dispatcher

log = structlog.get_logger(__name__)

ANSWER: Final = 10.0
"""Seconds until a replica must have answered: it may be started in place of another."""


@dataclass(frozen=True, slots=True)
class SentSample:
    """What a replica gets."""

    sample: Sample
    memory: Memory | None
    seconds: float
    """Until its detection must have begun; infinite for no deadline."""
    source: str
    """Tells apart all who send samples to the replicas."""


Answered: TypeAlias = Detection | Exception
AskReplica: TypeAlias = Callable[[SentSample], Awaitable[Answered]]
"""Sends a sample to any replica. It may raise anything where that is lost."""


class RemoteDetector(Component):
    """A detector by ``ask``, with ``slots`` samples under way at once.

    ``name`` is unique among all detectors that use the same replicas.
    """

    def __init__(
        self,
        ask: AskReplica,
        name: str,
        *,
        slots: int,
        answer: float = ANSWER,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._ask = ask
        self._answer = answer
        self._clock = clock
        self._dispatcher = Dispatcher(clock=clock)
        self._tasks = TaskSet()
        self._slots = [_Slot(self, f"{name}/{number}") for number in range(slots)]
        self._lost = 0

    async def start(self) -> None:
        """Take samples."""
        for slot in self._slots:
            self._dispatcher.attach(slot)

    async def aclose(self) -> None:
        """End all calls."""
        self._dispatcher.close()
        await self._tasks.aclose()

    async def detect(
        self,
        sample: Sample,
        memory: Memory | None,
        deadline: float | None = None,
        *,
        source: str,
    ) -> Detection:
        return await self._dispatcher.detect(source, sample, memory, deadline)

    def stats(self) -> DetectorStats:
        return self._dispatcher.stats()

    def send(self, slot: "_Slot", sample: Sample, memory: Memory | None, deadline: float) -> None:
        """Send a sample, and give its answer to the dispatcher."""
        left = math.inf if math.isinf(deadline) else deadline - self._clock()
        sent = SentSample(sample, memory, left, slot.name)
        self._tasks.create_task(self._detect(slot, sent), name=f"sample of {slot.name}")

    async def _detect(self, slot: "_Slot", sent: SentSample) -> None:
        answered: Answered = SampleDroppedError(DropReason.WORKER_LOST)
        with Captured() as attempt:
            async with asyncio.timeout(self._answer):
                answered = await self._ask(sent)
        if attempt.error is None:
            self._lost = 0
        else:
            self._lost += 1
            if is_logged(self._lost):
                log.warning("detection lost", failures=self._lost, reason=attempt.reason[:300])
        if isinstance(answered, Exception):
            self._dispatcher.fail(slot, answered)
        else:
            self._dispatcher.finish(slot, answered)


class _Slot:
    """One sample under way: a worker to the dispatcher."""

    def __init__(self, detector: RemoteDetector, name: str) -> None:
        self.name = name
        self._detector = detector

    def begin(self, sample: Sample, memory: Memory | None, deadline: float) -> None:
        self._detector.send(self, sample, memory, deadline)
