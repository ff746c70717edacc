"""A room of clips and cameras; the session treats each as a participant."""

import asyncio
import contextlib
import time
from collections.abc import AsyncGenerator, Callable, Sequence
from functools import partial
from pathlib import Path
from typing import Final

import structlog

from config.errors import PictureError, RefusedError, RoomError
from sidecar.aio import Component, cancel_and_wait, undo_on_failure
from sidecar.media.feed import Feed
from sidecar.media.recordings import Recording, open_recording
from sidecar.rooms.base import Joined, Left, ReceiverConstraints, RoomChange, TrackSource
from sidecar.rooms.display_names import display_name, distinct
from sidecar.rooms.files.addresses import MAX_CAMERAS, Camera, Clips
from sidecar.rooms.files.cameras import CameraProblem, LiveCamera
from sidecar.rooms.files.playback import play
from sidecar.rooms.files.thread_track import Frames, ThreadTrack

log = structlog.get_logger(__name__)

SUFFIXES: Final = frozenset(
    {".3gp", ".avi", ".flv", ".gif", ".m2ts", ".m4v", ".mkv", ".mov", ".mp4", ".mpeg", ".mpg"}
    | {".mts", ".ogv", ".ts", ".webm", ".wmv"}
)
"""Which files of a folder are clips; one that is named by itself may have any name."""
FIRST: Final = 10.0
"""Seconds until entering no longer waits for cameras that have neither come nor failed."""


class _Guest(Component):
    """One clip or camera, from entering to leaving."""

    def __init__(self, name: str, frames: Frames, clock: Callable[[], float]) -> None:
        self.name = name
        self.track = ThreadTrack(name, frames)
        self.feed = Feed(self.track, clock=clock)

    async def start(self) -> None:
        await self.track.start()
        await self.feed.start()

    async def aclose(self) -> None:
        await self.feed.aclose()
        await self.track.aclose()


class _State:
    """Whether a camera is there, as its thread tells the loop."""

    def __init__(self, name: str) -> None:
        self._loop = asyncio.get_running_loop()
        self.name = name
        self.known = asyncio.Event()
        self.trouble: CameraProblem | None = None

    def tell(self, trouble: CameraProblem | None) -> None:
        """Called in the camera's thread."""
        if trouble != self.trouble:
            if trouble is None:
                log.info("camera recovered", camera=self.name)
            else:
                log.warning("camera unavailable, retrying", camera=self.name, reason=trouble.what)
        self.trouble = trouble
        with contextlib.suppress(RuntimeError):  # The loop has been closed.
            self._loop.call_soon_threadsafe(self.known.set)


class FilesRoom(Component):
    """Implements ``Room`` for clips, which end, and cameras, which come back.

    Clips play side by side from entering on, in real time; the meeting is over when the last has
    ended. A camera that drops is opened again, and its tile is stale meanwhile.
    """

    def __init__(
        self, source: Clips | Sequence[Camera], *, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._source = source
        self._clock = clock
        self._guests: list[_Guest] = []

    @property
    def name(self) -> str:
        if isinstance(self._source, Clips):
            return self._source.name
        return self._source[0].name if len(self._source) == 1 else f"{len(self._source)} cameras"

    async def start(self) -> None:
        """Begin; raises RefusedError without a clip that can be read, RoomError without a camera
        that can be reached."""
        async with undo_on_failure(self.aclose):
            if isinstance(self._source, Clips):
                await self._enter_clips(self._source.path)
            else:
                await self._enter_cameras(self._source)

    async def aclose(self) -> None:
        await asyncio.gather(*(guest.aclose() for guest in self._guests))
        self._guests.clear()

    async def changes(self) -> AsyncGenerator[RoomChange]:
        for guest in self._guests:
            yield Joined(guest.name, guest.name, guest.feed)
        playing = {asyncio.ensure_future(guest.track.over.wait()): guest for guest in self._guests}
        refused = ""
        try:
            while playing:
                done, _ = await asyncio.wait(playing, return_when=asyncio.FIRST_COMPLETED)
                for future in done:
                    guest = playing.pop(future)
                    if guest.track.refused:
                        refused = guest.track.reason
                        yield Joined(guest.name, guest.name, None, refused)
                    else:
                        yield Left(guest.name, guest.track.reason)
        finally:
            await cancel_and_wait(*playing)
        if refused:
            raise RefusedError(refused, where=self.name)

    async def publish(self, composite: TrackSource) -> None:
        """A recording has no viewers: the composite goes where the session sends it."""

    def constrain(self, participant: str, want: ReceiverConstraints) -> None:
        """A recording has one layer."""

    async def _enter_clips(self, path: Path) -> None:
        readers: list[tuple[Path, Recording]] = []
        problems: list[str] = []
        for file in await asyncio.to_thread(clips, path):
            try:
                readers.append((file, await asyncio.to_thread(_open_clip, file)))
            except PictureError as error:
                log.warning("clip left out", reason=str(error))
                problems.append(f"{file.name} {error.what}")
        if not readers:
            raise RefusedError("; ".join(problems), where=str(path))
        names = distinct(display_name(file.stem) for file, _ in readers)
        for name, (_, reader) in zip(names, readers, strict=True):
            await self._seat(name, partial(play, reader, clock=self._clock))

    async def _enter_cameras(self, cameras: Sequence[Camera]) -> None:
        states = [_State(name) for name in distinct(camera.name for camera in cameras)]
        for camera, state in zip(cameras, states, strict=True):
            await self._seat(state.name, LiveCamera(camera, state.tell).frames)
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(FIRST):
                await asyncio.gather(*(state.known.wait() for state in states))
        troubles = [(state.name, state.trouble) for state in states]
        hopeless = [f"{name}: {it.what}" for name, it in troubles if it and not it.answered]
        if len(hopeless) == len(states):
            raise RoomError("; ".join(hopeless), do="check the camera and its address")

    async def _seat(self, name: str, frames: Frames) -> None:
        guest = _Guest(name, frames, self._clock)
        self._guests.append(guest)
        await guest.start()


def _open_clip(path: Path) -> Recording:
    recording = open_recording(path)
    if recording is None:
        do = "sidecar annotate or sidecar replay take pictures"
        raise PictureError("is a still picture", where=str(path), do=do)
    return recording


def clips(path: Path) -> list[Path]:
    """The clips at ``path``: itself, or those in the folder that it is, by name.

    Raises RefusedError where there are none.
    """
    try:
        if path.is_dir():
            return _clips_in(path)
        if path.is_file():
            return [path]
        there = path.exists()
    except OSError as error:
        raise RefusedError(f"can't be looked at: {error.strerror}", where=str(path)) from error
    if there:
        do = "a webcam is named by its number: webcam:0"
        raise RefusedError("is neither a file nor a folder", where=str(path), do=do)
    do = "name a video file, a folder of them, or an address that begins with https:// or the like"
    raise RefusedError("there is no such file or folder", where=str(path), do=do)


def _clips_in(folder: Path) -> list[Path]:
    found = sorted(
        file
        for file in folder.iterdir()
        if file.suffix.lower() in SUFFIXES and not file.name.startswith(".") and file.is_file()
    )
    if not found:
        kinds = " ".join(sorted(SUFFIXES))
        raise RefusedError("this folder holds no clips", where=str(folder), do=f"put in {kinds}")
    if len(found) > MAX_CAMERAS:
        log.warning("clips left out", folder=str(folder), shown=MAX_CAMERAS, clips=len(found))
    return found[:MAX_CAMERAS]
