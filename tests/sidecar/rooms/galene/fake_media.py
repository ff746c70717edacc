"""The streams of the fake server: real peer connections that receive and send real video."""

import asyncio
import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from aiortc import MediaStreamTrack, RTCPeerConnection, RTCSessionDescription
from aiortc.contrib.media import MediaRelay
from aiortc.mediastreams import MediaStreamError
from aiortc.sdp import candidate_from_sdp

from sidecar.media.peer_connection import close, peer_connection
from sidecar.media.send_peer import send_composite

_CODEC = re.compile(r"(VP8|VP9)/90000")
_CANDIDATE = re.compile(r"a=candidate:(.*)\r\n")
_UFRAG = re.compile(r"a=ice-ufrag:(\S+)")
_PORT = re.compile(r"^m=video \d+", re.MULTILINE)


def split_candidates(sdp: str) -> tuple[str, Sequence[Mapping[str, object]]]:
    """A description as pion writes it, without candidates, and the candidates to trickle."""
    ufrag = _UFRAG.search(sdp)
    assert ufrag is not None
    candidates = [
        {
            "candidate": f"candidate:{line} ufrag {ufrag[1]}",
            "sdpMid": "0",
            "sdpMLineIndex": 0,
            "usernameFragment": None,
        }
        for line in _CANDIDATE.findall(sdp)
    ]
    bare = _PORT.sub("m=video 9", _CANDIDATE.sub("", sdp))
    return bare.replace("a=end-of-candidates\r\n", ""), candidates


async def add_candidate(peer: RTCPeerConnection, init: Mapping[str, Any]) -> None:
    """Add a candidate of a client's."""
    candidate = candidate_from_sdp(init["candidate"].removeprefix("candidate:"))
    candidate.sdpMid = init.get("sdpMid")
    candidate.sdpMLineIndex = init.get("sdpMLineIndex")
    await peer.addIceCandidate(candidate)


class UpStream:
    """A stream that a client sends; as in a real server, its track exists from the first packet."""

    def __init__(self, offer: Mapping[str, Any], on_track: Callable[[], None]) -> None:
        self.id: str = offer["id"]
        self.label: str = offer.get("label", "")
        self.source: str = offer["source"]
        self.username: str = offer.get("username", "")
        self.replace: str = offer.get("replace", "")
        self.codec = "VP8"
        """What the descriptions say; VP8 is sent all the same."""
        self.ready = False
        """Its first frame came."""
        self.pushed = False
        """It was offered to the other clients since the latest change."""
        self.peer: RTCPeerConnection = peer_connection()
        self._on_track = on_track
        self._relay = MediaRelay()
        self._track: MediaStreamTrack | None = None
        self._reader: asyncio.Task[None] | None = None
        self.peer.on("track", self._begin)

    async def answer(self, sdp: str) -> str:
        """The answer to the client's offer."""
        codec = _CODEC.search(sdp)
        self.codec = codec[1] if codec else self.codec
        offer = RTCSessionDescription(_CODEC.sub("VP8/90000", sdp), "offer")
        await self.peer.setRemoteDescription(offer)
        await self.peer.setLocalDescription(await self.peer.createAnswer())
        return _CODEC.sub(f"{self.codec}/90000", self.peer.localDescription.sdp)

    def subscribe(self) -> MediaStreamTrack:
        """The stream's frames for one more receiver."""
        assert self._track is not None
        return self._relay.subscribe(self._track, buffered=False)

    async def close(self) -> None:
        if self._reader is not None:
            self._reader.cancel()
            await asyncio.gather(self._reader, return_exceptions=True)
        await close(self.peer)

    def _begin(self, track: MediaStreamTrack) -> None:
        if track.kind == "video":
            self._track = track
            self._reader = asyncio.create_task(self._wait_for_frame(self.subscribe()))

    async def _wait_for_frame(self, track: MediaStreamTrack) -> None:
        try:
            await track.recv()
        except MediaStreamError:
            return
        finally:
            track.stop()
        self.ready = True
        self._on_track()


class DownStream:
    """A stream of one client's as another receives it: the server offers."""

    def __init__(self, up: UpStream) -> None:
        self.up = up
        self.requested: Sequence[str] | None = None
        """The layers of the newest ``requestStream``; None before the first."""
        self.peer: RTCPeerConnection = peer_connection()

    async def offer(self) -> str:
        """The server's offer."""
        send_composite(self.peer, self.up.subscribe())
        await self.peer.setLocalDescription(await self.peer.createOffer())
        return _CODEC.sub(f"{self.up.codec}/90000", self.peer.localDescription.sdp)

    async def accept(self, sdp: str) -> None:
        """Take the client's answer."""
        answer = RTCSessionDescription(_CODEC.sub("VP8/90000", sdp), "answer")
        await self.peer.setRemoteDescription(answer)

    async def close(self) -> None:
        await close(self.peer)
