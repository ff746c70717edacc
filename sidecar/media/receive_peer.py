"""``ReceivePeer``: a connection that brings one camera."""

from functools import partial
from typing import Final

from aiortc import MediaStreamTrack, RTCDataChannel

from config.errors import NegotiationError
from sidecar.media.feed import Feed
from sidecar.media.peer import Peer, PeerOptions
from sidecar.media.sdp import ParsedDescription, continues, parse_description, sent_video

MAX_RECEIVED_SECTIONS: Final = 12
"""Galène adds a section for each change of layer, and each costs aiortc a receiver: after so many,
a new connection is due."""


class ReceivePeer(Peer):
    """A connection that brings one camera; ``feed`` has its frames, and outlives changes of track.

    Either side may offer: ``answer`` the other's offers, or send ``offer`` and ``accept``. Sound
    and other sections are answered inactive, so that they are neither sent nor decoded.
    ``data_channel`` is the label of a channel to open if the offer has data (Janus sends none
    before its subscriber has opened one). A ``feed`` that is given belongs to the caller, who uses
    it for one connection after another.
    """

    def __init__(
        self, options: PeerOptions, *, data_channel: str = "", feed: Feed | None = None
    ) -> None:
        super().__init__(options)
        self.feed = feed or Feed()
        self._owns_feed = feed is None
        self._track_ended = False
        self._label = data_channel
        self._channel: RTCDataChannel | None = None
        self._offer: ParsedDescription | None = None
        self._track: MediaStreamTrack | None = None
        self._attached: MediaStreamTrack | None = None

    async def start(self) -> None:
        if self._owns_feed:
            await self.feed.start()

    async def aclose(self) -> None:
        try:
            if self._owns_feed:
                await self.feed.aclose()
        finally:
            await super().aclose()

    async def wait_over(self) -> str:
        """Wait until the connection or its track is over, and return the reason."""
        await self._changed.wait_for(lambda: self.over or self._track_ended)
        return self.reason or "the other side ended the stream"

    def media_count(self) -> int:
        """A number that grows while the camera sends: all frames, late ones included."""
        return self.feed.frames + self.feed.late

    async def answer(self, offer: str, mid: str = "") -> str:
        """Return the answer to ``offer``, the first or a later one.

        The camera is in the section ``mid``; by default, in the last video section that is sent.
        """
        try:
            description = self._read(offer)
        except NegotiationError as error:
            self._log_failure(error.what)
            raise
        if not mid and (sections := sent_video(description)):
            mid = sections[-1].rtp.muxId

        async def prepare() -> None:
            self._receive(mid)

        answer = await self.answer_offer(offer, prepare)
        self._offer = description
        self._attach()
        return answer

    async def offer(self) -> str:
        """Return an offer to receive one video track."""
        self.connection.addTransceiver("video", direction="recvonly")
        return await self.make_offer()

    async def accept(self, answer: str) -> None:
        await super().accept(answer)
        # aiortc makes the track of a receiver with the remote description.
        (transceiver,) = self.connection.getTransceivers()
        self._track = transceiver.receiver.track
        self._attach()

    def _read(self, offer: str) -> ParsedDescription:
        try:
            description = parse_description(offer)
        except ValueError as error:
            raise NegotiationError(f"the offer can't be read: {error}") from error
        if len(description.media) > MAX_RECEIVED_SECTIONS:
            raise NegotiationError("the offer has too many sections")
        if self._offer is not None and not continues(description, self._offer):
            raise NegotiationError("the offer restarts ICE or replaces a stream")
        return description

    def _receive(self, mid: str) -> None:
        """Receive the section ``mid`` and no other."""
        camera = None
        for transceiver in self.connection.getTransceivers():
            if transceiver.kind == "video" and transceiver.mid == mid:
                transceiver.direction, camera = "recvonly", transceiver
            else:
                transceiver.direction = "inactive"
        if camera is None:
            raise NegotiationError("the offer has no video that can be decoded")
        self._track = camera.receiver.track
        if self._label and self.connection.sctp is not None and self._channel is None:
            self._channel = self.connection.createDataChannel(self._label)
            self.listen(self._channel)

    def _attach(self) -> None:
        """Read the track once media can flow: the feed's age begins then."""
        track = self._track
        if track is not None and self.connected and track is not self._attached:
            self._attached = track
            self.feed.attach(track)
            track.on("ended", partial(self._end_of, track))

    def _end_of(self, track: MediaStreamTrack) -> None:
        if track is self._track:
            self._track_ended = True
            self._changed.notify()

    def _state_changed(self) -> None:
        if self.over and self._owns_feed:
            self.feed.end()
        self._attach()
        super()._state_changed()
