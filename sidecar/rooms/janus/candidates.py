"""Candidates that a server sends after its description, where it is set to ``full_trickle``."""

from collections.abc import Mapping

import structlog
from aiortc import RTCPeerConnection
from aiortc.sdp import candidate_from_sdp

log = structlog.get_logger(__name__)


async def add_candidate(peer: RTCPeerConnection, candidate: Mapping[str, object]) -> None:
    """Give one to ``peer``; one that makes no sense is left out."""
    line, mid, index = (candidate.get(key) for key in ("candidate", "sdpMid", "sdpMLineIndex"))
    if not isinstance(line, str) or peer.remoteDescription is None:
        return
    try:
        parsed = candidate_from_sdp(line.removeprefix("candidate:"))
        parsed.sdpMid = mid if isinstance(mid, str) else None
        parsed.sdpMLineIndex = index if isinstance(index, int) else None
        await peer.addIceCandidate(parsed)
    except Exception as error:
        # Whatever breaks in aiortc at it; the other candidates may do.
        log.info("candidate left out", error=repr(error))
