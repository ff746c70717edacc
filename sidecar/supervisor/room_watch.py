"""Measures running rooms: what they use, whether they are empty, and how often all are sampled."""

import asyncio
import contextlib
from collections.abc import Callable, Sequence
from typing import Final

import structlog

from config.errors import SidecarError
from sidecar.aio import Contained
from sidecar.inference.detector import DetectorStats, DropReason
from sidecar.supervisor.admission import Admission, UsedSeconds
from sidecar.supervisor.control import ChangeSampling
from sidecar.supervisor.overload import LoadCounts, SamplingControl
from sidecar.supervisor.room_parts import SupervisorOptions
from sidecar.supervisor.supervised_room import SupervisedRoom
from sidecar.supervisor.totals import Totals

log = structlog.get_logger(__name__)

MEASURE_EVERY: Final = 1.0
"""Seconds between two measurements of all rooms."""
OVERLOAD_DROPS: Final = (DropReason.REPLACED, DropReason.EXPIRED)
"""Reasons for which samples are dropped where there are more than workers manage."""


class RoomWatch:
    """Looks at ``rooms()``, the running ones, while ``run`` runs.

    ``admission`` gets what each uses. A room that is empty for too long is left; while the server
    drains, those too that are kept otherwise. One that uses too much memory is started again.
    ``sampling`` slows all down alike under overload, by the numbers in ``totals`` and those of the
    detector that rooms share, if there is one.
    """

    def __init__(
        self,
        options: SupervisorOptions,
        rooms: Callable[[], Sequence[SupervisedRoom]],
        *,
        admission: Admission,
        totals: Totals,
        detector: Callable[[], DetectorStats] | None,
        draining: Callable[[], bool],
        clock: Callable[[], float],
    ) -> None:
        self.sampling = SamplingControl()
        self._options = options
        self._rooms = rooms
        self._admission = admission
        self._totals = totals
        self._detector = detector
        self._draining = draining
        self._clock = clock
        self._usage: dict[str, UsedSeconds] = {}
        """By room: what it had used when it was measured last."""
        self._warned: set[str] = set()

    async def run(self) -> None:
        """Measure all rooms until cancelled."""
        while True:
            await asyncio.sleep(MEASURE_EVERY)
            with Contained("load not measured"):
                await self._look_at_sampling()
            for room in self._rooms():
                with Contained("room not measured", room=room.id):
                    await self._look_at(room)

    def forget(self, room: str) -> None:
        """A room is over."""
        self._usage.pop(room, None)
        self._warned.discard(room)

    async def _look_at_sampling(self) -> None:
        """Slow down sampling in all rooms alike under overload, and tell them."""
        before = self.sampling.factor
        factor = self.sampling.look(self._load_counts(), self._clock())
        if factor < before:
            log.warning("sampling slowed down", factor=round(factor, 2), reason="overload")
        if factor == before == 1.0:
            return

        async def slow_down(room: SupervisedRoom) -> None:
            # A room that is joining is reached next time.
            with contextlib.suppress(SidecarError, TimeoutError):
                await room.call(ChangeSampling(factor=factor))

        # Each time while it is slowed down: a room may have begun since.
        await asyncio.gather(*map(slow_down, self._rooms()))

    def _load_counts(self) -> LoadCounts:
        numbers, dropped = self._totals.numbers, self._totals.tables["dropped"]
        stats = None if self._detector is None else self._detector()
        return LoadCounts(
            rooms=len(self._rooms()),
            begun=0 if stats is None else stats.begun,
            waited=0.0 if stats is None else stats.waited,
            samples=numbers["samples"],
            dropped=sum(dropped.get(reason, 0.0) for reason in OVERLOAD_DROPS),
            ticks=numbers["ticks"],
            late=numbers["late_ticks"],
        )

    async def _look_at(self, room: SupervisedRoom) -> None:
        limits = self._options.limits if self._draining() else None
        if (reason := room.idle(limits)) is not None:
            await room.leave(reason)
            return
        usage = room.usage()
        if usage is None:
            self._usage.pop(room.id, None)
            return
        now = UsedSeconds(self._clock(), usage.cpu, room.stats.detection_seconds)
        before = self._usage.get(room.id)
        self._usage[room.id] = now
        if before is not None and (cores := now.cores(before, self.sampling.factor)) is not None:
            self._admission.measure(room.id, cores)
        await self._check_memory(room, usage.memory)

    async def _check_memory(self, room: SupervisedRoom, memory: int) -> None:
        warn, limit = self._options.memory_warn, self._options.memory_limit
        if limit and memory > limit:
            log.warning("room restarted", room=room.id, reason=f"{memory} bytes of {limit}")
            await room.restart(f"its process used {memory // 2**20} MiB")
        elif warn and memory > warn and room.id not in self._warned:
            self._warned.add(room.id)
            log.warning("room memory high", room=room.id, bytes=memory, limit=limit)
