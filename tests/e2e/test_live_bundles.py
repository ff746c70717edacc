"""A running meeting changes over to the bundle that another command chooses."""

import asyncio
from collections.abc import Mapping
from pathlib import Path

import aiohttp
import pytest

from config.reaction_rule import ReactionRule
from config.settings import Engine, Settings
from reactions.landmarks.model_store import ModelStore
from sidecar.demo import hosting
from sidecar.session.factories import make_detector
from sidecar.supervisor.model_store import BundleStore
from tests.e2e.conftest import ROOM, PoseTrack
from tests.sidecar.clients import eventually, publishing
from tests.taught import taught_bundle, taught_label

pytestmark = [pytest.mark.models, pytest.mark.peers]


async def started(answer: aiohttp.ClientResponse, label: str) -> None:
    """Read a room's events until the reaction ``label`` starts."""
    async with asyncio.timeout(120):
        while line := await answer.content.readline():
            if b"reaction.started" in line and label.encode() in line:
                return
    pytest.fail("the events ended")


async def test_a_chosen_bundle_is_followed_live_and_no_sample_is_lost(
    store: ModelStore,
    settings: Settings,
    table: Mapping[str, ReactionRule],
    tmp_path: Path,
    ada: PoseTrack,
) -> None:
    bundles = BundleStore(tmp_path / "bundles")
    taught_bundle(bundles.folder / "taught-1", taught_label("vulcan"))
    detector = make_detector(store, table, settings, engine=Engine.PROCESSES)
    ada.pose = "thumbs_up"
    async with (
        hosting(settings, table, detector, ROOM, bundles=bundles.folder) as server,
        aiohttp.ClientSession() as http,
    ):
        url = server.listener.url(f"/rooms/{ROOM}")
        async with publishing(http, f"{url}/whip?name=Ada", ada), http.get(f"{url}/events") as all_:
            await started(all_, "thumbs_up")
            bundles.keep("taught-1")
            await started(all_, "vulcan")
            async with http.get(f"{url}/legend.json") as answer:
                assert "vulcan" in {entry["label"] for entry in await answer.json()}
            bundles.keep("shipped")
            before = detector.stats().detected
            await eventually(lambda: detector.stats().detected > before + 3)
            stats = detector.stats()
            assert (stats.failed, stats.dropped.worker_lost, stats.restarts) == (0, 0, 0)
