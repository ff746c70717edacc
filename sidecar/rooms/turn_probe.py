"""Which TURN server to use: the first of those given that gives us an address.

aiortc takes one TURN server and no other. Where UDP is blocked, one that listens on UDP alone
would be asked for five seconds by every connection, in vain; so all are tried once, in order.
"""

import asyncio
from collections.abc import Iterable
from typing import Final

import structlog
from aiortc import RTCIceServer

from config.errors import RoomError
from sidecar.captured import Captured
from sidecar.media.ice import is_relay, rank_servers
from sidecar.media.peer_connection import closing, peer_connection

log = structlog.get_logger(__name__)

TRYING: Final = 3.0
"""Seconds for an address from one TURN server."""


async def reachable_servers(
    own: Iterable[RTCIceServer],
    named: Iterable[RTCIceServer] = (),
    *,
    relay_only: bool,
    proven: str = "",
) -> tuple[RTCIceServer, ...]:
    """The STUN servers, and the first TURN server that gives us an address.

    ``own``, ``named`` and ``proven`` are as ``rank_servers`` has them. Raises RoomError where media
    may go over TURN alone and none does.
    """
    each = rank_servers(own, named, proven=proven)
    turns = [server for server in each if is_relay(server)]
    others = tuple(server for server in each if not is_relay(server))
    if len(turns) <= 1 and not relay_only:
        return tuple(each)
    for server in turns:
        if await _gives_address(server):
            return (*others, server)
        log.warning("TURN server without allocation", server=server.urls)
    if relay_only:
        tried = ", ".join(str(server.urls) for server in turns)
        raise RoomError(
            f"no TURN server gives us an address: {tried}" if turns else "no TURN server is given",
            do="name one that can be reached from here, by turn:HOST?transport=tcp or turns:HOST "
            "where UDP is blocked, and check its user and password",
        )
    return others


async def _gives_address(server: RTCIceServer) -> bool:
    async with closing(peer_connection([server], relay_only=True)) as peer:
        peer.createDataChannel("probe")
        # A name that can't be resolved, a port that refuses, an answer that makes no sense: …
        with Captured() as attempt:
            async with asyncio.timeout(TRYING):
                await peer.setLocalDescription(await peer.createOffer())
        if attempt.error is not None:
            log.debug("TURN server failed", server=server.urls, reason=repr(attempt.error))
            return False
        return " typ relay" in peer.localDescription.sdp
