"""What our parts cost above what the libraries under them cost: the floors."""

import asyncio
import statistics
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Final

import av
import numpy as np
from av.video.codeccontext import VideoCodecContext

from bench.detection import MIX, RATE, WARM_UP, counted, mean, scenes, step
from bench.media_footage import FPS, clip, frames
from bench.session_detection import worked
from bench.table import Table
from config.reaction_table import load_reaction_table
from gifs.cache import StickerCache
from reactions.frame_sampler import FrameSampler
from reactions.labels import LABELS
from reactions.landmark_types import Sample
from reactions.landmarks.model_store import ModelStore
from reactions.mannequin import CAST, Scene, render
from reactions.mannequin.choreography import idle
from reactions.pipeline import RecognitionPipeline
from sidecar.media.compositor.compositor import Compositor
from sidecar.media.compositor.i420 import Planes
from sidecar.media.compositor.layout import arrange
from sidecar.media.compositor.sticker_loader import StickerPrefetcher
from sidecar.media.compositor.tiles import TileView
from sidecar.media.decoder import VideoDecoder
from sidecar.media.encoder import KEY_FRAME_EVERY, Encoder, open_vp8

WIDTH, HEIGHT, OUT_FPS = 1280, 720, 25
CAMERAS: Final = 4
Work = Callable[[int], object]
"""One frame of a part, by its number."""


@dataclass(frozen=True, slots=True)
class PartCost:
    """A part, its floor, and how often it is done a second for four cameras."""

    part: str
    floor_is: str
    rate: float
    ours: float
    """CPU milliseconds each time."""
    floor: float


@dataclass(frozen=True, slots=True)
class EncodedPacket:
    """A frame as the jitter buffer hands it over."""

    data: bytes
    timestamp: int


def floors_table(quick: bool) -> Table:
    """Each part, and the whole session against the sum of the floors."""
    table = Table(
        "Four cameras with detection: our CPU against its floors",
        ("part", "floor", "times a second", "ours, ms", "floor, ms", "ours / floor",
         "ours, % of a core", "floor, % of a core"),
        "CPU, ours and floor in turns, medians. The last row is a whole session as"
        " measured, threads and all, against the sum of the floors: what is between its share and"
        " the sum of the parts is transport (RTP, SRTP, ICE: no floor was made), the event loop"
        " and waiting threads. A session that makes fewer than 24 pictures a second was starved by"
        " other work on the machine: its row says nothing.",
    )  # fmt: skip
    count = 60 if quick else 300
    parts = [decoding(count), sampling(count), drawing(count), encoding(count), detecting(quick)]
    for one in parts:
        mine, floor = (one.rate * cost / 10 for cost in (one.ours, one.floor))
        ratio = one.ours / one.floor
        table.add(one.part, one.floor_is, one.rate, one.ours, one.floor, ratio, mine, floor)
    floor = sum(one.rate * one.floor / 10 for one in parts)
    mine = sum(one.rate * one.ours / 10 for one in parts)
    table.add("all parts", "", "", "", "", mine / floor, mine, floor)
    got = asyncio.run(worked(CAMERAS, 5 if quick else 20, half=False))
    session = f"a session, at {got.fps:.0f} pictures/s and {got.samples:.1f} samples/s each"
    table.add(session, "all floors", "", "", "", got.core / floor, got.core, floor)
    return table


def in_turns(ours: Work, floor: Work, count: int, turn: int = 15) -> tuple[float, float]:
    """Median CPU milliseconds of each, a few of one and then of the other."""
    spent: tuple[list[float], list[float]] = ([], [])
    for begin in range(0, count, turn):
        for work, kept in zip((ours, floor), spent, strict=True):
            for number in range(begin, min(begin + turn, count)):
                # Of all threads: some encoders have several.
                began = time.process_time()
                work(number)
                kept.append(1000 * (time.process_time() - began))
    mine, floors = (statistics.median(kept[turn:] or kept) for kept in spent)
    return mine, floors


def packets() -> Sequence[bytes]:
    """The encoded frames of the clip."""
    with av.open(str(clip())) as container:
        return [bytes(packet) for packet in container.demux(video=0) if packet.size]


def decoding(count: int) -> PartCost:
    """Our decoder with its limits, against FFmpeg's alone."""
    encoded = packets()
    ours = VideoDecoder("vp8")
    bare = av.CodecContext.create("vp8", "r")
    assert isinstance(bare, VideoCodecContext)
    bare.thread_count = 1

    def decode_ours(n: int) -> object:
        return ours.decode(EncodedPacket(encoded[n % len(encoded)], n * 3000))

    def decode_bare(n: int) -> object:
        packet = av.Packet(encoded[n % len(encoded)])
        packet.pts, packet.time_base = n * 3000, Fraction(1, 90000)
        return bare.decode(packet)

    cost = in_turns(decode_ours, decode_bare, count)
    return PartCost("decode 640x360", "FFmpeg's VP8 decoder", CAMERAS * FPS, *cost)


def sampling(count: int) -> PartCost:
    """A frame to an RGB sample, against swscale alone."""
    pictures, sampler = frames(), FrameSampler()
    scale = av.video.reformatter.VideoReformatter()

    def bare(n: int) -> object:
        return scale.reformat(pictures[n % len(pictures)], 640, 360, "rgb24")

    cost = in_turns(lambda n: sampler.sample(pictures[n % len(pictures)], 0.0), bare, count)
    return PartCost("sample to RGB", "swscale", CAMERAS * RATE, *cost)


def drawing(count: int) -> PartCost:
    """Our compositor with names and corners, against copying the tiles' planes."""
    pictures = frames()
    compositor = Compositor(WIDTH, HEIGHT, StickerPrefetcher(StickerCache()))
    canvas = av.VideoFrame(WIDTH, HEIGHT, "yuv420p")
    places = arrange(CAMERAS, WIDTH, HEIGHT)

    def draw(n: int) -> object:
        some = [pictures[(n + shift) % len(pictures)] for shift in range(CAMERAS)]
        tiles = [TileView(str(k), f"Participant {k}", one) for k, one in enumerate(some)]
        return compositor.draw(tiles, n / OUT_FPS)

    def copy(n: int) -> object:
        target = Planes.of(canvas)
        for shift, place in enumerate(places):
            source = Planes.of(pictures[(n + shift) % len(pictures)])
            x, y, width, height = place.x, place.y, place.width, place.height
            np.copyto(target.luma[y : y + height, x : x + width], source.luma[:height, :width])
            for into, of in ((target.blue, source.blue), (target.red, source.red)):
                rows, columns = slice(y // 2, (y + height) // 2), slice(x // 2, (x + width) // 2)
                np.copyto(into[rows, columns], of[: height // 2, : width // 2])
        return canvas

    cost = in_turns(draw, copy, count)
    return PartCost("draw 4 tiles", "copying their planes", OUT_FPS, *cost)


def encoding(count: int) -> PartCost:
    """Our encoder, against libvpx with the same options."""
    pictures = [frame.reformat(WIDTH, HEIGHT) for frame in frames(count=30)]
    ours = Encoder(WIDTH, HEIGHT, fps=OUT_FPS)
    bare = open_vp8(WIDTH, HEIGHT, fps=OUT_FPS, bitrate=ours.bitrate)
    # Else it would place none, where ours are placed by time.
    bare.gop_size = int(KEY_FRAME_EVERY * OUT_FPS)

    def encode_bare(n: int) -> object:
        frame = pictures[n % len(pictures)]
        frame.pts, frame.time_base = n, Fraction(1, OUT_FPS)
        return bare.encode(frame)

    cost = in_turns(lambda n: ours.encode(pictures[n % len(pictures)], n), encode_bare, count)
    return PartCost("encode 1280x720", "libvpx, the same options", OUT_FPS, *cost)


def detecting(quick: bool) -> PartCost:
    """A sample in a meeting's mix of hands, against the models that it invokes."""
    person = next(iter(CAST.values()))
    detector = RecognitionPipeline(ModelStore(), load_reaction_table(LABELS))
    whole = floor = 0.0
    with counted() as invokes:
        for name, pose in scenes().items():
            spent, models, memory = [], [], None
            for n in range(WARM_UP + (10 if quick else 40)):
                sample = Sample(render(person, idle(pose, n / RATE), Scene(), seed=n), n / RATE)
                invokes.take()
                began = time.process_time()
                memory = step(detector, sample, memory)
                spent.append(1000 * (time.process_time() - began))
                models.append(1000 * invokes.take())
            whole += MIX[name] * mean(spent[WARM_UP:])
            floor += MIX[name] * mean(models[WARM_UP:])
    return PartCost("detect, a mix of hands", "the models' invoke", CAMERAS * RATE, whole, floor)
