"""A label that is taught before the webcam: frames come, a bundle is made, and used or dropped."""

import asyncio
import shutil
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol, TypeVar

from config.errors import HttpRefusalError, SidecarError
from sidecar.aio import Broadcast, Component, Contained, TaskSet
from sidecar.captured import failure_text
from sidecar.modelling.teach import Examples, Move, TaughtBundle
from sidecar.modelling.webcam_frames import (
    FrameReader,
    WebcamFrame,
    WebcamFrames,
    read_webcam_frame,
)

T = TypeVar("T")


class LessonPhase(StrEnum):
    """What a lesson waits for, or does."""

    RECORDING = "recording"
    TEACHING = "teaching"
    TAUGHT = "taught"
    """A bundle is made; it is to be accepted or discarded."""
    ACCEPTED = "accepted"


@dataclass(frozen=True, slots=True)
class LessonState:
    """How far a lesson is."""

    phase: LessonPhase = LessonPhase.RECORDING
    share: float = 0.0
    """Of the teaching, 0–1."""
    what: str = ""
    error: str = ""
    """Why the last teaching made nothing."""
    taught: TaughtBundle | None = None


class Teacher(Protocol):
    """Makes bundles of examples, and lets one be used. Blocks: called in a thread."""

    def teach(self, examples: Examples, move: Move) -> TaughtBundle:
        """A new bundle; raises SidecarError where the examples are too few."""
        ...

    def use(self, taught: TaughtBundle) -> None:
        """Use it from now on; raises SidecarError."""
        ...


class _StoppedError(Exception):
    """The lesson ends while it teaches."""


class WebcamLesson(Component):
    """Takes frames, teaches with them, and lets the result be accepted.

    ``make_reader`` makes what reads frames, in the thread that it then belongs to. What was made
    and is not accepted is deleted; frames are never on a disk.
    """

    def __init__(self, make_reader: Callable[[], FrameReader], teacher: Teacher) -> None:
        self._make_reader = make_reader
        self._reader: FrameReader | None = None
        self._teacher = teacher
        self._thread = ThreadPoolExecutor(1, "lesson")
        self._tasks = TaskSet(self._fail)
        self._made: TaughtBundle | None = None
        """What is to be deleted unless it is accepted; set in the lesson's thread."""
        self._stopped = threading.Event()
        self._turn = asyncio.Lock()
        """Held while the bundle is accepted or discarded."""
        self.frames = WebcamFrames()
        self.state = LessonState()
        self.changed = Broadcast()
        """After each change of ``state``."""

    async def start(self) -> None:
        """Load the models; raises ModelError."""
        await self._run(self._load)

    async def aclose(self) -> None:
        """Stop teaching, and delete what is not accepted."""
        self._stopped.set()
        await self._tasks.aclose()
        self._thread.shutdown(wait=False, cancel_futures=True)
        await asyncio.to_thread(self._thread.shutdown)
        await asyncio.to_thread(self._drop)

    def _load(self) -> FrameReader:
        if self._reader is None:
            self._reader = self._make_reader()
        return self._reader

    async def add(self, shows: bool, jpeg: bytes) -> WebcamFrame:
        """Read a frame; raises HttpRefusalError out of turn, PictureError for no small JPEG."""
        self._require(LessonPhase.RECORDING)
        number = self.frames.next_number(shows)
        try:
            frame = await self._run(lambda: read_webcam_frame(number, shows, jpeg, self._load()))
            self._require(LessonPhase.RECORDING)
            self.frames.put(frame)
        finally:
            self.frames.give_up(number)
        return frame

    def remove(self, number: int) -> None:
        """Forget one frame."""
        self._require(LessonPhase.RECORDING)
        self.frames.get(number)
        self.frames.remove(lambda frame: frame.number != number)

    def clear(self, shows: bool) -> None:
        """Forget the frames of the label, or the others: they are recorded again."""
        self._require(LessonPhase.RECORDING)
        self.frames.remove(lambda frame: frame.shows is not shows)

    def teach(self) -> None:
        """Begin to teach with the frames that there are; ``state`` says how far it is."""
        self._require(LessonPhase.RECORDING)
        self._become(LessonState(LessonPhase.TEACHING))
        self._tasks.create_task(self._teach(self.frames.examples()), name="teach")

    async def _teach(self, examples: Examples) -> None:
        loop = asyncio.get_running_loop()

        def move(share: float, what: str) -> None:
            if self._stopped.is_set():
                raise _StoppedError
            loop.call_soon_threadsafe(self._moved, share, what)

        def make() -> TaughtBundle:
            self._made = self._teacher.teach(examples, move)
            return self._made

        taught = await self._run(make)
        self._become(LessonState(LessonPhase.TAUGHT, 1.0, taught=taught))

    def _fail(self, error: Exception) -> None:
        text = str(error) if isinstance(error, SidecarError) else failure_text(error)
        self._become(LessonState(error=text))

    def _moved(self, share: float, what: str) -> None:
        if self.state.phase is LessonPhase.TEACHING:
            self._become(LessonState(LessonPhase.TEACHING, share, what))

    async def accept(self) -> None:
        """Use the bundle from now on, and forget the frames; raises SidecarError."""
        async with self._turn:
            taught = self._require(LessonPhase.TAUGHT).taught
            assert taught is not None
            await self._run(lambda: self._use(taught))
            self.frames.remove(lambda frame: False)
            self._become(LessonState(LessonPhase.ACCEPTED, 1.0, taught=taught))

    def _use(self, taught: TaughtBundle) -> None:
        self._teacher.use(taught)
        # At once: the command may end before its loop learns that the bundle is in use.
        self._made = None

    async def discard(self) -> None:
        """Delete the bundle; the frames are kept, so that some can be removed or taken again."""
        async with self._turn:
            self._require(LessonPhase.TAUGHT)
            await self._run(self._drop)
            self._become(LessonState())

    def _drop(self) -> None:
        made, self._made = self._made, None
        if made is not None and made.bundle.folder is not None:
            with Contained("bundle not deleted", folder=str(made.bundle.folder)):
                shutil.rmtree(made.bundle.folder)

    def _require(self, phase: LessonPhase) -> LessonState:
        if self.state.phase is not phase:
            what = f"is {self.state.phase}, not {phase}"
            raise HttpRefusalError(what, status=409, where="lesson", do="reload the page")
        return self.state

    def _become(self, state: LessonState) -> None:
        self.state = state
        self.changed.notify()

    async def _run(self, work: Callable[[], T]) -> T:
        return await asyncio.get_running_loop().run_in_executor(self._thread, work)
