"""aiortc's peer connections: how they are made, and that they are freed."""

import asyncio
import threading

import pytest
from aiortc import RTCBundlePolicy, RTCPeerConnection
from structlog.testing import capture_logs

from sidecar.media.peer_connection import close, closing, peer_connection
from tests.sidecar.media.pictures import descriptors

pytestmark = pytest.mark.peers


async def test_a_connection_bundles_everything_and_asks_no_stranger() -> None:
    async with closing(peer_connection()) as connection:
        configuration = vars(connection)["_RTCPeerConnection__configuration"]
        assert configuration.iceServers == []
        assert configuration.bundlePolicy is RTCBundlePolicy.MAX_BUNDLE


async def test_a_connection_that_only_made_an_offer_frees_everything() -> None:
    async def offer() -> None:
        async with closing(peer_connection()) as connection:
            connection.addTransceiver("video", direction="recvonly")
            await connection.setLocalDescription(await connection.createOffer())

    await offer()
    before = descriptors(), threading.active_count(), len(asyncio.all_tasks())
    for _ in range(3):
        await offer()
    await asyncio.sleep(0)
    assert (descriptors(), threading.active_count(), len(asyncio.all_tasks())) == before


async def test_a_failure_inside_still_closes_the_connection() -> None:
    connection = peer_connection()
    with pytest.raises(RuntimeError, match="mine"):
        async with closing(connection):
            raise RuntimeError("mine")
    assert connection.connectionState == "closed"


async def test_a_connection_that_hangs_is_given_up() -> None:
    class Hanging(RTCPeerConnection):
        async def close(self) -> None:
            await asyncio.Event().wait()

    with capture_logs() as logs:
        await close(Hanging(), 0.01)
    assert [log["log_level"] for log in logs] == ["warning"]


async def test_a_connection_that_fails_to_close_is_logged_only() -> None:
    class Failing(RTCPeerConnection):
        async def close(self) -> None:
            raise RuntimeError("the transport is gone")

    with capture_logs() as logs:
        await close(Failing())
    assert [log["log_level"] for log in logs] == ["error"]
