"""Pictures for the media benchmarks: a mannequin's clip, as frames and as a VP8 file."""

from fractions import Fraction
from functools import lru_cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TypeAlias

import av

from reactions.mannequin.choreography import Choreography
from reactions.mannequin.person import CAST
from reactions.mannequin.render import render
from reactions.mannequin.scene import Scene
from sidecar.media.encoder import Encoder

WIDTH, HEIGHT, FPS = 640, 360, 30
STEPS = (("wave", 1.5), ("thumbs_up", 1.0), ("open_palm", 1.0))
IDLE = (("neutral", 3.5),)
BITRATE = 600_000

Steps: TypeAlias = tuple[tuple[str, float], ...]


@lru_cache(maxsize=2)
def frames(steps: Steps = STEPS, count: int = 90) -> tuple[av.VideoFrame, ...]:
    """The first ``count`` frames of a mannequin's ``steps``, 640x360 at 30 a second, with noise."""
    person = next(iter(CAST.values()))
    acts = Choreography(steps)
    made = []
    for number in range(count):
        pixels = render(person, acts.pose_at(number / FPS), Scene(), WIDTH, HEIGHT, seed=number)
        frame = av.VideoFrame.from_ndarray(pixels, format="rgb24")
        made.append(frame.reformat(format="yuv420p"))
    return tuple(made)


@lru_cache(maxsize=1)
def _folder() -> "TemporaryDirectory[str]":
    return TemporaryDirectory(prefix="bench")


@lru_cache
def clip(steps: Steps = STEPS, *, half: bool = False) -> Path:
    """The frames as a VP8 file of 600 kb/s, gone when the process ends.

    ``half`` is the layer below, as an SFU would send it: 320x180 at 15 a second, 150 kb/s.
    """
    parts = 2 if half else 1
    width, height, fps = WIDTH // parts, HEIGHT // parts, FPS // parts
    path = Path(_folder().name) / f"{steps[0][0]}-{height}.mkv"
    encoder = Encoder(width, height, fps=fps, bitrate=BITRATE // parts**2)
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libvpx", rate=fps)
        stream.width, stream.height, stream.pix_fmt = width, height, "yuv420p"
        for number, frame in enumerate(frames(steps)[::parts]):
            fresh = frame.reformat(width, height) if half else frame
            for packet in encoder.encode(fresh, number):
                packet.stream, packet.time_base = stream, Fraction(1, fps)
                container.mux(packet)
    return path
