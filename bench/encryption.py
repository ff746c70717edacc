"""What end-to-end encryption costs a participant: the same frames decoded plain and encrypted.

A camera of 640x360 at 30 frames a second is encoded once. Each frame goes through the decoder of a
received stream, as it is and encrypted with a shared key, in turns; the composite's frames are
encrypted as they are for a room.
"""

import statistics
import time
from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction

import av
import numpy as np

from bench.table import Table
from sidecar.media.decoder import VideoDecoder
from sidecar.media.encoder import Encoder
from sidecar.rooms.livekit.encryption import (
    E2EE_KEY,
    FrameDecryptor,
    FrameEncryptor,
    KeyRing,
    read_ring,
)

FPS = 30
SIZES = ((640, 360, 600_000), (320, 180, 200_000), (1280, 720, 1_500_000))
"""Width, height and bits a second: a camera, its layer that tiles are sent, the composite."""


@dataclass(frozen=True, slots=True)
class EncodedFrame:
    """As the jitter buffer hands it over."""

    data: bytes
    timestamp: int


def camera(width: int, height: int, bitrate: int, count: int) -> list[bytes]:
    """Frames of a moving picture with noise, as the encoder makes them."""
    encoder = Encoder(width, height, fps=FPS, bitrate=bitrate)
    rng = np.random.default_rng(1)
    base = rng.integers(0, 255, (height * 3 // 2, width)).astype(np.uint8)
    base = (base // 8 + np.linspace(40, 180, width)).astype(np.uint8)
    frames = []
    for tick in range(count):
        picture = np.ascontiguousarray(np.roll(base, tick * 2, axis=1))
        frame = av.VideoFrame.from_ndarray(picture, format="yuv420p")
        frame.time_base = Fraction(1, FPS)
        frames += [bytes(packet) for packet in encoder.encode(frame, tick)]
    encoder.close()
    return frames


def decode(frames: list[bytes], cipher: FrameDecryptor | None) -> float:
    """Milliseconds of CPU a frame."""
    decoder = VideoDecoder("vp8")
    begun = time.thread_time()
    for number, data in enumerate(frames):
        plain = data if cipher is None else cipher.decrypt("VP8", data)
        assert plain is not None
        decoder.decode(EncodedFrame(plain, number * 90_000 // FPS))
    return (time.thread_time() - begun) / len(frames) * 1000


def encrypt(frames: list[bytes], ring: KeyRing) -> float:
    """Milliseconds of CPU a frame."""
    encryptor = FrameEncryptor(ring)
    begun = time.thread_time()
    for data in frames:
        encryptor.encrypt(data)
    return (time.thread_time() - begun) / len(frames) * 1000


def measure(quick: bool) -> Iterator[Table]:
    """Cost of a received camera and of the composite, and of the keys."""
    ring = read_ring({E2EE_KEY: "correct horse battery staple"})
    assert ring is not None
    begun = time.thread_time()
    ring.own_cipher()
    derivation = (time.thread_time() - begun) * 1000
    table = Table(
        "End-to-end encryption in LiveKit rooms",
        ("frames of", "bytes a frame", "decode ms", "with decryption ms", "more", "encrypt ms",
         "core at 30 fps: decrypt", "encrypt"),
        "CPU time of one thread a frame, medians; plain and encrypted in turns. Deriving the key "
        f"takes {derivation:.0f} ms, once a room.",
    )  # fmt: skip
    rounds, count = (3, 60) if quick else (9, 300)
    for width, height, bitrate in SIZES:
        plain = camera(width, height, bitrate, count)
        sealed = [FrameEncryptor(ring).encrypt(data) for data in plain]
        decoded, decrypted, encrypted = [], [], []
        for _ in range(rounds):
            decoded.append(decode(plain, None))
            decrypted.append(decode(sealed, FrameDecryptor(ring.sender("camera"), b"", print)))
            encrypted.append(encrypt(plain, ring))
        usual, whole, own = map(statistics.median, (decoded, decrypted, encrypted))
        more = whole - usual
        table.add(
            f"{width}x{height}", round(statistics.mean(map(len, plain))), usual, whole,
            f"{more / usual:.1%}", own, f"{more * FPS / 1000:.2%}", f"{own * FPS / 1000:.2%}",
        )  # fmt: skip
    yield table
