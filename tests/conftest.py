"""What all tests have in common."""

import pytest
from hypothesis import HealthCheck, settings

from reactions.landmarks.store import ModelStore

# How long an example takes says more about what else this machine is doing than about the code.
settings.register_profile("ours", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("ours")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Skip, saying so, the tests that need the nets where these are not."""
    if ModelStore().complete:
        return
    without = pytest.mark.skip(reason="the nets are not here: run `sidecar models fetch`")
    for item in items:
        if item.get_closest_marker("models") is not None:
            item.add_marker(without)
