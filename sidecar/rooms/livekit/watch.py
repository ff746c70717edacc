"""The subscriber's connection: the server's offers answered one by one, and a feed a camera."""

import asyncio
from collections.abc import Callable, Iterable
from typing import Final

from aiortc import RTCDataChannel, RTCIceServer, RTCPeerConnection, RTCSessionDescription

from config.errors import RoomError
from sidecar.media.feed import Feed
from sidecar.media.peers import close, peer_connection
from sidecar.rooms.livekit import messages
from sidecar.rooms.livekit.line import Line
from sidecar.rooms.livekit.offers import ReadOffer, read_offer
from sidecar.rooms.livekit.protocol import Offered

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
        self.begun = asyncio.Event()
        """The first offer is here: from now on media may look for its way."""
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
                await self._settled()
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
        self.begun.set()
        self._send(messages.answer(self.peer.localDescription.sdp, offered.number))
        self._changed()

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

    async def _settled(self) -> None:
        """Wait while the connection is being made.

        aiortc never starts a receiver that is negotiated during the DTLS handshake.
        """
        changed = asyncio.Event()
        self.peer.on("connectionstatechange", changed.set)
        try:
            while self.peer.connectionState == "connecting":
                changed.clear()
                await changed.wait()
        finally:
            self.peer.remove_listener("connectionstatechange", changed.set)

    def _listen(self, channel: RTCDataChannel) -> None:
        channel.on("message", self._heard)
