"""The one file that touches private parts of aiortc; each is tested against the installed one.

Written against aiortc 1.16. Where the version or the part is another, everything still works
through the public interface: a frame interval later a hop, and with key frames every few seconds
instead of at once when a viewer lost the picture.
"""

import importlib.metadata
from collections.abc import Callable
from typing import Protocol

import aiortc.rtcrtpreceiver
from aiortc import RTCRtpSender
from aiortc.jitterbuffer import JitterBuffer, JitterFrame
from aiortc.rtp import RtpPacket

KNOWN = "1.16"


def known_version() -> bool:
    """Whether the installed aiortc is one that this file was written against."""
    return importlib.metadata.version("aiortc").split(".")[:2] == KNOWN.split(".")


class MarkerJitterBuffer(JitterBuffer):
    """A jitter buffer that hands a frame over when its last packet is there.

    aiortc's own waits for the first packet of the next frame: 33 ms at 30 frames a second, 66 ms at
    15. The marker bit says the same at once (RFC 7741 §4.1, RFC 6184 §5.1).
    """

    _origin: int | None
    _packets: list[RtpPacket | None]

    def _remove_frame(self, sequence_number: int) -> JitterFrame | None:
        if not self._is_video:
            return super()._remove_frame(sequence_number)
        self._skip_padding()
        assert self._origin is not None
        parts: list[bytes] = []
        timestamp: int | None = None
        for count in range(self.capacity):
            packet = self._packets[(self._origin + count) % self.capacity]
            if packet is None:
                return None
            if timestamp is not None and packet.timestamp != timestamp:
                # A sender that sets no marker: the next frame's first packet ends this one.
                return self._take(count, parts, timestamp)
            timestamp = packet.timestamp
            parts.append(packet._data)  # type: ignore[attr-defined]
            if packet.marker:
                return self._take(count + 1, parts, timestamp)
        return None

    def _take(self, count: int, parts: list[bytes], timestamp: int) -> JitterFrame:
        self.remove(count)
        return JitterFrame(b"".join(parts), timestamp)

    def _skip_padding(self) -> None:
        """Drop packets without payload (bandwidth probes) that follow a frame's last packet.

        They bear the frame's timestamp, and an empty frame would end the decoder's stream.
        """
        for _ in range(self.capacity):
            assert self._origin is not None
            packet = self._packets[self._origin % self.capacity]
            if packet is None or packet._data:  # type: ignore[attr-defined]
                return
            self.remove(1)


def end_frames_at_marker() -> bool:
    """Let receivers made from now on use the marker bit; False where this aiortc is unknown."""
    fits = known_version() and hasattr(JitterBuffer, "_remove_frame")
    if fits:
        vars(aiortc.rtcrtpreceiver)["JitterBuffer"] = MarkerJitterBuffer
    return fits


class KeyFrameSource(Protocol):
    """A track whose encoder can be asked for a key frame."""

    def request_key_frame(self) -> None: ...


def on_picture_loss(sender: RTCRtpSender, act: Callable[[], None]) -> bool:
    """Call ``act`` whenever the viewer at ``sender`` asks for a key frame (PLI or FIR).

    False where this aiortc is unknown: nothing is called then, and the key frame that the encoder
    makes every few seconds has to do.
    """
    if not known_version() or not hasattr(sender, "_send_keyframe"):
        return False
    sender._send_keyframe = act  # type: ignore[method-assign]
    return True
