"""Write videos and animated pictures: frames at their times, with a recording's sound."""

from collections import deque
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, suppress
from dataclasses import dataclass, field
from fractions import Fraction
from pathlib import Path
from typing import Any, Final, Self, TypeAlias

import av
import numpy as np
from av.audio.stream import AudioStream
from av.container import OutputContainer
from av.video.frame import PictureType
from av.video.reformatter import ColorRange
from av.video.stream import VideoStream
from PIL import Image

from config.errors import PictureError
from sidecar.captured import failure_text
from sidecar.media.container.inputs import FAILURES, file_url, shown_path
from sidecar.media.container.sound import SoundRules, SoundTrack, open_sound
from sidecar.media.new_file import new_file

AnyPacket: TypeAlias = "av.Packet[Any]"

_X264: Final = {"preset": "veryfast", "crf": "20"}
_VPX: Final = {"deadline": "realtime", "cpu-used": "5", "crf": "12", "b": "4M"}
_SILENT: Final = SoundRules(frozenset(), None)
_MOST_WAITING: Final = 1000
"""Packets of sound that are kept until the first picture: 20 seconds or so."""
_MILLISECOND: Final = Fraction(1, 1000)


@dataclass(frozen=True, slots=True)
class FileKind:
    """How one kind of file is written, in FFmpeg's terms."""

    muxer: str
    encoder: str
    time_base: Fraction = _MILLISECOND
    """The unit of its time stamps, in seconds."""
    pixels: str = "yuv420p"
    step: int = 1
    """Units of time between two pictures at least; closer ones are left out."""
    sound: SoundRules = _SILENT
    options: Mapping[str, str] = field(default_factory=dict)
    muxer_options: Mapping[str, str] = field(default_factory=dict)


_MP4_SOUND: Final = SoundRules(
    frozenset({"aac", "mp3", "mp3float", "ac3", "eac3", "alac", "opus", "libopus"}), "aac"
)
_MOV_SOUND: Final = SoundRules(
    frozenset({"aac", "mp3", "mp3float", "ac3", "alac", "pcm_s16le", "pcm_s16be", "pcm_s24le"}),
    "aac",
)
_WEBM_SOUND: Final = SoundRules(frozenset({"opus", "libopus", "vorbis", "libvorbis"}), "libopus")
_MP4: Final = FileKind("mp4", "libx264", Fraction(1, 90_000), sound=_MP4_SOUND, options=_X264)
_PNG: Final = FileKind(
    "apng",
    "apng",
    pixels="rgb24",
    options={"compression_level": "3"},
    muxer_options={"plays": "0"},
)

KINDS: Final[Mapping[str, FileKind]] = {
    ".mp4": _MP4,
    ".m4v": _MP4,
    ".mov": FileKind("mov", "libx264", Fraction(1, 90_000), sound=_MOV_SOUND, options=_X264),
    ".mkv": FileKind("matroska", "libx264", sound=SoundRules(None, "aac"), options=_X264),
    ".webm": FileKind("webm", "libvpx", sound=_WEBM_SOUND, options=_VPX),
    # Browsers show a GIF's frames for 0.1 s where they are to be shown for 0.01 s.
    ".gif": FileKind("gif", "gif", Fraction(1, 100), "pal8", step=2),
    ".webp": FileKind(
        "webp", "libwebp_anim", options={"quality": "80"}, muxer_options={"loop": "0"}
    ),
    ".apng": _PNG,
    ".png": _PNG,
}
"""What videos and animations are written as, by suffix."""


def video_kind(path: Path) -> FileKind:
    """How a video is written to ``path``; raises PictureError for a suffix that can't hold it."""
    kind = KINDS.get(path.suffix.lower())
    if kind is None:
        what = f"{path.suffix or 'a name without a suffix'} can't hold a video"
        raise PictureError(what, where=shown_path(path), do=f"name it {' '.join(KINDS)}")
    return kind


class VideoWriter:
    """Writes frames, and the sound of ``audio``, to a new file; its suffix says as what.

    ``rate`` is in frames a second, for the encoder's sake: each frame has a time of its own. The
    file appears under its name when the writer is left without an error; until then, after an
    error, and without any frame, what stood there stays. Raises PictureError if it can't be
    written.
    """

    def __init__(self, path: Path, rate: Fraction, audio: AudioStream | None = None) -> None:
        self._where = shown_path(path)
        self._kind = video_kind(path)
        self._rate = rate
        self._source_audio = audio
        self._video: VideoStream | None = None
        self._sound: SoundTrack | None = None
        self._waiting: deque[tuple[AnyPacket, float]] = deque(maxlen=_MOST_WAITING)
        self._last: int | None = None
        self._file = ExitStack()
        partial = self._file.enter_context(new_file(path))
        try:
            self._container: OutputContainer = av.open(
                file_url(partial), "w", self._kind.muxer, options=dict(self._kind.muxer_options)
            )
        except FAILURES as error:
            failure = self._unwritable(error)
            self._file.__exit__(type(failure), failure, None)
            raise failure from error

    def __enter__(self) -> Self:
        return self

    def __exit__(self, failure: type[BaseException] | None, *exc: object) -> None:
        if failure is None and self._video is not None:
            with self._file:
                self._complete()
            return
        with suppress(_NoFileError), self._file:
            with suppress(*FAILURES):
                self._container.close()
            raise _NoFileError

    def write(self, frame: av.VideoFrame, time: float) -> None:
        """Add ``frame``, shown at ``time`` seconds, unless that is too close to the frame before.

        Its stamp and picture type become the writer's.
        """
        stamp = round(time / self._kind.time_base)
        if self._last is not None and stamp < self._last + self._kind.step:
            return
        self._last = stamp
        frame.pts, frame.time_base = stamp, self._kind.time_base
        # The source's key frames are none of this file's.
        frame.pict_type = PictureType.NONE
        try:
            video = self._video or self._open(frame)
            while self._waiting:
                self.write_sound(*self._waiting.popleft())
            self._mux(video.encode(_palette(frame) if self._kind.pixels == "pal8" else frame))
        except FAILURES as error:
            raise self._unwritable(error) from error

    def write_sound(self, packet: AnyPacket, time: float) -> None:
        """Add a packet of the sound, heard at ``time`` seconds. It may be changed."""
        if self._video is None:
            # The tracks are opened with the first picture.
            self._waiting.append((packet, time))
            return
        if self._sound is None:
            return
        try:
            self._mux(self._sound.write(packet, time))
        except FAILURES as error:
            raise self._unwritable(error) from error

    def _open(self, frame: av.VideoFrame) -> VideoStream:
        kind = self._kind
        rate = min(self._rate, 1 / (kind.step * kind.time_base))
        video = self._container.add_stream(kind.encoder, rate, options=dict(kind.options))
        if not isinstance(video, VideoStream):
            raise TypeError(f"{kind.encoder} is not a video codec")
        video.width, video.height, video.pix_fmt = frame.width, frame.height, kind.pixels
        video.codec_context.time_base = kind.time_base
        if kind.encoder != "libx264":
            # libvpx's threads wait for each other by spinning: six times the time for small ones.
            video.codec_context.thread_count = 1
        if kind.pixels == "yuv420p":
            video.color_range = int(ColorRange.MPEG)
            video.colorspace = frame.colorspace
            video.color_trc, video.color_primaries = frame.color_trc, frame.color_primaries
        if self._source_audio is not None:
            self._sound = open_sound(self._source_audio, self._container, kind.sound, self._where)
        self._video = video
        return video

    def _mux(self, packets: "Iterator[AnyPacket] | list[AnyPacket]") -> None:
        for packet in packets:
            self._container.mux(packet)

    def _complete(self) -> None:
        try:
            if self._sound is not None:
                self._mux(self._sound.finish())
            if self._video is not None:
                self._mux(self._video.encode(None))
            self._container.close()
        except FAILURES as error:
            raise self._unwritable(error) from error

    def _unwritable(self, error: BaseException) -> PictureError:
        return PictureError(f"can't be written: {failure_text(error)}", where=self._where)


class _NoFileError(Exception):
    """Leaves a new file unwritten."""


def _palette(frame: av.VideoFrame) -> av.VideoFrame:
    """``frame`` in 256 colours of its own."""
    picture = Image.fromarray(np.asarray(frame.to_ndarray(format="rgb24"))).quantize(
        256, Image.Quantize.FASTOCTREE
    )
    indexed = av.VideoFrame(frame.width, frame.height, "pal8")
    pixels, palette = indexed.planes
    rows = np.frombuffer(memoryview(pixels), np.uint8).reshape(frame.height, pixels.line_size)
    rows[:, : frame.width] = np.asarray(picture)
    # 32-bit words of alpha, red, green and blue.
    used = np.array(picture.getpalette(), np.uint32).reshape(-1, 3)
    colours = np.zeros(256, np.uint32)
    colours[: len(used)] = 255 << 24 | used[:, 0] << 16 | used[:, 1] << 8 | used[:, 2]
    palette.update(colours.tobytes())
    indexed.pts, indexed.time_base = frame.pts, frame.time_base
    return indexed
