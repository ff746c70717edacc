"""Traces and metrics by OpenTelemetry (extra ``otel``), sent by OTLP over HTTP.

A span is made for each request to the API, by its route and never by its path, and for each time
that a room is joined or joined again. The metrics are those of ``/metrics``; OpenTelemetry has no
histogram that is read when it is asked for, so a histogram's buckets, sum and count are counters.
"""

import asyncio
import math
import time
from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from importlib.metadata import version
from importlib.util import find_spec
from typing import TYPE_CHECKING, Final, Self

import structlog
from aiohttp import web
from aiohttp.typedefs import Handler, Middleware
from prometheus_client import CollectorRegistry
from prometheus_client.samples import Sample

from config.errors import ConfigError
from sidecar.aio import TaskSet
from sidecar.supervisor.event_log import EventLog, EventRecord
from sidecar.supervisor.values import RoomState

if TYPE_CHECKING:
    from opentelemetry.metrics import CallbackOptions, Meter, Observation
    from opentelemetry.trace import Span, Tracer

log = structlog.get_logger(__name__)

NAME: Final = "reaction-sidecar"
METRICS_EVERY: Final = 15.0
"""Seconds between two exports of the metrics, as Prometheus' scrape configurations have it."""
SNAPSHOT: Final = 1.0
"""Seconds for which one reading of the metrics serves all instruments."""
CLOSING: Final = 5.0
"""Seconds for what was not sent yet, when the server ends."""


class Telemetry:
    """Exports to the collector at ``endpoint`` (its URL without ``/v1/…``) while it is started.

    The exporters read further settings, such as headers with a token, from the environment
    variables ``OTEL_EXPORTER_OTLP_…``. Raises ConfigError where the extra is not installed.
    """

    def __init__(
        self,
        endpoint: str,
        registry: CollectorRegistry,
        events: EventLog,
        *,
        metrics_every: float = METRICS_EVERY,
        closing: float = CLOSING,
    ) -> None:
        if find_spec("opentelemetry") is None or find_spec("opentelemetry.exporter") is None:
            do = "pip install 'reaction-sidecar[otel]'"
            raise ConfigError("OpenTelemetry is not installed", where="serve.otlp_endpoint", do=do)
        from opentelemetry.exporter.otlp.proto.http.metric_exporter import OTLPMetricExporter
        from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
        from opentelemetry.sdk.metrics import MeterProvider
        from opentelemetry.sdk.metrics.export import PeriodicExportingMetricReader
        from opentelemetry.sdk.resources import Resource
        from opentelemetry.sdk.trace import TracerProvider
        from opentelemetry.sdk.trace.export import BatchSpanProcessor

        resource = Resource.create({"service.name": NAME, "service.version": version(NAME)})
        base = endpoint.rstrip("/")
        self._traces = TracerProvider(resource=resource, shutdown_on_exit=False)
        self._traces.add_span_processor(
            BatchSpanProcessor(OTLPSpanExporter(f"{base}/v1/traces", timeout=closing))
        )
        reader = PeriodicExportingMetricReader(
            OTLPMetricExporter(f"{base}/v1/metrics", timeout=closing),
            export_interval_millis=1000 * metrics_every,
        )
        self._metrics = MeterProvider([reader], resource=resource, shutdown_on_exit=False)
        self._registry = registry
        self._events = events
        self._closing = closing
        self._tracer = self._traces.get_tracer(NAME)
        self._tasks = TaskSet()

    async def start(self) -> None:
        """Begin to export."""
        observe_registry(self._metrics.get_meter(NAME), self._registry)
        self._tasks.create_task(self._follow(), name="room spans")

    async def aclose(self) -> None:
        """Send what waits, within the limit."""
        await self._tasks.aclose()
        try:
            async with asyncio.timeout(self._closing):
                await asyncio.gather(
                    asyncio.to_thread(self._traces.shutdown),
                    asyncio.to_thread(self._metrics.shutdown),
                )
        except TimeoutError:
            log.warning("telemetry not sent", reason="the collector did not answer in time")

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(self, *exc: object) -> None:
        await self.aclose()

    def middleware(self) -> Middleware:
        """Makes a span of each request."""
        return trace_requests(self._tracer)

    async def _follow(self) -> None:
        spans = RoomSpans(self._tracer)
        try:
            with self._events.read() as reader:
                async for record in reader:
                    spans.take(record)
        finally:
            spans.close()


def trace_requests(tracer: "Tracer") -> Middleware:
    """A span of each request, a child of the caller's ``traceparent`` where it sends one."""
    from opentelemetry.propagate import extract
    from opentelemetry.trace import SpanKind, Status, StatusCode

    @web.middleware
    async def trace(request: web.Request, handler: Handler) -> web.StreamResponse:
        resource = request.match_info.route.resource
        route = "unknown" if resource is None else resource.canonical
        with tracer.start_as_current_span(
            f"{request.method} {route}",
            extract(request.headers),
            SpanKind.SERVER,
            {"http.request.method": request.method, "http.route": route},
            # A refusal's text may name what was sent.
            record_exception=False,
            set_status_on_exception=False,
        ) as span:
            response = await handler(request)
            span.set_attribute("http.response.status_code", response.status)
            if response.status >= 500:
                span.set_status(Status(StatusCode.ERROR))
            return response

    return trace


class RoomSpans:
    """One span for each time that a room is joined, from ``room.state`` events."""

    def __init__(self, tracer: "Tracer") -> None:
        self._tracer = tracer
        self._open: dict[str, Span] = {}

    def take(self, record: EventRecord) -> None:
        """Begin or end a span by ``record``."""
        if record.event.get("event") != "room.state":
            return
        state, reason = RoomState(record.event["state"]), str(record.event.get("reason", ""))
        if state in {RoomState.JOINING, RoomState.REJOINING}:
            if record.room not in self._open:
                name = "join room" if state is RoomState.JOINING else "rejoin room"
                attributes = {"sidecar.room.id": record.room, "sidecar.reason": reason}
                self._open[record.room] = self._tracer.start_span(name, attributes=attributes)
        elif (span := self._open.pop(record.room, None)) is not None:
            self._end(span, state, reason)

    def close(self) -> None:
        """End what is open."""
        for span in self._open.values():
            span.end()
        self._open.clear()

    def _end(self, span: "Span", state: RoomState, reason: str) -> None:
        from opentelemetry.trace import Status, StatusCode

        span.set_attribute("sidecar.room.state", state.value)
        if state is RoomState.FAILED:
            span.set_status(Status(StatusCode.ERROR, reason))
        span.end()


class RegistrySnapshot:
    """The samples of ``registry`` by name, read once for all instruments of one export."""

    def __init__(
        self, registry: CollectorRegistry, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._registry = registry
        self._clock = clock
        self._read_at = -math.inf
        self._samples: dict[str, list[Sample]] = {}

    def samples(self, name: str) -> Sequence[Sample]:
        """All samples of this name, at most ``SNAPSHOT`` seconds old."""
        now = self._clock()
        if now - self._read_at > SNAPSHOT:
            found: dict[str, list[Sample]] = defaultdict(list)
            for family in self._registry.collect():
                for sample in family.samples:
                    found[sample.name].append(sample)
            self._read_at, self._samples = now, found
        return self._samples.get(name, ())


def observe_registry(meter: "Meter", registry: CollectorRegistry) -> None:
    """Make an instrument of each metric that ``registry`` has at this moment."""
    snapshot = RegistrySnapshot(registry)
    for family in registry.collect():
        text = family.documentation
        if family.type == "gauge":
            name = family.name
            meter.create_observable_gauge(name, [_observes(snapshot, name)], description=text)
            continue
        suffixes = ("_bucket", "_sum", "_count") if family.type == "histogram" else ("_total",)
        for suffix in suffixes:
            name = family.name + suffix
            meter.create_observable_counter(name, [_observes(snapshot, name)], description=text)


def _observes(
    snapshot: RegistrySnapshot, name: str
) -> "Callable[[CallbackOptions], Iterable[Observation]]":
    from opentelemetry.metrics import Observation

    def observe(options: "CallbackOptions") -> Iterable[Observation]:
        return [Observation(one.value, dict(one.labels)) for one in snapshot.samples(name)]

    return observe
