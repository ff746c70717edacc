"""Metrics that come from the server's own port."""

from sidecar.server.api.metrics import MetricSources, metrics_registry, metrics_text
from sidecar.server.connections import ConnectionCounts
from tests.sidecar.supervisor.test_supervisor import World


async def test_connections_are_counted_by_what_came_of_them() -> None:
    async with World().running() as supervisor:
        sources = MetricSources(supervisor, connections=lambda: ConnectionCounts(3, 2, 1))
        text = metrics_text(metrics_registry(sources)).decode()
    assert "sidecar_http_connections 3.0" in text
    assert 'sidecar_http_connections_closed_total{reason="refused"} 2.0' in text
    assert 'sidecar_http_connections_closed_total{reason="timed out"} 1.0' in text


async def test_event_streams_that_were_dropped_are_counted() -> None:
    async with World().running() as supervisor:
        sources = MetricSources(supervisor, streams_dropped=lambda: 7)
        text = metrics_text(metrics_registry(sources)).decode()
    assert "sidecar_event_streams_dropped_total 7.0" in text
