"""Encode the composite once, as VP8, for any number of viewers.

A stock sender encodes again for every viewer (94 % of a core at 4 viewers) with a slow preset; this
one encodes once (34 % at 8 viewers) with options that cost half as much for the same picture.
"""

from collections.abc import Iterable
from fractions import Fraction

import av
from av.video.codeccontext import VideoCodecContext
from av.video.frame import PictureType

from sidecar.media.packet_track import PacketTrack, VideoPacket

KEY_FRAME_EVERY = 4.0
"""Seconds between key frames: how long a viewer whose request got lost sees damage at most."""
KEY_FRAME_APART = 0.4
"""Seconds between key frames asked for. One costs as much as a dozen others, so that a viewer who
asks all the time must not spoil the picture for all viewers."""
COARSEST = 44
"""The coarsest quantizer (of 63) allowed. Key frames hit it: at libvpx' usual 56 the picture loses
10 dB every four seconds, at 44 half of that. At 40 noisy pictures no longer keep to the rate."""


class Encoder:
    """Encodes the composite in VP8 at ``bitrate`` bits a second and hands the packets out.

    ``encode`` may run in any one thread; everything else belongs to the event loop's.
    """

    def __init__(self, width: int, height: int, *, fps: int = 25, bitrate: int = 1_500_000) -> None:
        self.width = width
        self.height = height
        self.fps = fps
        self.bitrate = bitrate
        self.key_frames = 0
        self._dropped = 0
        self.bytes = 0
        """Of all packets that were published."""
        self._codec: VideoCodecContext | None = None
        self._tracks: set[PacketTrack] = set()
        self._wanted = True
        self._last_key: int | None = None

    @property
    def viewers(self) -> int:
        """How many tracks are live."""
        return len(self._tracks)

    @property
    def dropped(self) -> int:
        """Packets that viewers missed because their connection didn't keep up."""
        return self._dropped + sum(track.dropped for track in self._tracks)

    def subscribe(self) -> PacketTrack:
        """A new track of packets that begins with a key frame; stop it when done."""
        track = PacketTrack(self.request_key_frame, self._forget)
        self._tracks.add(track)
        return track

    def _forget(self, track: PacketTrack) -> None:
        if track in self._tracks:
            self._tracks.remove(track)
            self._dropped += track.dropped

    def request_key_frame(self) -> None:
        """Make the next frame that may be one a key frame."""
        self._wanted = True

    def resize(self, width: int, height: int) -> None:
        """Go on in another size, beginning with a key frame; for ``encode``'s own thread."""
        if (width, height) != (self.width, self.height):
            self.width, self.height = width, height
            self._codec, self._last_key = None, None

    def set_rate(self, fps: int) -> None:
        """Go on at ``fps`` frames a second, beginning with a key frame; between two ``encode``.

        Ticks are in units of the new rate then.
        """
        if fps != self.fps:
            self.fps = fps
            self._codec, self._last_key = None, None

    def encode(self, frame: av.VideoFrame, tick: int) -> list[VideoPacket]:
        """The packets of ``frame``, shown at ``tick`` (in units of 1 / fps, ever increasing).

        ``frame`` must be a fresh one of the encoder's size in yuv420p: its picture type and time
        are written to. Raises ValueError for another size or format (libvpx would read beyond the
        planes), av.FFmpegError if encoding fails; the next frame then begins a new stream.
        """
        if (frame.width, frame.height, frame.format.name) != (self.width, self.height, "yuv420p"):
            raise ValueError(f"{frame} is not yuv420p of {self.width}x{self.height}")
        if self._codec is None:
            self._codec = open_vp8(self.width, self.height, fps=self.fps, bitrate=self.bitrate)
        frame.pts = tick
        frame.time_base = Fraction(1, self.fps)
        frame.pict_type = PictureType.I if self._due(tick) else PictureType.NONE
        try:
            packets = self._codec.encode(frame)
        except av.FFmpegError:
            # A new codec begins with a key frame, in whichever state this one was.
            self._codec, self._last_key = None, None
            raise
        if any(packet.is_keyframe for packet in packets):
            self._last_key = tick
            self.key_frames += 1
        return packets

    def publish(self, packets: Iterable[VideoPacket]) -> None:
        """Hand encoded packets to every track."""
        for packet in packets:
            self.bytes += packet.size
            for track in tuple(self._tracks):
                track.put(packet)

    def close(self) -> None:
        """End every track and free the codec."""
        for track in tuple(self._tracks):
            track.stop()
        self._codec = None

    def _due(self, tick: int) -> bool:
        """Whether the frame at ``tick`` is to be a key frame; takes the request off the list."""
        since = KEY_FRAME_EVERY if self._last_key is None else (tick - self._last_key) / self.fps
        due = since >= KEY_FRAME_EVERY or (self._wanted and since >= KEY_FRAME_APART)
        if due:
            self._wanted = False
        return due


def open_vp8(width: int, height: int, *, fps: int, bitrate: int) -> VideoCodecContext:
    """Return libvpx for pictures in yuv420p, with the options of ``Encoder``.

    It places no key frame of its own but the first.
    """
    codec = av.CodecContext.create("libvpx", "w")
    if not isinstance(codec, VideoCodecContext):
        raise TypeError("libvpx is not a video codec")
    codec.width, codec.height, codec.pix_fmt = width, height, "yuv420p"
    codec.framerate = Fraction(fps)
    codec.time_base = Fraction(1, fps)
    codec.bit_rate = bitrate
    # The values are those of aiortc's own encoder (aiortc/codecs/vpx.py), but for COARSEST,
    # cpu-used and noise-sensitivity (docs/media-plane.md has their cost) and one thread: the others
    # have work of their own.
    codec.gop_size = 3000
    codec.qmin, codec.qmax = 2, COARSEST
    codec.thread_count = 1
    codec.options = {
        "deadline": "realtime",
        "cpu-used": "-12",
        "noise-sensitivity": "0",
        "lag-in-frames": "0",
        "static-thresh": "1",
        "partitions": "0",
        # Equal bounds make the rate constant; the buffer holds one second.
        "minrate": str(bitrate),
        "maxrate": str(bitrate),
        "bufsize": str(bitrate),
        "undershoot-pct": "100",
        "overshoot-pct": "15",
    }
    return codec
