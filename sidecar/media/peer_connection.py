"""aiortc's peer connections: made with our settings, and freed within a time limit."""

import asyncio
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from typing import Final

import structlog
from aiortc import (
    RTCBundlePolicy,
    RTCConfiguration,
    RTCIceServer,
    RTCIceTransportPolicy,
    RTCPeerConnection,
)

from sidecar.aio import Contained, finish
from sidecar.media.aiortc_patches import (
    free_sockets,
    use_own_decoding,
    use_own_ice,
    use_rsa_ciphers,
    use_video_buffer,
)

log = structlog.get_logger(__name__)

CLOSE_TIMEOUT: Final = 5.0
"""Seconds that closing a peer connection may take."""


def peer_connection(
    ice_servers: Iterable[RTCIceServer] = (), *, relay_only: bool = False
) -> RTCPeerConnection:
    """Make a connection that uses ``ice_servers`` and no others; close it with ``close``.

    ``relay_only`` sends media through a TURN server and in no other way.

    Without a list, aiortc asks a public STUN server, and waits up to 5 s where that can't be
    reached. Without the bundle policy, an offer that adds video sections to a connection whose
    first section is data delivers nothing.
    """
    use_video_buffer()
    use_own_decoding()
    use_rsa_ciphers()
    use_own_ice()
    return RTCPeerConnection(
        RTCConfiguration(
            iceServers=list(ice_servers),
            bundlePolicy=RTCBundlePolicy.MAX_BUNDLE,
            iceTransportPolicy=(
                RTCIceTransportPolicy.RELAY if relay_only else RTCIceTransportPolicy.ALL
            ),
        )
    )


async def close(connection: RTCPeerConnection, seconds: float = CLOSE_TIMEOUT) -> None:
    """Close ``connection`` and free what it holds; gives up after ``seconds``.

    A failure is logged and not raised: no caller could act on it. Cancellation is raised when the
    connection is closed: aiortc leaks what it has not closed when it is cancelled.
    """
    await finish(_close(connection, seconds))


async def _close(connection: RTCPeerConnection, seconds: float) -> None:
    with Contained("peer connection not closed"):
        try:
            async with asyncio.timeout(seconds):
                await connection.close()
        except TimeoutError:
            log.warning("peer connection not closed", reason=f"no end after {seconds} s")
        finally:
            free_sockets(connection)


@asynccontextmanager
async def closing(connection: RTCPeerConnection) -> AsyncIterator[RTCPeerConnection]:
    """Close ``connection`` on the way out: one that only made an offer leaks descriptors else."""
    try:
        yield connection
    finally:
        await close(connection)
