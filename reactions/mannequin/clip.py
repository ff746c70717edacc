"""A mannequin's loop as a video file, rendered once and kept.

A clip is cut into pieces that are drawn and encoded apart, each beginning with a key frame, so that
every core works and only small packets travel between processes.
"""

import hashlib
import os
import signal
import sys
import tempfile
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from fractions import Fraction
from functools import cache
from multiprocessing import active_children, get_context, resource_tracker
from pathlib import Path
from typing import cast

import av
import platformdirs
from av.video.codeccontext import VideoCodecContext
from av.video.stream import VideoStream

from config.errors import PictureError
from reactions.landmark_types import RgbImage
from reactions.mannequin.choreography import Choreography
from reactions.mannequin.person import Person
from reactions.mannequin.render import render
from reactions.mannequin.scene import Scene

FPS = 18
"""A webcam's rate in a dim room: smooth enough, and less to draw than its best."""
_PIECE = 36
"""Frames a piece."""
_CODEC = "libvpx"
_OPTIONS = {"deadline": "realtime", "cpu-used": "-12", "lag-in-frames": "0", "qmin": "4"}
_BITS_A_PIXEL = 0.25
"""Nothing of the drawing is lost at this rate that a viewer would miss."""

Packet = tuple[bytes, bool]
"""One frame's data, and whether it is a key frame."""


@dataclass(frozen=True, slots=True)
class Shot:
    """Everything that a clip's pictures depend on."""

    person: Person
    choreography: Choreography
    scene: Scene
    fps: int = FPS
    width: int = 640
    height: int = 360

    @property
    def length(self) -> int:
        """Frames of one round."""
        return round(self.choreography.duration * self.fps)

    def frame(self, i: int) -> RgbImage:
        """Picture ``i`` of the round."""
        pose = self.choreography.pose_at(i / self.fps)
        return render(self.person, pose, self.scene, self.width, self.height, seed=i)

    def frames(self) -> Iterator[RgbImage]:
        """One round, drawn as it is asked for: what plays while the clip is not ready."""
        return (self.frame(i) for i in range(self.length))


def render_clip(
    person: Person,
    choreography: Choreography,
    scene: Scene,
    fps: int = FPS,
    *,
    width: int = 640,
    height: int = 360,
    workers: int | None = None,
    progress: Callable[[int, int], None] = lambda done, total: None,
    folder: Path | None = None,
) -> Path:
    """The file that holds one round of ``choreography``, drawn now unless it was before.

    ``progress`` gets the frames done and in all; ``workers`` processes draw (one a core unless
    given, 1 draws in this process). ``folder`` is the platform's cache folder unless given. The
    file is complete or absent, in every case. Raises PictureError where it can't be written.
    """
    shot = Shot(person, choreography, scene, fps, width, height)
    path = (folder or clip_folder()) / f"{person.name.lower()}-{_key(shot)}.mkv"
    if path.exists():
        progress(shot.length, shot.length)
        return path
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        handle, name = tempfile.mkstemp(dir=path.parent, suffix=".part")
        os.close(handle)
        part = Path(name)
        try:
            _write(part, shot, workers or os.cpu_count() or 1, progress)
            part.replace(path)
        finally:
            with suppress(FileNotFoundError):
                part.unlink()
    except OSError as error:
        raise PictureError(
            f"the mannequin's clip can't be written: {error}",
            where=str(path.parent),
            do="make room or free the folder",
        ) from error
    return path


def clip_folder() -> Path:
    """Where clips are kept. Raises PictureError where this user has no home."""
    try:
        return platformdirs.user_cache_path("reaction-sidecar") / "mannequins"
    except RuntimeError as error:
        raise PictureError(
            "this user has no home folder to keep the mannequins' clips in",
            do="set XDG_CACHE_HOME to a folder",
        ) from error


def _write(part: Path, shot: Shot, workers: int, progress: Callable[[int, int], None]) -> None:
    done = 0
    with av.open(str(part), "w", format="matroska") as container:
        stream = cast("VideoStream", container.add_stream(_CODEC, rate=shot.fps))
        stream.width, stream.height, stream.pix_fmt = shot.width, shot.height, "yuv420p"
        clock = Fraction(1, shot.fps)
        for piece in _pieces(shot, workers):
            for data, key in piece:
                packet = av.Packet(data)
                packet.stream, packet.time_base = stream, clock
                packet.pts = packet.dts = done
                packet.duration = 1
                packet.is_keyframe = key
                container.mux(packet)
                done += 1
            progress(done, shot.length)


def _pieces(shot: Shot, workers: int) -> Iterator[list[Packet]]:
    starts = range(0, shot.length, _PIECE)
    if workers == 1 or len(starts) == 1:
        yield from (_piece(shot, start) for start in starts)
        return
    # Forking a process that may already run threads is not safe.
    pool = ProcessPoolExecutor(min(workers, len(starts)), mp_context=get_context("spawn"))
    others = set(active_children())
    pieces: list[Future[list[Packet]]] = []
    try:
        with _interrupts_held():
            pieces = [pool.submit(_piece, shot, start) for start in starts]
        for piece in pieces:
            yield piece.result()
    except BrokenProcessPool as error:
        what = "a process that draws the mannequin was ended"
        raise PictureError(what, do="free memory, and try again") from error
    finally:
        # Not by cancelling each: a pool that breaks after that fails in a thread of its own.
        pool.shutdown(wait=False, cancel_futures=True)
        if not all(piece.done() for piece in pieces):
            for process in set(active_children()) - others:
                process.terminate()
        pool.shutdown()


@contextmanager
def _interrupts_held() -> Iterator[None]:
    """Processes that are started meanwhile take no Ctrl-C: a terminal sends it to all of them, and
    this one ends the others."""
    if sys.platform == "win32":
        yield
        return
    # The start of the tracker, which comes with the first process, would let it through again.
    resource_tracker.ensure_running()
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def _piece(shot: Shot, start: int) -> list[Packet]:
    """Draw and encode the frames from ``start`` on."""
    encoder = cast("VideoCodecContext", av.CodecContext.create(_CODEC, "w"))
    encoder.width, encoder.height, encoder.pix_fmt = shot.width, shot.height, "yuv420p"
    encoder.time_base = Fraction(1, shot.fps)
    encoder.framerate = Fraction(shot.fps)
    encoder.bit_rate = int(shot.width * shot.height * shot.fps * _BITS_A_PIXEL)
    encoder.gop_size = _PIECE
    # libvpx's threads wait for each other by spinning: they cost more than all of the drawing.
    encoder.thread_count = 1
    encoder.options = _OPTIONS
    packets = []
    for i in range(start, min(start + _PIECE, shot.length)):
        frame = av.VideoFrame.from_ndarray(shot.frame(i), format="rgb24")
        frame.pts = i - start
        packets += encoder.encode(frame)
    packets += encoder.encode(None)
    return [(bytes(packet), packet.is_keyframe) for packet in packets]


def _key(shot: Shot) -> str:
    """A name for ``shot`` that changes with it and with the renderer."""
    return hashlib.sha256(f"{_renderer()}{shot!r}".encode()).hexdigest()[:16]


@cache
def _renderer() -> str:
    """A digest of this package's sources: any change of a drawing makes new clips."""
    digest = hashlib.sha256()
    for source in sorted(Path(__file__).parent.glob("*.py")):
        digest.update(source.read_bytes())
    return digest.hexdigest()
