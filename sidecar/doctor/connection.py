"""Check one peer connection: codecs, candidates and the media path."""

from aiortc import RTCPeerConnection

from sidecar.doctor.check import Check, Verdict
from sidecar.media.aiortc_patches import ice_pair
from sidecar.media.sdp import DECODABLE, candidate_types, parse_description, video_codecs


def check_codecs(offered: str) -> Check:
    """Which video codecs are in the SDP that the server ``offered``: can one be decoded here?"""
    names: frozenset[str] = frozenset()
    for media in parse_description(offered).media:
        names |= video_codecs(media) if media.kind == "video" else frozenset()
    summary = f"offered: {', '.join(sorted(names)) or 'none'}"
    if names & DECODABLE:
        return Check("codecs", Verdict.FINE, summary)
    do = "let the room use VP8 or H.264: VP9 and AV1 can't be decoded"
    return Check("codecs", Verdict.WRONG, summary, do)


def check_candidates(ours: str) -> Check:
    """Which types of ICE candidates were gathered here, by the SDP that is ``ours``."""
    kinds = candidate_types(ours)
    summary = ", ".join(f"{count} {kind}" for kind, count in sorted(kinds.items()))
    if not kinds:
        do = "check that a network interface is up, and that TURN servers can be reached"
        return Check("candidates", Verdict.WRONG, "none gathered", do)
    if any(kind.startswith("relay") for kind in kinds):
        return Check("candidates", Verdict.FINE, summary)
    do = "if pictures fail elsewhere, name a TURN server in server.ice_servers"
    return Check("candidates", Verdict.WORTH_KNOWING, f"{summary}; no relay", do)


async def check_pair(peer: RTCPeerConnection) -> Check:
    """Which way the media takes, and how long it is."""
    pair = await ice_pair(peer)
    if pair is None:
        do = "UDP may be blocked: name a TURN server, with ?transport=tcp if need be"
        return Check("media path", Verdict.WRONG, "no pair of candidates works", do)
    trip = "no answer" if pair.round_trip is None else f"{pair.round_trip * 1000:.1f} ms"
    return Check("media path", Verdict.FINE, f"{pair.local} to {pair.remote}, round trip {trip}")


async def connection_checks(peer: RTCPeerConnection) -> list[Check]:
    """Everything about one connection that was negotiated."""
    checks = [await check_pair(peer)]
    if peer.localDescription is not None:
        checks.insert(0, check_candidates(peer.localDescription.sdp))
    if peer.remoteDescription is not None:
        checks.insert(0, check_codecs(peer.remoteDescription.sdp))
    return checks
