"""The subscriber's connection: the server's offers answered one by one, and a feed a camera."""

import asyncio
from collections.abc import Callable, Iterable
from typing import Final

import structlog
from aiortc import RTCDataChannel, RTCIceServer, RTCPeerConnection, RTCSessionDescription

from config.errors import RoomError
from sidecar.media.feed import Feed
from sidecar.media.peer import close, peer_connection
from sidecar.rooms.livekit import messages
from sidecar.rooms.livekit.line import Line
from sidecar.rooms.livekit.offers import ReadOffer, read_offer
from sidecar.rooms.livekit.protocol import Candidate, Offered

log = structlog.get_logger(__name__)

NEGOTIATION: Final = 12.0
"""Seconds for an answer: gathering from a TURN server that is down takes five."""


class Watch:
    """Receives cameras; ``changed`` is called when a feed begins or ends."""

    def __init__(
        self,
        ice_servers: Iterable[RTCIceServer],
        *,
        relay_only: bool,
        send: Callable[[bytes], None],
        changed: Callable[[], None],
        heard: Callable[[bytes | str], None],
    ) -> None:
        self.peer: RTCPeerConnection = peer_connection(ice_servers, relay_only=relay_only)
        self.peer.on("datachannel", self._listen)
        self._send = send
        self._changed = changed
        self._heard = heard
        self._lines: dict[str, Line] = {}

    def feed(self, track: str) -> Feed | None:
        """The frames of ``track``, while it comes."""
        return next((line.feed for line in self._lines.values() if line.track == track), None)

    async def offered(self, offered: Offered) -> None:
        """Answer an offer; raises RoomError where that can't be done."""
        try:
            offer = read_offer(offered.sdp)
            async with asyncio.timeout(NEGOTIATION):
                await self.peer.setRemoteDescription(RTCSessionDescription(offer.sdp, "offer"))
                await self._assign(offer)
                await self.peer.setLocalDescription()
        except RoomError:
            raise
        except TimeoutError as error:
            raise RoomError("no answer to the server's offer could be made in time") from error
        except Exception as error:
            # Whatever breaks in aiortc at an offer that it can't take: ValueError, KeyError, …
            raise RoomError(f"the server's offer can't be answered: {error!r}") from error
        self._send(messages.answer(self.peer.localDescription.sdp, offered.number))
        self._changed()

    async def take(self, candidate: Candidate) -> None:
        """Take one more way to the server; one that can't be used is ignored."""
        try:
            await self.peer.addIceCandidate(candidate.candidate)
        except Exception as error:
            # Whatever aiortc or the system finds wrong with an address: others may do.
            log.debug("candidate ignored", reason=repr(error))

    async def close(self) -> None:
        """End every feed, and free the connection."""
        for line in self._lines.values():
            await line.__aexit__()
        await close(self.peer)

    async def _assign(self, offer: ReadOffer) -> None:
        """Let every line carry what the offer says, between the offer and the answer."""
        transceivers = {transceiver.mid: transceiver for transceiver in self.peer.getTransceivers()}
        for line in offer.lines:
            if line.mid not in self._lines and line.track and line.mid in transceivers:
                self._lines[line.mid] = Line(transceivers[line.mid])
            if (ours := self._lines.get(line.mid)) is None:
                continue
            if line.track:
                await ours.carry(line.track, line.ssrcs)
            else:
                await ours.clear()

    def _listen(self, channel: RTCDataChannel) -> None:
        channel.on("message", self._heard)
