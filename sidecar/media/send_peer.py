"""``SendPeer``: a connection that sends the composite."""

from typing import Final

from aiortc import (
    MediaStreamTrack,
    RTCDataChannel,
    RTCPeerConnection,
    RTCRtpSender,
    RTCRtpTransceiver,
)

from sidecar.media.aiortc_patches import on_picture_loss
from sidecar.media.packet_track import PacketTrack
from sidecar.media.peer import Peer, PeerOptions

MAX_BACKLOG: Final = 64 * 1024
"""Bytes that may wait in a data channel; beyond that, messages are dropped."""


def send_composite(connection: RTCPeerConnection, track: MediaStreamTrack) -> RTCRtpTransceiver:
    """Send ``track``, from an encoder's ``subscribe``, over ``connection``: VP8 and nothing else.

    Call it before any description is made or set, because aiortc ignores a codec preference that
    comes later; not for an offer whose first section is audio, of which aiortc closes the transport
    then. A viewer that lost the picture gets a key frame at once.
    """
    transceiver = connection.addTransceiver(track, direction="sendonly")
    capabilities = RTCRtpSender.getCapabilities("video")
    transceiver.setCodecPreferences(
        [
            codec
            for codec in capabilities.codecs
            if codec.mimeType.lower() in {"video/vp8", "video/rtx"}
        ]
    )
    _give_key_frames(transceiver, track)
    return transceiver


def _give_key_frames(transceiver: RTCRtpTransceiver, track: MediaStreamTrack) -> None:
    if isinstance(track, PacketTrack):
        on_picture_loss(transceiver.sender, track.request_key_frame)


class SendPeer(Peer):
    """A connection that sends ``track``, from an encoder's ``subscribe``: VP8 and nothing else.

    Either ``offer`` and ``accept``, or ``answer`` a viewer's offer. The track is stopped by
    ``aclose``. ``data_channel`` is the label of a channel to send messages over; empty for none.
    """

    def __init__(
        self, track: MediaStreamTrack, options: PeerOptions, *, data_channel: str = ""
    ) -> None:
        super().__init__(options)
        self.track = track
        self._label = data_channel
        self._channel: RTCDataChannel | None = None
        self._transceiver: RTCRtpTransceiver | None = None

    @property
    def mid(self) -> str:
        """The section of the track in our offer; empty before there is one."""
        return "" if self._transceiver is None else self._transceiver.mid or ""

    async def aclose(self) -> None:
        self.track.stop()
        await super().aclose()

    async def offer(self) -> str:
        """Return an offer to send the track, and the data channel if there is one."""
        self._transceiver = send_composite(self.connection, self.track)
        if self._label:
            self._channel = self.connection.createDataChannel(self._label)
            self.listen(self._channel)
        return await self.make_offer()

    async def answer(self, offer: str) -> str:
        """Return the answer to a viewer's ``offer``, which asks for video and may list sound."""

        async def prepare() -> None:
            for transceiver in self.connection.getTransceivers():
                if transceiver.kind == "video" and self._transceiver in (None, transceiver):
                    self._send(transceiver)
                else:
                    transceiver.direction = "inactive"

        return await self.answer_offer(offer, prepare)

    def send_message(self, message: str | bytes, max_backlog: int = MAX_BACKLOG) -> bool:
        """Send ``message`` over the data channel; False where it is dropped.

        It is dropped where the channel is not open, or ``max_backlog`` bytes wait in it already.
        """
        channel = self._channel
        if channel is None or channel.readyState != "open" or channel.bufferedAmount > max_backlog:
            return False
        channel.send(message)
        return True

    def _send(self, transceiver: RTCRtpTransceiver) -> None:
        # Only now, after the offer: aiortc closes the transport of a transceiver that was there
        # before an offer whose first section is audio.
        self._transceiver = transceiver
        transceiver.sender.replaceTrack(self.track)
        transceiver.direction = "sendonly"
        _give_key_frames(transceiver, self.track)
