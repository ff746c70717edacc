"""These run in a job of their own."""

import os
from pathlib import Path

import pytest

RENDERED = Path(__file__).with_name("test_chart.py")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    if os.environ.get("SIDECAR_CHARTS"):
        return
    skip = pytest.mark.skip(reason="the chart is rendered by `.ci/charts`")
    for item in items:
        if item.path == RENDERED:
            item.add_marker(skip)
