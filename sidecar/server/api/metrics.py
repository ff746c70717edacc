"""Prometheus metrics of the supervisor: read when they are asked for, nothing runs in between.

Names have the prefix ``sidecar_`` and base units. No label holds a name of a room or participant,
so that the number of series stays the same however many there are.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import psutil
from prometheus_client import CollectorRegistry, ProcessCollector, generate_latest
from prometheus_client.core import (
    CounterMetricFamily,
    GaugeMetricFamily,
    HistogramMetricFamily,
)
from prometheus_client.metrics_core import Metric
from prometheus_client.registry import Collector

from reactions.labels import LABELS
from reactions.taught_labels import MAX_TAUGHT
from sidecar.dispatch.job_board import JobResult
from sidecar.dispatch.worker import DispatchWorker
from sidecar.inference.detector import DetectorStats
from sidecar.server.connections import ConnectionCounts
from sidecar.supervisor.supervisor import Supervisor
from sidecar.supervisor.values import RoomState

CONTENT_TYPE: Final = "text/plain; version=0.0.4; charset=utf-8"
_COUNTERS: Final = {
    "frames_in": ("frames_received", "Frames of cameras that came on time."),
    "frames_late": ("frames_late", "Frames dropped because they came late."),
    "ticks": ("composite_ticks", "Pictures of composites."),
    "late_ticks": ("composite_late_ticks", "Ticks that began over one interval late."),
    "samples": ("samples", "Samples that were detected."),
    "bursts": ("sampling_bursts", "Bursts of samples begun."),
    "encoded_bytes": ("encoded_bytes", "Bytes of encoded composites."),
}
_MORE_TAUGHT: Final = "taught"
"""The series of taught labels after the first ``MAX_TAUGHT``."""
_TABLES: Final = {
    "dropped": ("samples_dropped", "Samples dropped, by reason.", "reason"),
    "reactions": ("reactions", "Reactions started, by label.", "label"),
    "sink_drops": ("sink_dropped", "Events and packets that a sink dropped.", "sink"),
    "deliveries": ("sink_delivered", "Events that a sink handed over.", "sink"),
}


@dataclass(frozen=True, slots=True)
class MetricSources:
    """What the metrics are read from."""

    supervisor: Supervisor
    detector: Callable[[], DetectorStats] | None = None
    """The numbers of the detector that all rooms share; None where there is none."""
    worker_pids: Callable[[], Sequence[int]] = tuple
    """The detector's processes."""
    connections: Callable[[], ConnectionCounts] = ConnectionCounts
    """Those of the server's port."""
    streams_dropped: Callable[[], int] = lambda: 0
    """Event streams that ended because their clients did not read."""
    worker: DispatchWorker | None = None
    """What takes rooms from a LiveKit server's dispatch; None where nothing does."""


class SidecarCollector(Collector):
    """All metrics of ``sources``."""

    def __init__(self, sources: MetricSources) -> None:
        self._supervisor = sources.supervisor
        self._detector = sources.detector
        self._worker_pids = sources.worker_pids
        self._connections = sources.connections
        self._streams_dropped = sources.streams_dropped
        self._dispatch = sources.worker

    def collect(self) -> Iterable[Metric]:
        yield from self._rooms()
        yield from self._counts()
        yield self._rejoins()
        yield self._detections()
        yield from self._webhooks()
        yield from self._processes()
        yield from self._workers()
        yield from self._http()
        yield from self._dispatched()

    def _rooms(self) -> Iterable[Metric]:
        rooms = self._supervisor.rooms()
        states = Counter(room.state for room in rooms)
        yield _by("rooms", "Rooms, by state.", "state", {one: states[one] for one in RoomState})
        present = [room.stats for room in rooms if not room.state.over]
        participants = sum(stats.participants for stats in present)
        yield GaugeMetricFamily("sidecar_participants", "Participants with a camera.", participants)
        viewers = sum(stats.viewers for stats in present)
        yield GaugeMetricFamily("sidecar_viewers", "Connections that watch composites.", viewers)
        ages = [stats.sample_age for stats in present if stats.sample_age is not None]
        text = "Age of the oldest of all participants' newest samples."
        yield GaugeMetricFamily("sidecar_sample_age_seconds", text, max(ages, default=0.0))
        readers = self._supervisor.events.readers
        yield GaugeMetricFamily("sidecar_event_streams", "Open event streams.", readers)
        text = "Event streams ended because their clients did not read."
        yield CounterMetricFamily("sidecar_event_streams_dropped", text, self._streams_dropped())

    def _counts(self) -> Iterable[Metric]:
        totals = self._supervisor.totals
        for name, (metric, text) in _COUNTERS.items():
            yield CounterMetricFamily(f"sidecar_{metric}", text, totals.numbers[name])
        for name, (metric, text, label) in _TABLES.items():
            counts: Mapping[str, float] = totals.tables[name]
            if name == "reactions":
                counts = _bounded_labels(counts)
            family = CounterMetricFamily(f"sidecar_{metric}", text, labels=[label])
            for key, count in counts.items():
                family.add_metric([key], count)
            yield family

    def _rejoins(self) -> Metric:
        text = "Meetings joined again, by meeting system and kind of the loss."
        family = CounterMetricFamily("sidecar_room_rejoins", text, labels=["system", "reason"])
        for key, count in self._supervisor.totals.tables["rejoins"].items():
            reason, _, system = key.partition(" ")
            family.add_metric([system, reason], count)
        return family

    def _webhooks(self) -> Iterable[Metric]:
        webhooks = self._supervisor.webhooks
        text = "Webhook deliveries by what came of them; failed ones are tried again."
        family = CounterMetricFamily("sidecar_webhook_deliveries", text, labels=["result"])
        for result, count in webhooks.results.items():
            family.add_metric([result], count)
        yield family
        text = "Webhook deliveries that wait."
        yield GaugeMetricFamily("sidecar_webhook_waiting", text, webhooks.waiting)

    def _detections(self) -> Metric:
        totals = self._supervisor.totals
        family = HistogramMetricFamily("sidecar_detection_seconds", "Time of one detection.")
        buckets: list[tuple[str, float]] = []
        seen = 0.0
        for bound in sorted(totals.tables["detections"], key=float):
            seen += totals.tables["detections"][bound]
            buckets.append(("+Inf" if bound == "inf" else bound, seen))
        if not buckets or buckets[-1][0] != "+Inf":
            buckets.append(("+Inf", seen))
        family.add_metric([], buckets, totals.numbers["detection_seconds"])
        return family

    def _processes(self) -> Iterable[Metric]:
        supervisor = self._supervisor
        usage = [used for room in supervisor.rooms() if (used := room.usage()) is not None]
        memory = sum(used.memory for used in usage)
        text = "Resident memory of all rooms' processes."
        yield GaugeMetricFamily("sidecar_rooms_resident_bytes", text, memory)
        largest = max((used.memory for used in usage), default=0)
        text = "Resident memory of the largest room's process."
        yield GaugeMetricFamily("sidecar_room_largest_resident_bytes", text, largest)
        text = "Processes of rooms started again."
        yield CounterMetricFamily("sidecar_room_restarts", text, supervisor.restarts)
        load = supervisor.admission.load(supervisor.now)
        text = "Share of the cores for rooms that is in use or reserved."
        yield GaugeMetricFamily("sidecar_admission_load", text, load)
        draining = float(supervisor.draining)
        yield GaugeMetricFamily("sidecar_draining", "Whether no new rooms are taken.", draining)
        text = "Share of the wanted rate at which participants are sampled: below 1 under overload."
        yield GaugeMetricFamily("sidecar_sampling_rate_ratio", text, supervisor.sampling.factor)

    def _workers(self) -> Iterable[Metric]:
        if self._detector is None:
            return
        stats = self._detector()
        text = "Detection workers that are alive and loaded."
        yield GaugeMetricFamily("sidecar_detection_workers", text, stats.workers)
        text = "Detection workers started in place of lost ones."
        yield CounterMetricFamily("sidecar_detection_worker_restarts", text, stats.restarts)
        text = "Samples that wait for a detection worker."
        yield GaugeMetricFamily("sidecar_detection_waiting", text, stats.waiting)
        text = "Resident memory of all detection workers."
        memory = sum(map(resident_bytes, self._worker_pids()))
        yield GaugeMetricFamily("sidecar_detection_workers_resident_bytes", text, memory)

    def _dispatched(self) -> Iterable[Metric]:
        if (worker := self._dispatch) is None:
            return
        text = "Whether the LiveKit server may offer jobs."
        yield GaugeMetricFamily("sidecar_dispatch_registered", text, float(worker.registered))
        yield GaugeMetricFamily("sidecar_dispatch_jobs", "Jobs that run.", worker.jobs)
        text = "Jobs of the LiveKit server, by what came of them."
        family = CounterMetricFamily("sidecar_dispatch_results", text, labels=["result"])
        for result in JobResult:
            family.add_metric([result.value], worker.results[result])
        yield family
        text = "Dispatches that no server worked on, dispatched again by this one."
        yield CounterMetricFamily("sidecar_dispatch_taken_over", text, worker.taken_over)

    def _http(self) -> Iterable[Metric]:
        counts = self._connections()
        text = "Open connections to the server's port."
        yield GaugeMetricFamily("sidecar_http_connections", text, counts.open)
        text = "Connections that were refused, and those closed since nothing was sent or read."
        family = CounterMetricFamily("sidecar_http_connections_closed", text, labels=["reason"])
        family.add_metric(["refused"], counts.refused)
        family.add_metric(["timed out"], counts.timed_out)
        yield family


def resident_bytes(pid: int) -> int:
    """Resident memory of a process; 0 where it has ended."""
    try:
        return int(psutil.Process(pid).memory_info().rss)
    except psutil.Error:
        return 0


def _bounded_labels(counts: Mapping[str, float]) -> Mapping[str, float]:
    """``counts`` by label: those of the vocabulary and the first taught ones have their names.

    ``counts`` keeps its order and loses nothing, so that no label changes its series.
    """
    bounded: dict[str, float] = {}
    taught = 0
    for label, count in counts.items():
        if label not in LABELS:
            taught += 1
        name = label if label in LABELS or taught <= MAX_TAUGHT else _MORE_TAUGHT
        bounded[name] = bounded.get(name, 0.0) + count
    return bounded


def _by(name: str, text: str, label: str, counts: Mapping[RoomState, int]) -> Metric:
    family = GaugeMetricFamily(f"sidecar_{name}", text, labels=[label])
    for key, count in counts.items():
        family.add_metric([key.value], count)
    return family


def metrics_registry(sources: MetricSources) -> CollectorRegistry:
    """A registry with the metrics of ``sources``, and those of this process (``process_…``)."""
    registry = CollectorRegistry()
    registry.register(SidecarCollector(sources))
    ProcessCollector(registry=registry)
    return registry


def metrics_text(registry: CollectorRegistry) -> bytes:
    """The metrics in Prometheus' text format."""
    return generate_latest(registry)
