"""Detection on threads."""

import threading
from pathlib import Path

from sidecar.inference.detector import Detector, Pipeline
from sidecar.inference.threads import ThreadDetector
from tests.conformance.detector import DetectorConformance
from tests.conformance.scripted_pipeline import ScriptFolder


class TestThreadDetector(DetectorConformance):
    def make(self, scripts: ScriptFolder, workers: int = 1) -> Detector:
        return ThreadDetector(scripts.load, workers=workers)


async def test_each_worker_loads_a_pipeline_on_its_own_thread(tmp_path: Path) -> None:
    threads: list[str] = []

    def load() -> Pipeline:
        threads.append(threading.current_thread().name)
        return ScriptFolder(tmp_path).load()

    async with ThreadDetector(load, workers=2):
        assert sorted(threads) == ["inference-0_0", "inference-1_0"]
