"""The compose file for a first look is valid, and what it names exists and fits together."""

import json
import re
import tomllib
from pathlib import Path
from typing import Any

import compose_spec
import pytest
import yaml

from config.settings import load_settings

ROOT = Path(__file__).parents[2]
FOLDER = ROOT / "deploy/compose"
FILE = FOLDER / "compose.yaml"


@pytest.fixture
def composed() -> dict[str, Any]:
    read = yaml.safe_load(FILE.read_text())
    assert isinstance(read, dict)
    return read


def parse(composed: dict[str, Any]) -> None:
    """Read ``composed`` by the Compose specification. Raises ValueError."""
    compose_spec.PyCompose.from_json(json.dumps(composed)).validate()


def test_the_file_is_one_of_the_compose_specification(composed: dict[str, Any]) -> None:
    parse(composed)


@pytest.mark.parametrize(
    ("field", "value"), [("read_onli", True), ("init", ["yes"]), ("stop_grace_period", "1 parsec")]
)
def test_a_field_that_compose_does_not_know_is_noticed(
    composed: dict[str, Any], field: str, value: object
) -> None:
    composed["services"]["sidecar"][field] = value
    with pytest.raises(ValueError, match=r"extension key|invalid type|duration"):
        parse(composed)


def test_what_is_mounted_is_here_and_each_volume_is_declared(composed: dict[str, Any]) -> None:
    mounts = [mount for one in composed["services"].values() for mount in one["volumes"]]
    files = {mount["source"] for mount in mounts if mount["type"] == "bind"}
    assert [name for name in files if not (FOLDER / name).exists()] == []
    volumes = {mount["source"] for mount in mounts if mount["type"] == "volume"}
    assert volumes == composed["volumes"].keys()


def test_every_service_is_confined_and_of_a_named_version(composed: dict[str, Any]) -> None:
    for name, service in composed["services"].items():
        assert service["read_only"] is True, name
        assert service["cap_drop"] == ["ALL"], name
        assert "build" in service or re.search(r":v?\d+\.\d+\.\d+$", service["image"]), name
    assert (FOLDER / composed["services"]["sidecar"]["build"]["context"] / "Dockerfile").exists()


def test_the_sidecar_accepts_its_settings_and_has_each_secret(composed: dict[str, Any]) -> None:
    settings = load_settings(FOLDER / "sidecar.toml", environ={})
    environment = composed["services"]["sidecar"]["environment"]
    named = re.findall(r'"env:(\w+)"', (FOLDER / "sidecar.toml").read_text())
    assert set(named) <= environment.keys() & set(settings.serve.secret_variables)
    keys = yaml.safe_load((FOLDER / "livekit.yaml").read_text())["keys"]
    assert keys == {environment["LIVEKIT_API_KEY"]: environment["LIVEKIT_API_SECRET"]}


def test_a_stop_waits_for_the_drain_and_for_what_is_closed_after_it(
    composed: dict[str, Any],
) -> None:
    drain = load_settings(FOLDER / "sidecar.toml", environ={}).serve.drain_timeout
    assert composed["services"]["sidecar"]["stop_grace_period"] == "1m"
    # As closeSeconds of the Helm chart.
    assert drain + 30 <= 60


def test_the_rooms_are_on_the_servers_that_are_started() -> None:
    rooms = tomllib.loads((FOLDER / "sidecar.toml").read_text())["serve"]["rooms"]
    port = yaml.safe_load((FOLDER / "livekit.yaml").read_text())["port"]
    assert [room["url"] for room in rooms] == [f"ws://127.0.0.1:{port}#first-look", "room:hello"]


def test_both_rooms_are_admitted_on_two_cores() -> None:
    settings = load_settings(FOLDER / "sidecar.toml", environ={})
    costs, sampling = settings.serve.costs, settings.sampling
    each = costs.participant + costs.sample * sampling.rate
    room = costs.base + costs.composite + settings.serve.expected_participants * each
    assert len(settings.serve.rooms) * room <= 2 * settings.serve.cpu_share


def test_grafana_asks_prometheus_for_the_dashboard(composed: dict[str, Any]) -> None:
    source = yaml.safe_load((FOLDER / "grafana/datasources/prometheus.yaml").read_text())
    address = source["datasources"][0]["url"].removeprefix("http://")
    assert f"--web.listen-address={address}" in composed["services"]["prometheus"]["command"]
    dashboards = yaml.safe_load((FOLDER / "grafana/dashboards/files.yaml").read_text())
    folder = dashboards["providers"][0]["options"]["path"]
    targets = {mount["target"] for mount in composed["services"]["grafana"]["volumes"]}
    assert folder in targets
