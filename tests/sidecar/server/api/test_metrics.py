"""Metrics that come from the server's own port, and those of its rooms."""

import re

from reactions.taught_labels import MAX_TAUGHT
from sidecar.server.api.metrics import MetricSources, metrics_registry, metrics_text
from sidecar.server.connections import ConnectionCounts
from sidecar.supervisor.values import RoomStats
from tests.sidecar.supervisor.world import World


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


async def test_taught_labels_are_counted_by_name_and_their_series_are_bounded() -> None:
    first = [f"taught_{chr(97 + n // 26)}{chr(97 + n % 26)}" for n in range(MAX_TAUGHT)]
    async with World().running() as supervisor:
        registry = metrics_registry(MetricSources(supervisor))
        supervisor.totals.add(RoomStats(), RoomStats(reactions=dict.fromkeys(first, 2)))
        later = {"later": 3, "wave": 1, "last": 4, first[0]: 1}
        supervisor.totals.add(RoomStats(), RoomStats(reactions=later))
        text = metrics_text(registry).decode()
    found = dict(re.findall(r'sidecar_reactions_total\{label="(\w+)"\} (\S+)', text))
    assert found.pop("taught") == "7.0"
    assert (found.pop("wave"), found.pop(first[0])) == ("1.0", "3.0")
    assert found == dict.fromkeys(first[1:], "2.0")
