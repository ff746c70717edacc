"""One replica of detection: models on a thread, and samples of all rooms in turn.

It is a ``ThreadDetector`` with one worker, so that what waits in it is served as everywhere else:
the source first that was served longest ago, and nothing that is past its deadline.
"""

import os
import pickle
import time
from collections.abc import Callable
from typing import Final

from config.errors import InferenceError
from sidecar.captured import Captured
from sidecar.cluster.remote_detector import SentSample
from sidecar.inference.detector import LoadPipeline
from sidecar.inference.messages import sendable
from sidecar.inference.threads import ThreadDetector

NICENESS: Final = 3
"""As that of a worker process: the composite's clock comes first."""
HANGS: Final = 5.0
"""Seconds without an answer while a sample is detected, as for a worker process."""


class DetectionReplica:
    """Answers samples with what ``load`` makes, which is loaded at once; ``version`` names it."""

    def __init__(
        self, load: LoadPipeline, version: str, clock: Callable[[], float] = time.monotonic
    ) -> None:
        pipeline = load()
        self._detector = ThreadDetector(lambda: pipeline)
        self._started = False
        self._version = version
        self._clock = clock
        self._done = 0
        self._moved = clock()
        os.nice(NICENESS)

    def version(self) -> str:
        """What the models are; the same text means the same models."""
        return self._version

    def pid(self) -> int:
        """Of the replica's process."""
        return os.getpid()

    async def detect(self, sent: SentSample) -> bytes:
        """The pickled ``Answered`` of a sample; what is wrong with one is its answer."""
        if not self._started:
            self._started = True
            await self._detector.start()
        deadline = time.monotonic() + sent.seconds
        with Captured() as attempt:
            found = await self._detector.detect(
                sent.sample, sent.memory, deadline, source=sent.source
            )
            return pickle.dumps(found, pickle.HIGHEST_PROTOCOL)
        assert attempt.error is not None
        return pickle.dumps(sendable(attempt.error.with_traceback(None)))

    async def aclose(self) -> None:
        """End the thread, after the sample that it has."""
        await self._detector.aclose()

    def check_health(self) -> None:
        """Raise InferenceError where a model hangs: then another replica takes its place."""
        stats, now = self._detector.stats(), self._clock()
        done = stats.detected + stats.failed
        if not stats.running or done != self._done:
            self._done, self._moved = done, now
        elif now - self._moved > HANGS:
            raise InferenceError(f"a sample took more than {HANGS:g} s")
