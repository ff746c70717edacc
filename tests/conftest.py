"""What all tests have in common."""

import gc
import logging
import os
import signal
import sys
from collections.abc import Iterator

import pytest
import structlog
from hypothesis import HealthCheck, settings

from reactions.landmarks.model_manifest import FILES
from reactions.landmarks.model_store import ModelStore
from tests.order import spread
from tests.servers.soak import CHURN

pytest.register_assert_rewrite(
    "tests.conformance.detector", "tests.conformance.room", "tests.conformance.room_handle"
)

# How long an example takes says more about what else this machine is doing than about the code.
# Each run draws other examples, and `make fuzz` draws thousands.
settings.register_profile(
    "ours", max_examples=50, deadline=None, suppress_health_check=[HealthCheck.too_slow]
)
settings.load_profile("ours")


OTHERS = ("browser", "cluster", "npm", "servers")
"""Markers of tests in which other people's programs take part."""
PEERS = "peers"
"""Marks tests with real peer connections: of these, one that waited in vain may be tried again."""


def pytest_configure() -> None:
    """Let Ctrl-C end the programs that tests start, as in a terminal.

    A script's background job and some services ignore SIGINT, and what they start inherits that.
    """
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.fixture(autouse=True)
def _default_logging() -> Iterator[None]:
    """Undo what a test's command configured: the next one finds the log as it is by default."""
    level = logging.getLogger().level
    yield
    if structlog.is_configured():
        structlog.reset_defaults()
        root = logging.getLogger()
        root.setLevel(level)
        # pytest removes its own handlers itself.
        ours = [one for one in root.handlers if not type(one).__module__.startswith("_pytest")]
        for handler in ours:
            root.removeHandler(handler)


def forget_applications() -> None:
    """Let aiohttp forget the applications of ended servers, and with them their rooms and models.

    It keeps the last 1024 handlers that have middlewares, for the sake of a server that lives long.
    """
    if (applications := sys.modules.get("aiohttp.web_app")) is not None:
        applications._cached_build_middleware.cache_clear()


@pytest.fixture(autouse=True)
def _no_applications_are_kept() -> Iterator[None]:
    yield
    forget_applications()


def pytest_xdist_auto_num_workers() -> int:
    """One more than there are cores: most tests of rooms wait for other programs."""
    return (os.cpu_count() or 1) + 1


@pytest.fixture(autouse=True)
def _collected_again() -> Iterator[None]:
    """Undo what a test's command kept from collections of garbage: a worker runs many tests."""
    yield
    if gc.get_freeze_count():
        gc.unfreeze()


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Say which tests are skipped for want of the models, and which may be tried once more.

    Several workers take them in an order of their own.

    A browser or a server on a busy machine fails now and then for reasons of its own. The summary
    lists every second try, so that a test that needs them often is seen.
    """
    if hasattr(config, "workerinput"):
        items[:] = spread(items)
    whole = ModelStore().complete(FILES)
    without = pytest.mark.skip(reason="the models are not here: run `sidecar models fetch all`")
    for item in items:
        if not whole and item.get_closest_marker("models") is not None:
            item.add_marker(without)
        if CHURN and item.get_closest_marker("soak") is not None:
            # What a soak finds once is found.
            continue
        if any(item.get_closest_marker(name) for name in OTHERS):
            item.add_marker(pytest.mark.flaky(reruns=2, reruns_delay=1))
        elif item.get_closest_marker(PEERS) is not None:
            # What is wrong or leaked stays so.
            waited = pytest.mark.flaky(reruns=2, reruns_delay=1, only_rerun=["TimeoutError"])
            item.add_marker(waited)
