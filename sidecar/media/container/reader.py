"""Read recordings: pictures as they are shown, and the packets of their sound."""

from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any, Final, Self, TypeAlias

import av
import structlog
from av.audio.stream import AudioStream
from av.container import InputContainer
from av.stream import Disposition
from av.video.stream import VideoStream

from config.errors import PictureError
from sidecar.captured import failure_text
from sidecar.media.container.frames import FrameDecoder
from sidecar.media.container.inputs import (
    FAILURES,
    open_file,
    require_file,
    shown_path,
)
from sidecar.media.container.timeline import BROADCAST_LEAP, LEAP, Timeline

log = structlog.get_logger(__name__)

AnyPacket: TypeAlias = "av.Packet[Any]"

_PICTURES: Final = Disposition.attached_pic | Disposition.timed_thumbnails | Disposition.still_image
"""Video tracks that are a cover or a preview."""
_BROADCAST: Final = frozenset({"mpegts", "mpeg", "ogg"})
"""Formats whose files may be joined end to end, or cut out of a stream."""
_USUAL_RATE: Final = Fraction(30)
"""Frames a second where a file states no rate: that of most cameras."""
_MOST_RATE: Final = 1000
"""Frames a second that are believed; a higher stated rate is a damaged header."""


@dataclass(frozen=True, slots=True, eq=False)
class TimedFrame:
    """A picture (yuv420p, upright, square pixels) and when it is shown, in seconds from 0."""

    frame: av.VideoFrame
    time: float


@dataclass(frozen=True, slots=True, eq=False)
class TimedSound:
    """A packet of sound and when it is heard, in seconds from 0; a little before it at times."""

    packet: AnyPacket
    time: float


class VideoReader:
    """The main video track of a file and its sound.

    Raises PictureError where ``path`` is no file, holds no video, or takes too much memory.
    """

    def __init__(self, path: Path) -> None:
        self._where = shown_path(path)
        self._size = require_file(path).st_size
        self._position = 0
        self._container = open_file(path)
        with ExitStack() as undo:
            undo.callback(self._container.close)
            self._video = _main_track(self._container, self._where)
            self._decoder = FrameDecoder(self._video, self._where, patient=True)
            self.audio = _sound_track(self._container, self._video)
            undo.pop_all()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc: object) -> None:
        self._container.close()

    @property
    def rate(self) -> Fraction:
        """Frames a second on average; 30 where the file doesn't say."""
        rates = (self._video.average_rate, self._video.guessed_rate, self._video.base_rate)
        return next((rate for rate in rates if rate and 0 < rate <= _MOST_RATE), _USUAL_RATE)

    @property
    def share(self) -> float:
        """How much of the file has been read, 0–1."""
        return min(self._position / max(self._size, 1), 1.0)

    def __iter__(self) -> Iterator[TimedFrame | TimedSound]:
        """Pictures in showing order, and between them the packets of sound.

        Damaged pictures are left out, and counted in the log. Raises PictureError for a file
        without a single good one, and for one that can't be read to its end.
        """
        timeline = self._timeline()
        sound = timeline.track(0.02)
        clock = _PictureClock(timeline, self.rate, guessed=self._container.format.name == "avi")
        shown = 0
        for packet in self._packets():
            if packet.stream is self.audio:
                if packet.size:
                    yield TimedSound(packet, sound.at(*_sound_stamp(packet)))
                continue
            for frame in self._decoded(packet):
                shown += 1
                yield TimedFrame(frame, clock.at(frame))
        if not shown:
            raise PictureError("holds no picture that can be decoded", where=self._where)
        if self._decoder.damaged:
            log.warning("pictures left out", file=self._where, damaged=self._decoder.damaged)

    def _timeline(self) -> Timeline:
        starts = [
            float(track.start_time * track.time_base)
            for track in (self._video, self.audio)
            if track and track.start_time is not None and track.time_base
        ]
        leap = BROADCAST_LEAP if self._container.format.name in _BROADCAST else LEAP
        return Timeline(min(starts, default=None), leap=leap)

    def _packets(self) -> Iterator[AnyPacket]:
        streams = [self._video, *([self.audio] if self.audio else [])]
        try:
            for packet in self._container.demux(*streams):
                self._position = max(self._position, packet.pos or 0)
                yield packet
        except FAILURES as error:
            raise self._unreadable(error) from error

    def _decoded(self, packet: AnyPacket) -> list[av.VideoFrame]:
        try:
            return list(self._decoder.decode(packet))
        except FAILURES as error:
            raise self._unreadable(error) from error

    def _unreadable(self, error: BaseException) -> PictureError:
        what = f"can't be read to its end: {failure_text(error)}"
        return PictureError(what, where=self._where)


class _PictureClock:
    """Times of decoded pictures, by whichever stamps go forward: those of showing or of decoding.

    FFmpeg's ``guess_correct_pts`` (``libavcodec/decode.c``) chooses in the same way. Where the
    former are ``guessed``, as AVI has none, they are not looked at.
    """

    def __init__(self, timeline: Timeline, rate: Fraction, *, guessed: bool) -> None:
        self._track = timeline.track(float(1 / rate))
        self._guessed = guessed
        self._shown = _Stamps()
        self._decoded = _Stamps()

    def at(self, frame: av.VideoFrame) -> float:
        self._shown.take(frame.pts, frame.dts)
        self._decoded.take(frame.dts, frame.pts)
        stamp = frame.dts
        if frame.pts is not None and (
            stamp is None or (not self._guessed and self._shown.faults <= self._decoded.faults)
        ):
            stamp = frame.pts
        if stamp is None or frame.time_base is None:
            return self._track.at(None)
        return self._track.at(float(stamp * frame.time_base))


class _Stamps:
    """Counts the stamps that don't go forward."""

    def __init__(self) -> None:
        self._last: int | None = None
        self.faults = 0

    def take(self, stamp: int | None, other: int | None) -> None:
        if stamp is not None and self._last is not None:
            self.faults += stamp <= self._last
        self._last = other if stamp is None else stamp


def _sound_stamp(packet: AnyPacket) -> tuple[float | None, float | None]:
    """When ``packet`` is heard by its stamp, and for how long, in seconds."""
    stamp = packet.dts if packet.pts is None else packet.pts
    unit = packet.time_base
    length = float(packet.duration * unit) if packet.duration else None
    return None if stamp is None else float(stamp * unit), length


def _main_track(container: InputContainer, where: str) -> VideoStream:
    """FFmpeg's choice among the tracks that are no pictures, else the first of them."""
    tracks = [track for track in container.streams.video if not track.disposition & _PICTURES]
    if not tracks:
        raise PictureError("holds no video track", where=where, do="name a video file")
    best = container.streams.best("video")
    return next((track for track in tracks if track is best), tracks[0])


def _sound_track(container: InputContainer, video: VideoStream) -> AudioStream | None:
    best = container.streams.best("audio", related=video)
    return best if isinstance(best, AudioStream) else None
