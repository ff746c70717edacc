"""OpenTelemetry: what a collector gets, and a collector that does not answer."""

import asyncio
import gzip
from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Any

import pytest
from aiohttp import web
from aiohttp.test_utils import TestClient, TestServer
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import (
    ExportMetricsServiceRequest,
)
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.trace.v1.trace_pb2 import Span, Status
from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

from config.errors import ConfigError
from sidecar.server import telemetry as module
from sidecar.server.telemetry import RegistrySnapshot, Telemetry
from sidecar.supervisor.event_log import EventLog
from tests.sidecar.clients import eventually

CALLER = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"


class FakeCollector:
    """Keeps the spans and the newest metrics that it gets."""

    def __init__(self) -> None:
        self.spans: dict[str, Span] = {}
        self.values: dict[tuple[str, ...], float] = {}

    def app(self) -> web.Application:
        app = web.Application()
        app.router.add_post("/v1/traces", self._take_traces)
        app.router.add_post("/v1/metrics", self._take_metrics)
        return app

    async def _take_traces(self, request: web.Request) -> web.Response:
        body = ExportTraceServiceRequest.FromString(await _body(request))
        for resource in body.resource_spans:
            for scope in resource.scope_spans:
                self.spans |= {span.name: span for span in scope.spans}
        return web.Response()

    async def _take_metrics(self, request: web.Request) -> web.Response:
        body = ExportMetricsServiceRequest.FromString(await _body(request))
        for resource in body.resource_metrics:
            for scope in resource.scope_metrics:
                for metric in scope.metrics:
                    points = metric.gauge.data_points or metric.sum.data_points
                    for point in points:
                        labels = tuple(one.value.string_value for one in point.attributes)
                        self.values[metric.name, *labels] = point.as_double
        return web.Response()


async def _body(request: web.Request) -> bytes:
    body = await request.read()
    return gzip.decompress(body) if body.startswith(b"\x1f\x8b") else body


def registry() -> CollectorRegistry:
    made = CollectorRegistry()
    Gauge("sidecar_load", "Load.", registry=made).set(0.5)
    Counter("sidecar_reactions", "Reactions.", ["label"], registry=made).labels("wave").inc(3)
    Histogram("sidecar_seconds", "Seconds.", buckets=(0.1, 1), registry=made).observe(0.5)
    return made


@asynccontextmanager
async def telemetry(events: EventLog, **options: float) -> AsyncIterator[tuple[Any, FakeCollector]]:
    """Telemetry to a fake collector, which has all once this is left."""
    collector = FakeCollector()
    async with AsyncExitStack() as stack:
        server = await stack.enter_async_context(TestServer(collector.app()))
        made = Telemetry(str(server.make_url("")), registry(), events, **options)
        yield await stack.enter_async_context(made), collector


def attributes(span: Span) -> Mapping[str, object]:
    return {one.key: one.value.string_value or one.value.int_value for one in span.attributes}


async def test_a_request_is_a_span_of_its_route_in_the_callers_trace() -> None:
    async def show(request: web.Request) -> web.Response:
        return web.Response(status=201)

    async with telemetry(EventLog()) as (made, collector):
        app = web.Application(middlewares=[made.middleware()])
        app.router.add_get("/v1/rooms/{room}", show)
        async with TestClient(TestServer(app)) as client:
            path = "/v1/rooms/r-secret?token=secret"
            async with client.get(path, headers={"traceparent": CALLER}):
                pass
    span = collector.spans["GET /v1/rooms/{room}"]
    assert span.trace_id.hex() == CALLER.split("-")[1]
    assert span.parent_span_id.hex() == CALLER.split("-")[2]
    assert attributes(span) == {
        "http.request.method": "GET",
        "http.route": "/v1/rooms/{room}",
        "http.response.status_code": 201,
    }
    assert "secret" not in str(span)


async def test_joining_is_a_span_until_the_room_is_live() -> None:
    events = EventLog()
    async with telemetry(events) as (_, collector):
        await asyncio.sleep(0)
        for state, reason in [("joining", ""), ("live", ""), ("rejoining", "gone"), ("live", "")]:
            events.append("r-1", {"event": "room.state", "state": state, "reason": reason})
        await asyncio.sleep(0.05)
    assert attributes(collector.spans["join room"])["sidecar.room.state"] == "live"
    assert attributes(collector.spans["rejoin room"])["sidecar.reason"] == "gone"


async def test_a_room_that_can_not_be_joined_is_a_span_with_an_error() -> None:
    events = EventLog()
    async with telemetry(events) as (_, collector):
        await asyncio.sleep(0)
        for state, reason in [("joining", ""), ("failed", "refused")]:
            events.append("r-1", {"event": "room.state", "state": state, "reason": reason})
        await asyncio.sleep(0.05)
    status = collector.spans["join room"].status
    assert (status.code, status.message) == (Status.STATUS_CODE_ERROR, "refused")


async def test_metrics_are_those_of_the_registry() -> None:
    async with telemetry(EventLog(), metrics_every=0.05) as (_, collector):
        await eventually(lambda: ("sidecar_seconds_count",) in collector.values)
    assert collector.values["sidecar_load",] == 0.5
    assert collector.values["sidecar_reactions_total", "wave"] == 3
    assert collector.values["sidecar_seconds_bucket", "1.0"] == 1
    assert collector.values["sidecar_seconds_sum",] == 0.5


async def test_a_collector_that_never_answers_does_not_keep_the_server_from_ending() -> None:
    async def hang(request: web.Request) -> web.Response:
        await asyncio.sleep(30)
        return web.Response()

    app = web.Application()
    app.router.add_post("/v1/{kind}", hang)
    async with TestServer(app, shutdown_timeout=0.1) as server, asyncio.timeout(10):
        made = Telemetry(str(server.make_url("")), registry(), EventLog(), closing=0.3)
        async with made:
            pass


def test_one_reading_serves_all_instruments_of_an_export() -> None:
    now = 0.0
    made = registry()
    snapshot = RegistrySnapshot(made, clock=lambda: now)
    first = snapshot.samples("sidecar_load")
    assert snapshot.samples("sidecar_load") is first
    now = 2.0
    assert snapshot.samples("sidecar_load") is not first
    assert snapshot.samples("no such metric") == ()


def test_without_the_extra_there_is_one_clear_line(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "find_spec", lambda name: None)
    with pytest.raises(ConfigError, match=r"OpenTelemetry is not installed"):
        Telemetry("http://127.0.0.1:4318", CollectorRegistry(), EventLog())
