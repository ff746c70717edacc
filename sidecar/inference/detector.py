"""The seam between code that has samples and the workers that detect: ``Detector``."""

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol, Self, TypeAlias, runtime_checkable

from reactions.landmark_types import Sample
from reactions.pipeline import Detection, Memory


class DropReason(StrEnum):
    """Why a sample was not detected."""

    REPLACED = "replaced"
    """A newer sample of the same source came while it waited."""
    EXPIRED = "expired"
    """Its detection had not begun by its deadline."""
    WORKER_LOST = "worker lost"
    """The worker that had it died, or was killed because it hung."""
    CLOSED = "closed"
    """The detector was closed."""


@dataclass(frozen=True, slots=True)
class DroppedSamples:
    """How many samples were dropped, by reason."""

    replaced: int = 0
    expired: int = 0
    worker_lost: int = 0
    closed: int = 0

    @property
    def total(self) -> int:
        return self.replaced + self.expired + self.worker_lost + self.closed


@dataclass(frozen=True, slots=True)
class DetectorStats:
    """A detector's numbers at one moment; counts are since it was made.

    ``submitted`` is the sum of ``waiting``, ``running``, ``detected``, ``failed``, ``cancelled``
    and ``dropped.total``.
    """

    workers: int
    """Workers that are alive and loaded."""
    submitted: int
    waiting: int
    running: int
    detected: int
    failed: int
    """Samples on which the pipeline raised an exception."""
    cancelled: int
    """Samples whose caller stopped waiting."""
    dropped: DroppedSamples
    begun: int
    """Samples that a worker began to detect."""
    waited: float
    """Seconds that those have waited for a worker, in all."""
    oldest: float | None
    """Seconds for which the oldest waiting sample has waited; None where none waits."""
    restarts: int
    """Workers started in place of lost ones."""


class Pipeline(Protocol):
    """What a worker runs (``reactions.pipeline.RecognitionPipeline``); used by one thread."""

    def detect(self, sample: Sample, memory: Memory | None) -> Detection:
        """Detect what ``sample`` shows, with the ``memory`` of its source."""
        ...


LoadPipeline: TypeAlias = Callable[[], Pipeline]
"""Makes a pipeline; for a process it must be picklable, such as ``PipelineConfig.load``."""


class Detector(Protocol):
    """Detects what samples show, on workers that keep nothing between samples.

    Any number of calls may be under way at once. Of each source at most one sample is detected at a
    time and at most one waits; free workers serve the source first that was served longest ago.
    """

    async def start(self) -> None:
        """Start the workers and load their models; raises ModelError where one is missing."""
        ...

    async def aclose(self) -> None:
        """End all calls (SampleDroppedError) and all workers."""
        ...

    async def __aenter__(self) -> Self: ...

    async def __aexit__(self, *exc: object) -> None: ...

    async def detect(
        self,
        sample: Sample,
        memory: Memory | None,
        deadline: float | None = None,
        *,
        source: str,
    ) -> Detection:
        """Detect what ``sample`` of ``source`` shows.

        ``memory`` is that of the source's previous detection; None for the first. It travels with
        the sample, so any worker can serve any source. ``source`` tells participants apart: it is
        unique among all users of the detector.

        ``deadline`` is a time on the detector's clock (``time.monotonic`` unless it was made with
        another). Raises SampleDroppedError where detection has not begun by then, where a newer
        sample of ``source`` came first, where the worker was lost and where the detector is closed;
        and what the pipeline raised, for this call alone.
        """
        ...

    def stats(self) -> DetectorStats:
        """The numbers of this moment."""
        ...


@runtime_checkable
class ReplaceableDetector(Protocol):
    """A detector whose workers can be given other models while it runs."""

    async def replace(self, load: LoadPipeline) -> None:
        """Go on with pipelines that ``load`` makes; raises what keeps a new worker from being
        ready, and the workers that there are go on then."""
        ...
