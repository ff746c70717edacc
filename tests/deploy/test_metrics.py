"""The metrics page, the alert rules and the dashboard name metrics that the server has."""

import json
import re
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from prometheus_client.metrics_core import Metric

from sidecar.dispatch.worker import DispatchWorker
from sidecar.dispatch.worker_options import WorkerOptions
from sidecar.inference.dispatcher import Dispatcher
from sidecar.rooms.livekit.tokens import KeyPair
from sidecar.server.api.metrics import MetricSources, SidecarCollector
from sidecar.supervisor.values import RoomStats
from tests.sidecar.supervisor.world import World

ROOT = Path(__file__).parents[2]
RULES = ROOT / "deploy/prometheus/alerts.yml"
RULE_TESTS = ROOT / "deploy/prometheus/alerts_test.yml"
SCRAPING = ROOT / "deploy/prometheus/prometheus.yml"
DASHBOARD = ROOT / "deploy/grafana/reaction-sidecar.json"
PAGE = ROOT / "docs/metrics.md"


@pytest.fixture
async def metrics() -> list[Metric]:
    """All metrics of a server, with a value for each label."""
    counts = {
        "dropped": {"late": 1},
        "reactions": {"wave": 1},
        "sink_drops": {"console": 1},
        "deliveries": {"console": 1},
        "rejoins": {"lost Janus": 1},
    }
    async with World().running() as supervisor:
        supervisor.totals.add(RoomStats(), RoomStats(**counts))
        options = WorkerOptions("wss://sfu.example", KeyPair("key", "secret"), "reaction-sidecar")
        worker = DispatchWorker(options, supervisor)
        sources = MetricSources(supervisor, lambda: Dispatcher().stats(restarts=0), worker=worker)
        return list(SidecarCollector(sources).collect())


def row(metric: Metric) -> str:
    """The metric's row in the page."""
    suffix = "_total" if metric.type == "counter" else ""
    labels = sorted({f"`{name}`" for one in metric.samples for name in one.labels} - {"`le`"})
    cells = (f"`{metric.name}{suffix}`", metric.type, ", ".join(labels), metric.documentation)
    return f"| {' | '.join(cells)} |"


def test_the_page_has_a_row_for_each_metric(metrics: list[Metric]) -> None:
    rows = [line for line in PAGE.read_text().splitlines() if line.startswith("| `")]
    assert rows == [row(metric) for metric in metrics]


def names(metrics: list[Metric]) -> set[str]:
    """What PromQL may name: of histograms the buckets too."""
    found = {sample.name for metric in metrics for sample in metric.samples}
    return found | {metric.name for metric in metrics if metric.type == "gauge"}


def named(text: str) -> set[str]:
    return set(re.findall(r"\bsidecar_[a-z_]+", text))


def test_the_rules_name_metrics_that_exist(metrics: list[Metric]) -> None:
    for file in (RULES, RULE_TESTS):
        assert named(file.read_text()) <= names(metrics)


def expressions() -> Iterator[str]:
    for panel in json.loads(DASHBOARD.read_text())["panels"]:
        for target in panel.get("targets", ()):
            yield target["expr"]


def test_the_dashboard_shows_every_metric_and_no_other(metrics: list[Metric]) -> None:
    shown = named(" ".join(expressions()))
    assert shown <= names(metrics)
    families = {
        metric.name for metric in metrics if not any(name.startswith(metric.name) for name in shown)
    }
    assert families == set()


def test_panels_do_not_overlap() -> None:
    taken: set[tuple[int, int]] = set()
    for panel in json.loads(DASHBOARD.read_text())["panels"]:
        place = panel["gridPos"]
        cells = {
            (x, y)
            for x in range(place["x"], place["x"] + place["w"])
            for y in range(place["y"], place["y"] + place["h"])
        }
        assert not cells & taken, panel["title"]
        assert place["x"] + place["w"] <= 24
        taken |= cells


@pytest.mark.parametrize(
    "arguments",
    [
        ["check", "rules", str(RULES)],
        ["test", "rules", str(RULE_TESTS)],
        ["check", "config", str(SCRAPING)],
    ],
    ids=["rules", "rule tests", "scraping"],
)
def test_promtool_finds_no_fault(arguments: list[str]) -> None:
    if (promtool := shutil.which("promtool")) is None:
        pytest.skip("promtool can't be had here: Debian's package prometheus has it")
    done = subprocess.run([promtool, *arguments], capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stdout + done.stderr


def test_prometheus_can_parse_every_expression_of_the_dashboard(tmp_path: Path) -> None:
    if (promtool := shutil.which("promtool")) is None:
        pytest.skip("promtool can't be had here: Debian's package prometheus has it")
    rules = [
        {"record": f"panel:{number}", "expr": expression.replace("$__rate_interval", "1m")}
        for number, expression in enumerate(expressions())
    ]
    file = tmp_path / "panels.yml"
    file.write_text(json.dumps({"groups": [{"name": "panels", "rules": rules}]}))
    done = subprocess.run(
        [promtool, "check", "rules", str(file)], capture_output=True, text=True, timeout=60
    )
    assert done.returncode == 0, done.stdout + done.stderr
