"""Pictures for the media benchmarks: a mannequin's clip, as frames and as a VP8 file."""

from fractions import Fraction
from functools import lru_cache
from pathlib import Path
from tempfile import TemporaryDirectory

import av

from reactions.mannequin.choreography import Choreography
from reactions.mannequin.person import CAST
from reactions.mannequin.render import render
from reactions.mannequin.scene import Scene
from sidecar.media.encoder import Encoder

WIDTH, HEIGHT, FPS = 640, 360, 30
STEPS = (("wave", 1.5), ("thumbs_up", 1.0), ("open_palm", 1.0))
BITRATE = 600_000


@lru_cache(maxsize=1)
def frames(count: int = 90) -> tuple[av.VideoFrame, ...]:
    """The first ``count`` frames of a waving mannequin, 640x360 at 30 a second, with noise."""
    person = next(iter(CAST.values()))
    acts = Choreography(STEPS)
    made = []
    for number in range(count):
        pixels = render(person, acts.pose_at(number / FPS), Scene(), WIDTH, HEIGHT, seed=number)
        frame = av.VideoFrame.from_ndarray(pixels, format="rgb24")
        made.append(frame.reformat(format="yuv420p"))
    return tuple(made)


@lru_cache(maxsize=1)
def _folder() -> "TemporaryDirectory[str]":
    return TemporaryDirectory(prefix="bench")


@lru_cache(maxsize=1)
def clip() -> Path:
    """The frames as a VP8 file of 600 kb/s, gone when the process ends."""
    path = Path(_folder().name) / "clip.mkv"
    encoder = Encoder(WIDTH, HEIGHT, fps=FPS, bitrate=BITRATE)
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libvpx", rate=FPS)
        stream.width, stream.height, stream.pix_fmt = WIDTH, HEIGHT, "yuv420p"
        for number, frame in enumerate(frames()):
            for packet in encoder.encode(frame, number):
                packet.stream, packet.time_base = stream, Fraction(1, FPS)
                container.mux(packet)
    return path
