"""The sound of a recording on its way to another file: copied where that can hold it, else encoded
again, else left out with one line in the log."""

from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from typing import Any, Final, Protocol, TypeAlias

import av
import structlog
from av.audio.codeccontext import AudioCodecContext
from av.audio.layout import AudioLayout
from av.audio.stream import AudioStream
from av.container import OutputContainer
from av.filter import Graph
from av.stream import Stream

from sidecar.captured import failure_text

log = structlog.get_logger(__name__)

SoundPacket: TypeAlias = "av.Packet[Any]"

_MAX_RATE: Final = 192_000
_MAX_CHANNELS: Final = 16
"""With ``_MAX_RATE`` (Hz), the most that is decoded; more is refused, which bounds memory."""
_ENCODED: Final = {"aac": ("fltp", 48_000), "libopus": ("s16", 48_000)}
"""Sample format and rate that each encoder is given."""
_BIT_RATE: Final = 128_000
"""Bits a second of encoded sound: FFmpeg's own default."""


@dataclass(frozen=True, slots=True)
class SoundRules:
    """How a kind of file holds sound."""

    copied: frozenset[str] | None
    """Codecs whose packets are copied, by FFmpeg's names; None: all that FFmpeg can put there."""
    encoder: str | None
    """What the others are encoded by; None: this kind of file holds no sound."""


class SoundTrack(Protocol):
    """Takes the packets of one audio track."""

    def write(self, packet: SoundPacket, time: float) -> Iterator[SoundPacket]:
        """What is to be muxed once ``packet``, heard at ``time`` seconds, has come."""
        ...

    def finish(self) -> Iterator[SoundPacket]:
        """What is still to be muxed at the end."""
        ...


def open_sound(
    source: AudioStream, target: OutputContainer, rules: SoundRules, where: str
) -> SoundTrack | None:
    """A track for ``source`` in ``target``; None, and a line in the log, where there can't be one.

    ``where`` names the file that is written.
    """
    try:
        _require(source, rules)
        return _copied(source, target, rules) or _encoded(source, target, rules, where)
    except (ValueError, av.FFmpegError) as error:
        log.warning("sound left out", file=where, reason=failure_text(error))
        return None


def _require(source: AudioStream, rules: SoundRules) -> None:
    """Raises ValueError where there can be no sound."""
    if rules.encoder is None:
        raise ValueError("this kind of file holds none")
    codec = source.codec_context
    if not isinstance(codec, AudioCodecContext):
        # PyAV gives a track without a decoder none.
        raise ValueError("it is of a kind that can't be decoded")
    if not permitted(codec.sample_rate, codec.layout):
        raise ValueError(f"{codec.sample_rate} Hz and {codec.layout.nb_channels} channels")


def permitted(rate: int, layout: AudioLayout) -> bool:
    """Whether sound of ``rate`` in Hz and ``layout`` is processed."""
    return 0 < rate <= _MAX_RATE and 0 < layout.nb_channels <= _MAX_CHANNELS


def _copied(
    source: AudioStream, target: OutputContainer, rules: SoundRules
) -> "CopiedSound | None":
    codec = source.codec_context
    if rules.copied is not None and codec.name not in rules.copied:
        return None
    try:
        return CopiedSound(source, target.add_stream_from_template(source))
    except (ValueError, av.FFmpegError) as error:
        log.debug("sound not copied", codec=codec.name, reason=failure_text(error))
        return None


def _encoded(
    source: AudioStream, target: OutputContainer, rules: SoundRules, where: str
) -> "EncodedSound":
    encoder = rules.encoder or ""
    layout = "mono" if source.codec_context.layout.nb_channels == 1 else "stereo"
    sample_format, rate = _ENCODED[encoder]
    stream = target.add_stream(encoder, rate, layout=layout, format=sample_format)
    if not isinstance(stream, AudioStream):
        raise TypeError(f"{encoder} is not an audio codec")
    stream.codec_context.bit_rate = _BIT_RATE
    log.info("sound encoded again", file=where, codec=source.codec_context.name, encoder=encoder)
    return EncodedSound(source, stream, layout)


class CopiedSound:
    """Implements ``SoundTrack`` for packets that are copied unchanged, at their new times."""

    def __init__(self, source: AudioStream, stream: Stream) -> None:
        self._stream = stream
        self._time_base = source.time_base or Fraction(1, 90_000)
        self._last: int | None = None

    def write(self, packet: SoundPacket, time: float) -> Iterator[SoundPacket]:
        stamp = round(time / self._time_base)
        if self._last is not None:
            stamp = max(stamp, self._last + 1)
        self._last = stamp
        packet.time_base = self._time_base
        packet.pts = packet.dts = stamp
        packet.stream = self._stream
        yield packet

    def finish(self) -> Iterator[SoundPacket]:
        return iter(())


class EncodedSound:
    """Implements ``SoundTrack`` by decoding and encoding; gaps become silence."""

    def __init__(self, source: AudioStream, stream: AudioStream, layout: str) -> None:
        self._source = source
        self._stream = stream
        self._layout = layout
        self._graph: Graph | None = None
        self._shape: tuple[str, str, int] | None = None

    def write(self, packet: SoundPacket, time: float) -> Iterator[SoundPacket]:
        packet.pts = packet.dts = None
        for frame in self._decoded(packet):
            frame.time_base = Fraction(1, frame.sample_rate)
            frame.pts = round(time * frame.sample_rate)
            time += frame.samples / frame.sample_rate
            yield from self._encode(frame)

    def finish(self) -> Iterator[SoundPacket]:
        yield from self._drain()
        yield from self._stream.encode(None)

    def _decoded(self, packet: SoundPacket) -> list[av.AudioFrame]:
        try:
            frames = self._source.codec_context.decode(packet)
        except (av.FFmpegError, MemoryError):
            return []
        return [
            frame
            for frame in frames
            if frame.samples and permitted(frame.sample_rate, frame.layout)
        ]

    def _encode(self, frame: av.AudioFrame) -> Iterator[SoundPacket]:
        shape = (frame.format.name, frame.layout.name, frame.sample_rate)
        if shape != self._shape:
            yield from self._drain()
            self._graph, self._shape = self._make_graph(*shape), shape
        if self._graph is not None:
            self._graph.push(frame)
            yield from self._ready(self._graph)

    def _make_graph(self, sample_format: str, layout: str, rate: int) -> Graph:
        graph = Graph()
        codec = self._stream.codec_context
        source = graph.add(
            "abuffer",
            sample_rate=str(rate),
            sample_fmt=sample_format,
            channel_layout=layout,
            time_base=f"1/{rate}",
        )
        # async: silence for what is missing, and less of what overlaps; one step beyond 0.1 s.
        resampler = graph.add("aresample", f"{codec.sample_rate}:async=1:min_hard_comp=0.1")
        shaper = graph.add(
            "aformat",
            sample_fmts=codec.format.name,
            sample_rates=str(codec.sample_rate),
            channel_layouts=self._layout,
        )
        sink = graph.add("abuffersink")
        source.link_to(resampler)
        resampler.link_to(shaper)
        shaper.link_to(sink)
        graph.configure()
        return graph

    def _drain(self) -> Iterator[SoundPacket]:
        graph, self._graph, self._shape = self._graph, None, None
        if graph is not None:
            graph.push(None)
            yield from self._ready(graph)

    def _ready(self, graph: Graph) -> Iterator[SoundPacket]:
        while True:
            try:
                frame = graph.pull()
            except (av.BlockingIOError, av.EOFError):
                return
            if isinstance(frame, av.AudioFrame):
                yield from self._stream.encode(frame)
