"""Session descriptions, trickle fragments and candidates: as text, and through real peers."""

import asyncio
import json
from collections.abc import Callable, Iterator
from contextlib import suppress
from functools import cache, partial
from random import Random
from typing import Final

from aiortc import RTCPeerConnection

from config.errors import HttpRefusalError, NegotiationError
from sidecar.media import sdp
from sidecar.media.ice import (
    CandidateBudget,
    drop_unusable_candidates,
    parse_candidate,
    usable_candidate,
)
from sidecar.media.peer import PeerOptions, PeerTimeouts
from sidecar.media.peer_connection import peer_connection
from sidecar.media.receive_peer import ReceivePeer
from sidecar.media.send_peer import SendPeer
from sidecar.rooms.hosted.offer import Role, read_offer
from sidecar.rooms.hosted.trickle import CONTENT_TYPE, read_fragment
from tests.fuzz.mutations import NESTED, mutated
from tests.fuzz.target import FuzzTarget, refused
from tests.sidecar.clients import ColourTrack
from tests.sidecar.rooms.hosted.offers import offer

QUICK: Final = PeerTimeouts(negotiation=2.0, connection=0.5, close=1.0)
_FRAGMENT: Final = b"""a=ice-ufrag:abcd
a=ice-pwd:abcdefghijklmnopqrstuvwx
m=video 9 UDP/TLS/RTP/SAVPF 0
a=mid:0
a=candidate:1 1 udp 2122260223 192.0.2.1 5000 typ host generation 0 ufrag abcd
a=candidate:2 1 udp 1686052607 198.51.100.7 61000 typ srflx raddr 10.0.0.2 rport 5000
a=candidate:3 1 tcp 1518280447 192.0.2.1 9 typ host tcptype active
a=candidate:4 1 udp 2122260222 1b2c-3d4e.local 5001 typ host
a=end-of-candidates
"""
_LINES: Final = [line for line in _FRAGMENT.splitlines() if line.startswith(b"a=candidate")]


@cache
def loop() -> asyncio.AbstractEventLoop:
    """The event loop of this process."""
    return asyncio.new_event_loop()


@cache
def real_descriptions() -> tuple[bytes, ...]:
    """Offers of real peers: a camera, a viewer, with sound and a data channel."""

    async def make(prepare: Callable[[RTCPeerConnection], object]) -> bytes:
        peer = peer_connection()
        prepare(peer)
        await peer.setLocalDescription(await peer.createOffer())
        text = str(peer.localDescription.sdp)
        await peer.close()
        return text.encode()

    def camera(peer: RTCPeerConnection) -> None:
        peer.addTransceiver(ColourTrack(), direction="sendonly")

    def viewer(peer: RTCPeerConnection) -> None:
        peer.addTransceiver("video", direction="recvonly")

    def everything(peer: RTCPeerConnection) -> None:
        peer.addTransceiver("audio", direction="recvonly")
        peer.addTransceiver(ColourTrack(), direction="sendrecv")
        peer.createDataChannel("x")

    return tuple(loop().run_until_complete(make(one)) for one in (camera, viewer, everything))


def descriptions(random: Random) -> Iterator[bytes]:
    written = [
        offer(way, kinds).encode() for way in ("sendonly", "recvonly") for kinds in ("v", "av")
    ]
    return mutated([*written, *real_descriptions()], random)


def read(data: bytes) -> bool:
    """Whether ``data`` is an offer that one of the roles may send."""
    taken = False
    for role in Role:
        try:
            found = read_offer(data, "application/sdp", role, from_loopback=bool(len(data) % 2))
        except HttpRefusalError as error:
            _refused_by_status(error)
        else:
            assert sdp.parse_description(found.sdp).media
            taken = True
    return taken


def _refused_by_status(error: HttpRefusalError) -> bool:
    """False; the client is at fault, not the server."""
    assert 400 <= error.status < 500
    return refused(error)


def edit(data: bytes) -> bool:
    """Whether ``data`` is a description, for every function that reads or edits one."""
    text = data.decode(errors="replace")
    functions: tuple[Callable[[str], object], ...] = (
        sdp.parse_description,
        sdp.video_sections,
        sdp.deactivate_unknown_codecs,
        partial(sdp.keep_video_codecs, names={"VP8"}),
        sdp.complete_directions,
        sdp.candidate_types,
        sdp.split_sections,
        partial(drop_unusable_candidates, budget=CandidateBudget()),
    )
    good = 0
    for function in functions:
        with suppress(ValueError):
            function(text)
            good += 1
    return good == len(functions)


def negotiate(data: bytes) -> bool:
    """Whether a real peer answers ``data``, as a camera's or a viewer's offer, or accepts it."""
    return loop().run_until_complete(_negotiate(data.decode(errors="replace")))


async def _negotiate(text: str) -> bool:
    kind = len(text) % 4
    try:
        if kind < 2:
            async with ReceivePeer(PeerOptions("p", timeouts=QUICK)) as camera:
                if kind == 0:
                    return bool(await camera.answer(text))
                await camera.offer()
                await camera.accept(text)
        else:
            async with SendPeer(ColourTrack(), PeerOptions("p", timeouts=QUICK)) as viewer:
                if kind == 2:
                    return bool(await viewer.answer(text))
                await viewer.offer()
                await viewer.accept(text)
    except NegotiationError as error:
        return refused(error)
    return True


def fragments(random: Random) -> Iterator[bytes]:
    return mutated([_FRAGMENT, _FRAGMENT * 9, *real_descriptions()], random)


def read_trickled(data: bytes) -> bool:
    try:
        candidates = read_fragment(data, CONTENT_TYPE)
    except HttpRefusalError as error:
        return _refused_by_status(error)
    budget = CandidateBudget(loopback=False)
    return all(budget.admits(candidate) for candidate in candidates)


def candidates(random: Random) -> Iterator[bytes]:
    objects = [
        json.dumps({"candidate": line[2:].decode(), "sdpMid": "0", "sdpMLineIndex": 0}).encode()
        for line in _LINES
    ]
    return mutated([*objects, *_LINES, *NESTED], random)


def read_candidate(data: bytes) -> bool:
    text = data.decode(errors="replace")
    found = False
    with suppress(ValueError):
        parse_candidate(text, mid="0")
        found = True
    with suppress(ValueError, RecursionError):
        found = usable_candidate(json.loads(text)) is not None or found
    return found


TARGETS: Final = (
    FuzzTarget("sdp-offer", descriptions, read, megabytes=32),
    FuzzTarget("sdp-edit", descriptions, edit, megabytes=32),
    FuzzTarget("sdp-peer", descriptions, negotiate, megabytes=128),
    FuzzTarget("ice-fragment", fragments, read_trickled, megabytes=32),
    FuzzTarget("ice-candidate", candidates, read_candidate, megabytes=64),
)
