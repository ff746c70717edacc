"""Small recordings with the oddities of real ones, made by code."""

import struct
from collections.abc import Iterable, Sequence
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np
import numpy.typing as npt
from av.audio.stream import AudioStream
from av.container import OutputContainer
from av.video.stream import VideoStream

Pixels = npt.NDArray[np.uint8]

SIZE = (64, 48)
UNITY = 0x10000
"""1.0 in the fixed point of a display matrix."""


def marked(number: int = 0, size: tuple[int, int] = SIZE) -> Pixels:
    """Dark grey, a white block in the top left corner, and ``number`` as the grey level below."""
    width, height = size
    pixels = np.full((height, width, 3), 40, np.uint8)
    pixels[: height // 3, : width // 3] = 255
    pixels[-height // 3 :] = 60 + number * 7 % 150
    return pixels


def corner(frame: av.VideoFrame) -> tuple[str, str]:
    """Where the white block of ``marked`` is: top or bottom, left or right."""
    grey = np.asarray(frame.to_ndarray(format="gray"), np.uint8)
    rows, columns = np.nonzero(grey > 220)
    vertical = "top" if rows.mean() < frame.height / 2 else "bottom"
    return vertical, "left" if columns.mean() < frame.width / 2 else "right"


def picture(pixels: Pixels, pixel_format: str = "yuv420p", **tags: int) -> av.VideoFrame:
    """``pixels`` as a frame of ``pixel_format`` with colour ``tags``."""
    frame = av.VideoFrame.from_ndarray(pixels, format="rgb24").reformat(format=pixel_format)
    for tag, value in tags.items():
        setattr(frame, tag, value)
    return frame


def levels(
    luma: int, pixel_format: str = "yuv420p", size: tuple[int, int] = SIZE, **tags: int
) -> av.VideoFrame:
    """A grey frame whose samples are ``luma``, in 8 or 10 bits as the format has it."""
    frame = av.VideoFrame(*size, pixel_format)
    deep = "10" in pixel_format
    for number, plane in enumerate(frame.planes):
        value = luma if number == 0 else (512 if deep else 128)
        samples = np.full(plane.buffer_size // (2 if deep else 1), value, "<u2" if deep else "u1")
        plane.update(samples.tobytes())
    for tag, value in tags.items():
        setattr(frame, tag, value)
    return frame


X265 = "log-level=none:bframes=0"
"""Quietly, and without B-frames: with them libx265 stamps the packets of a stream of one or two
pictures with what its memory happens to hold, which muxers now and then refuse."""


def add_video(
    container: OutputContainer,
    codec: str = "libx264",
    *,
    size: tuple[int, int] = SIZE,
    rate: int = 25,
    pixel_format: str = "yuv420p",
    ratio: Fraction | None = None,
    options: dict[str, str] | None = None,
) -> VideoStream:
    usual = {"libx265": {"x265-params": X265}, "libvpx": {"lag-in-frames": "0"}}
    video = container.add_stream(codec, rate, options=options or usual.get(codec, {}))
    assert isinstance(video, VideoStream)
    video.width, video.height = size
    video.pix_fmt = pixel_format
    video.codec_context.time_base = Fraction(1, rate)
    video.codec_context.thread_count = 1
    if ratio is not None:
        video.codec_context.sample_aspect_ratio = ratio
    return video


def write_video(
    path: Path,
    frames: Iterable[av.VideoFrame] | None = None,
    *,
    stamps: Sequence[int] | None = None,
    container_format: str | None = None,
    sound: str | None = None,
    **options: Any,
) -> Path:
    """A file of ``frames`` (25 marked ones unless given), stamped 0, 1, 2, … or with ``stamps``.

    Stamps are in frames of the rate. ``sound`` is an encoder: a second of a tone for each of video.
    """
    frames = list(frames or (picture(marked(number)) for number in range(25)))
    if frames:
        options.setdefault("size", (frames[0].width, frames[0].height))
    with av.open(str(path), "w", format=container_format) as container:
        video = add_video(container, **options)
        audio = None if sound is None else add_sound(container, sound)
        for number, frame in enumerate(frames):
            frame.pts, frame.time_base = number, video.codec_context.time_base
            for packet in video.encode(frame):
                mux(container, packet, stamps)
        for packet in video.encode(None):
            mux(container, packet, stamps)
        if audio is not None:
            write_tone(container, audio, seconds=len(frames) / options.get("rate", 25))
    return path


def mux(container: OutputContainer, packet: "av.Packet[Any]", stamps: Sequence[int] | None) -> None:
    if stamps is not None and packet.pts is not None:
        packet.pts = packet.dts = stamps[packet.pts]
    container.mux(packet)


def add_sound(container: OutputContainer, codec: str = "aac", rate: int = 48_000) -> AudioStream:
    layout = "stereo" if codec == "libvorbis" else "mono"
    audio = container.add_stream(codec, rate, layout=layout, bit_rate=96_000)
    assert isinstance(audio, AudioStream)
    return audio


def write_tone(container: OutputContainer, audio: AudioStream, seconds: float) -> None:
    rate = audio.codec_context.sample_rate
    wave = np.sin(np.arange(round(seconds * rate)) * 440 * 2 * np.pi / rate).astype(np.float32)
    frame = av.AudioFrame.from_ndarray(wave[None] * 0.3, format="fltp", layout="mono")
    frame.sample_rate, frame.pts, frame.time_base = rate, 0, Fraction(1, rate)
    container.mux(audio.encode(frame))
    container.mux(audio.encode(None))


def matrix(a: int, b: int, c: int, d: int) -> tuple[int, ...]:
    """A display matrix from units: the stored x axis is shown along (a, b), the y axis (c, d)."""
    return (a * UNITY, b * UNITY, 0, c * UNITY, d * UNITY, 0, 0, 0, 1 << 30)


def turned(path: Path, values: Sequence[int]) -> Path:
    """Writes the display matrix ``values`` into the MP4 at ``path``."""
    data = bytearray(path.read_bytes())
    # ISO/IEC 14496-12, 8.3.2: the matrix stands 40 bytes into a version 0 track header.
    start = data.index(b"tkhd") + 4 + 40
    data[start : start + 36] = struct.pack(">9i", *values)
    path.write_bytes(data)
    return path


def write_h264(
    path: Path,
    packets: Iterable[bytes],
    size: tuple[int, int] = SIZE,
    *,
    container_format: str | None = None,
) -> Path:
    """A file of H.264 that is encoded already; its header says ``size``."""
    with av.open(str(path), "w", format=container_format) as container:
        stream = add_video(container, size=size)
        for number, data in enumerate(packets):
            packet = av.Packet(data)
            packet.stream, packet.time_base = stream, Fraction(1, 25)
            packet.pts = packet.dts = number
            packet.is_keyframe = b"\x01\x65" in data
            container.mux(packet)
    return path
