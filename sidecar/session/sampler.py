"""Sample the participants of one session and hand on the detections."""

import asyncio
from collections import Counter
from collections.abc import Callable, Collection, Iterable
from dataclasses import replace

import structlog

from config.errors import SampleDroppedError
from reactions.pipeline import Detection
from sidecar.aio import Component, is_logged, log_failure
from sidecar.captured import Captured
from sidecar.inference.burst_budget import BurstBudget
from sidecar.inference.detector import Detector
from sidecar.inference.sampling import SamplingThread
from sidecar.media.feed import Feed
from sidecar.session.events import SessionEvent
from sidecar.session.participant import Participant
from sidecar.session.stats import DurationHistogram

log = structlog.get_logger(__name__)


class Sampler(Component):
    """Samples each participant ``rate`` times a second, at most ``longest`` pixels a side.

    Where a detection suggests a motion, a burst follows within the room's budget.

    ``publish`` gets the events of each sample. ``room`` tells the participants of one room from
    those of another in the detector.
    """

    def __init__(
        self,
        detector: Detector,
        publish: Callable[[Iterable[SessionEvent]], None],
        *,
        room: str,
        rate: float,
        longest: int,
        clock: Callable[[], float],
    ) -> None:
        self._detector = detector
        self._publish = publish
        self._room = room
        self._clock = clock
        self._thread = SamplingThread(longest)
        self.rate = rate
        self.factor = 1.0
        """Share of ``rate`` at which participants are sampled now: below 1 under overload."""
        self.labels: Collection[str] | None = None
        """The labels that are taken into account; None for all that are on."""
        self.paused = False
        """While it is set, no participant is sampled."""
        self.bursts = BurstBudget()
        self.detections = DurationHistogram()
        """Of the detections of all participants."""
        self.dropped: Counter[str] = Counter()
        """Samples dropped, by reason."""

    async def start(self) -> None:
        await self._thread.start()

    async def aclose(self) -> None:
        await self._thread.aclose()

    async def follow(self, participant: Participant, feed: Feed) -> None:
        """Sample ``participant`` for as long as ``feed`` lasts; a failed sample is only logged."""
        seen = 0
        try:
            while await feed.wait_newer(seen):
                began = self._clock()
                seen = feed.frames
                if not participant.opted_out and not self.paused:
                    await self._try_sample(participant, feed)
                await asyncio.sleep(max(0.0, began + self._pause(participant) - self._clock()))
        finally:
            self.bursts.leave(participant.participant)

    async def _try_sample(self, participant: Participant, feed: Feed) -> None:
        with Captured() as attempt:
            try:
                await self._sample(participant, feed)
            except SampleDroppedError as error:
                self.dropped[error.reason] += 1
        if attempt.error is not None:
            participant.failures += 1
            if is_logged(participant.failures):
                key, failed = participant.participant, participant.failures
                log_failure("detection failed", attempt.error, participant=key, failed=failed)

    async def _sample(self, participant: Participant, feed: Feed) -> None:
        frame, arrived = feed.frame, feed.arrived
        if frame is None or arrived is None:
            return
        # After one usual interval this frame is not worth waiting for, in a burst as well: a burst
        # that a busy machine has no time for ends instead of dropping samples.
        deadline = self._clock() + self._interval
        sample = await self._thread.sample(frame, arrived)
        source = f"{self._room}/{participant.participant}"
        detection = await self._detector.detect(sample, participant.memory, deadline, source=source)
        self.detections.add(detection.milliseconds / 1000)
        self._note(participant, detection, arrived)
        self._publish(participant.process(self._selected(detection), arrived))

    @property
    def _interval(self) -> float:
        """Seconds between two samples of one participant."""
        return 1 / (self.rate * self.factor)

    def _pause(self, participant: Participant) -> float:
        """Seconds from the newest sample of ``participant`` to the next."""
        if self.factor < 1:
            self.bursts.stop()
        key, rate = participant.participant, self.rate * self.factor
        return self.bursts.interval(key, self._clock(), rate)

    def _note(self, participant: Participant, detection: Detection, arrived: float) -> None:
        """Let the burst of ``participant`` begin, go on or end; none begins under overload."""
        now = self._clock()
        self.bursts.note(
            participant.participant,
            now,
            wanted=detection.burst and self.factor >= 1,
            took=now - arrived,
            rate=self.rate,
        )

    def _selected(self, detection: Detection) -> Detection:
        """``detection`` with ``labels`` alone."""
        labels = self.labels
        if labels is None:
            return detection
        scores = tuple(score for score in detection.scores if score.label in labels)
        return replace(detection, scores=scores)
