"""Reading and writing of video files: upright frames in, frames with the old sound out."""

import contextlib
from collections.abc import Iterator, Sequence
from fractions import Fraction
from pathlib import Path
from typing import Any, Self, TypeAlias

import av
import numpy as np
from av.audio.stream import AudioStream
from av.container import InputContainer, OutputContainer
from av.stream import Stream
from av.video.stream import VideoStream

from config.errors import PictureError

SoundPacket: TypeAlias = "av.Packet[Any]"

MAX_SIDE = 4096
"""Frames beyond this many pixels a side are refused before they are decoded."""

_FAILURES = (av.FFmpegError, OSError, ValueError)
"""Most of FFmpeg's errors are one of the other two as well, but not all."""

_QUALITY = {
    "libx264": {"preset": "veryfast", "crf": "20"},
    "libvpx": {"deadline": "realtime", "cpu-used": "5", "crf": "12", "b": "4M"},
}


def upright(frame: av.VideoFrame) -> av.VideoFrame:
    """``frame`` turned the way its file says it is to be shown (phones store it sideways)."""
    turns = round(frame.rotation / 90) % 4
    if turns == 0:
        return frame
    source = frame.reformat(format="yuv420p")
    size = (source.width, source.height) if turns == 2 else (source.height, source.width)
    turned = av.VideoFrame(*size, "yuv420p")
    for old, new in zip(source.planes, turned.planes, strict=True):
        pixels = np.frombuffer(memoryview(old), np.uint8).reshape(old.height, old.line_size)
        target = np.frombuffer(memoryview(new), np.uint8).reshape(new.height, new.line_size)
        target[:, : new.width] = np.rot90(pixels[:, : old.width], turns)
    turned.pts, turned.time_base = frame.pts, frame.time_base
    return turned


def _reason(error: Exception) -> str:
    return str(getattr(error, "strerror", None) or error)


class VideoReader:
    """The first video track of a file; raises PictureError where there is none to read."""

    def __init__(self, path: Path) -> None:
        self._path = path
        try:
            self._container: InputContainer = av.open(str(path), timeout=30)
        except _FAILURES as error:
            what = f"can't be read as a video: {_reason(error)}"
            raise PictureError(what, where=str(path)) from error
        with contextlib.ExitStack() as undo:
            undo.callback(self._container.close)
            self._video = self._first_track()
            undo.pop_all()
        self.audio: AudioStream | None = next(iter(self._container.streams.audio), None)

    def _first_track(self) -> VideoStream:
        track = next(iter(self._container.streams.video), None)
        if track is None:
            raise PictureError("holds no video track", where=str(self._path))
        try:
            width, height = track.width, track.height
        except AttributeError as error:
            # PyAV gives a track without a decoder no attributes of pictures.
            what = "holds video of a kind that can't be decoded"
            raise PictureError(what, where=str(self._path)) from error
        if max(width, height) > MAX_SIDE:
            size = f"{width}x{height}"
            raise PictureError(f"{size} exceeds {MAX_SIDE} pixels a side", where=str(self._path))
        return track

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc: object) -> None:
        self._container.close()

    @property
    def duration(self) -> float | None:
        """Seconds, if the file knows."""
        length = self._container.duration
        return None if length is None else length / av.time_base

    @property
    def rate(self) -> Fraction:
        """Frames a second; 30 where the file doesn't say."""
        return self._video.average_rate or self._video.guessed_rate or Fraction(30)

    def __iter__(self) -> Iterator["av.VideoFrame | SoundPacket"]:
        """Upright frames in showing order, and between them the packets of the sound.

        Frames that can't be decoded are left out. Raises PictureError for a file without a single
        good one, and for one that can't be read to its end.
        """
        streams = [self._video, *([self.audio] if self.audio else [])]
        frames = 0
        for packet in self._packets(streams):
            if packet.stream is self.audio:
                if packet.dts is not None:
                    yield packet
                continue
            try:
                decoded = packet.decode()
            except av.FFmpegError:
                continue
            for frame in decoded:
                if isinstance(frame, av.VideoFrame):
                    frames += 1
                    yield upright(frame)
        if frames == 0:
            raise PictureError("holds no frame that we can decode", where=str(self._path))

    def _packets(self, streams: Sequence[Stream]) -> Iterator[SoundPacket]:
        try:
            yield from self._container.demux(*streams)
        except _FAILURES as error:
            what = f"can't be read to its end: {_reason(error)}"
            raise PictureError(what, where=str(self._path)) from error


class VideoWriter:
    """Writes frames, and the sound of ``audio`` as it is, to a new file.

    The file appears under its name when the writer is left without an error; until then, after an
    error, and without any frame, nothing stands there. Raises PictureError if it can't be written.
    """

    def __init__(self, path: Path, rate: Fraction, audio: AudioStream | None) -> None:
        self._path = path
        self._rate = rate
        self._source_audio = audio
        self._partial = path.with_name(f".{path.stem}.partial{path.suffix}")
        self._video: VideoStream | None = None
        self._audio: AudioStream | None = None
        self._last_pts = -1
        try:
            self._container: OutputContainer = av.open(str(self._partial), "w")
        except _FAILURES as error:
            what = f"can't be written as a video: {_reason(error)}"
            do = "name it .mp4, .mkv, .mov or .webm"
            raise PictureError(what, where=str(path), do=do) from error

    def __enter__(self) -> Self:
        return self

    def __exit__(self, failure: type[BaseException] | None, *exc: object) -> None:
        try:
            if failure is None and self._video is not None:
                self._container.mux(self._video.encode(None))
            self._container.close()
            if failure is None and self._video is not None:
                self._partial.replace(self._path)
        except _FAILURES as error:
            what = f"can't be written: {_reason(error)}"
            raise PictureError(what, where=str(self._path)) from error
        finally:
            self._partial.unlink(missing_ok=True)

    def write(self, frame: av.VideoFrame, time: float) -> None:
        """Add ``frame``, shown at ``time`` seconds."""
        video = self._video or self._open(frame.width, frame.height)
        # Milliseconds keep the timing of files with a variable frame rate.
        frame.time_base = Fraction(1, 1000)
        frame.pts = max(round(time * 1000), self._last_pts + 1)
        self._last_pts = frame.pts
        self._container.mux(video.encode(frame))

    def write_sound(self, packet: SoundPacket) -> None:
        """Add a packet of the source's sound, untouched."""
        if self._audio is not None:
            packet.stream = self._audio
            self._container.mux(packet)

    def _open(self, width: int, height: int) -> VideoStream:
        codec = "libvpx" if self._path.suffix.lower() == ".webm" else "libx264"
        video = self._container.add_stream(codec, self._rate, options=_QUALITY[codec])
        if not isinstance(video, VideoStream):
            raise TypeError(f"{codec} is not a video codec")
        video.width, video.height, video.pix_fmt = width, height, "yuv420p"
        video.codec_context.time_base = Fraction(1, 1000)
        if self._source_audio is not None:
            # A container that can't hold this kind of sound gets the pictures alone.
            with contextlib.suppress(ValueError):
                self._audio = self._container.add_stream_from_template(self._source_audio)
        self._video = video
        return video
