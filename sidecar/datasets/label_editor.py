"""The pictures of one data set while people label them: what the labelling page reads and saves."""

import asyncio
from collections import deque
from collections.abc import Callable, Collection, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from io import BytesIO
from pathlib import Path
from typing import Final

import structlog
from PIL import Image

from config.errors import HttpRefusalError, JournalError, NotFoundError, PictureError
from reactions.datasets.formats.voc import voc_document
from reactions.datasets.leaving import LeavingPicture
from reactions.datasets.opinions import (
    Doubt,
    ModelOpinion,
    OpinionFile,
    PictureJudge,
    doubts_of,
)
from reactions.datasets.records import LabelledBox, PictureRecord
from reactions.datasets.store import Dataset, whole_file
from sidecar.aio import Broadcast, Component, Contained, TaskSet
from sidecar.media.pictures import read_picture

log = structlog.get_logger(__name__)

THUMBNAIL: Final = 176
"""Pixels of a thumbnail's longer side: twice what the list shows, for dense screens."""
VIEW: Final = 1920
"""Pixels of the longer side of a picture of a kind that browsers don't show."""


@dataclass(frozen=True, slots=True)
class EditedPicture:
    """A picture, how often its labels were saved here, and what the recogniser thinks of them.

    ``opinion`` is None while the recogniser has not looked at the picture.
    """

    record: PictureRecord
    revision: int
    opinion: ModelOpinion | None
    doubts: tuple[Doubt, ...]


class LabelEditor(Component):
    """Edits ``dataset``, which no other command changes meanwhile.

    ``judge`` looks at all pictures, in a thread of its own: first at those that were asked for,
    then at the rest in their order. It judges the labels ``judged``; without a ``judge`` there are
    no proposals. ``model`` is its name.
    """

    def __init__(
        self,
        dataset: Dataset,
        judge: PictureJudge | None = None,
        *,
        model: str = "",
        judged: Collection[str] = (),
    ) -> None:
        self._dataset = dataset
        self._judge = judge
        self._judged = judged
        self._opinions = OpinionFile(dataset, model)
        self._revisions: dict[str, int] = {}
        self._wanted: deque[str] = deque(maxlen=8)
        self._left = deque(dataset.records)
        self._failed: set[str] = set()
        self.done = judge is None
        """Whether no picture is left to look at."""
        self._log: list[str] = []
        """The pictures in the order in which they were looked at."""
        self.changed = Broadcast()
        """After each picture that was looked at."""
        self._disk = ThreadPoolExecutor(1, "labels")
        self._pictures = ThreadPoolExecutor(2, "thumbnails")
        self._models = ThreadPoolExecutor(1, "recogniser")
        self._tasks = TaskSet()

    async def start(self) -> None:
        """Let the recogniser begin."""
        if self._judge is not None:
            self._tasks.create_task(self._look_at_all(self._judge), name="recogniser")

    async def stop_looking(self) -> None:
        """Let the recogniser end; pages that wait for its news are answered."""
        await self._tasks.aclose()
        self.done = True
        self.changed.notify()

    async def aclose(self) -> None:
        """End what runs; what was saved is on disk."""
        await self.stop_looking()
        await asyncio.to_thread(self._shut_down)

    def _shut_down(self) -> None:
        for pool in (self._pictures, self._models):
            pool.shutdown(wait=True, cancel_futures=True)
        # Labels that wait to be written are not lost.
        self._disk.shutdown(wait=True)

    @property
    def name(self) -> str:
        """What the data set is called: its folder's name."""
        return self._dataset.folder.resolve().name

    @property
    def looks(self) -> bool:
        """Whether a recogniser looks at the pictures."""
        return self._judge is not None

    def pictures(self) -> Sequence[EditedPicture]:
        """All of them, in the order of the data set."""
        return [self._edited(record) for record in self._dataset.records.values()]

    def picture(self, file: str) -> EditedPicture:
        """The picture ``file``; raises NotFoundError. The recogniser looks at it next."""
        record = self._record(file)
        if self._opinions.get(file) is None:
            self._wanted.append(file)
        return self._edited(record)

    def looked_at(self, after: int) -> tuple[int, Sequence[EditedPicture]]:
        """The pictures that were looked at since ``after`` of them, and how many there are now."""
        new = self._log[max(after, 0) :]
        records = (self._dataset.records.get(file) for file in new)
        return len(self._log), [self._edited(record) for record in records if record is not None]

    def path(self, file: str) -> Path:
        """Where the picture's file is; raises NotFoundError."""
        return self._dataset.path(self._record(file))

    async def save(
        self, file: str, boxes: tuple[LabelledBox, ...], labels: tuple[str, ...], revision: int
    ) -> EditedPicture:
        """Replace the labels of ``file``: on disk when this returns, as VOC XML too.

        Raises HttpRefusalError 409 where ``revision`` is not the newest: another page has saved
        meanwhile, NotFoundError, and JournalError where the disk does not take it.
        """
        record = self._record(file)
        if revision != self._revisions.get(file, 0):
            what = "another page has changed the labels of this picture"
            raise HttpRefusalError(what, status=409, where=record.name, do="load it again")
        changed = replace(record, boxes=boxes, labels=labels)
        self._revisions[file] = revision + 1
        loop = asyncio.get_running_loop()
        writing = loop.run_in_executor(self._disk, self._write, changed)
        try:
            # Not cancelled with the request: a page that is closed sends its last labels so.
            await asyncio.shield(writing)
        except OSError as error:
            self._revisions[file] -= 1
            what = f"the labels can't be written: {error.strerror}"
            raise JournalError(what, where=record.name, do="free disk space") from error
        return self._edited(changed)

    async def thumbnail(self, file: str) -> bytes:
        """A small JPEG of the picture, made once; raises NotFoundError, PictureError."""
        record = self._record(file)
        path, kept = self._dataset.path(record), self._dataset.thumbnail(record)
        return await self._in_pool(lambda: _kept_thumbnail(path, kept))

    async def view(self, file: str) -> bytes:
        """A JPEG of the picture that fills a screen; raises NotFoundError, PictureError."""
        path = self.path(file)
        return await self._in_pool(lambda: _jpeg(path, VIEW))

    async def _in_pool(self, work: Callable[[], bytes]) -> bytes:
        return await asyncio.get_running_loop().run_in_executor(self._pictures, work)

    def _write(self, record: PictureRecord) -> None:
        before = self._dataset.records[record.file]
        self._dataset.put(record)
        try:
            self._write_voc(record)
            self._dataset.save()
        except OSError:
            # A page that is loaded next must not show labels that are not on disk.
            self._dataset.put(before)
            raise

    def _write_voc(self, record: PictureRecord) -> None:
        annotation = self._dataset.annotation(record)
        annotation.parent.mkdir(exist_ok=True)
        folder = self._dataset.path(record).parent.relative_to(self._dataset.folder)
        leaving = LeavingPicture(record, self._dataset.path(record), record.file)
        with whole_file(annotation) as partial:
            voc_document(leaving, folder.as_posix()).write(partial, encoding="utf-8")

    def _record(self, file: str) -> PictureRecord:
        record = self._dataset.records.get(file)
        if record is None:
            raise NotFoundError("there is no such picture", where=file[:80])
        return record

    def _edited(self, record: PictureRecord) -> EditedPicture:
        opinion = self._opinions.get(record.file)
        doubts = () if opinion is None else doubts_of(record, opinion, self._judged)
        return EditedPicture(record, self._revisions.get(record.file, 0), opinion, doubts)

    async def _look_at_all(self, judge: PictureJudge) -> None:
        loop = asyncio.get_running_loop()
        while (record := self._next()) is not None:
            try:
                opinion = await loop.run_in_executor(
                    self._models, judge, record, self._dataset.path(record)
                )
            except PictureError as error:
                log.warning("picture not read", picture=record.name, reason=str(error))
                self._failed.add(record.file)
                continue
            with Contained("opinion not kept", picture=record.name):
                await loop.run_in_executor(self._disk, self._opinions.put, opinion)
            self._log.append(record.file)
            self.changed.notify()
        self.done = True
        self.changed.notify()

    def _next(self) -> PictureRecord | None:
        """The next picture to look at: the newest that was asked for, else the first."""
        while self._wanted or self._left:
            file = self._wanted.pop() if self._wanted else self._left.popleft()
            if self._open(file):
                return self._dataset.records[file]
        return None

    def _open(self, file: str) -> bool:
        return self._opinions.get(file) is None and file not in self._failed


def _kept_thumbnail(path: Path, kept: Path) -> bytes:
    if kept.is_file():
        return kept.read_bytes()
    data = _jpeg(path, THUMBNAIL)
    kept.parent.mkdir(parents=True, exist_ok=True)
    with whole_file(kept) as partial:
        partial.write_bytes(data)
    return data


def _jpeg(path: Path, longest: int) -> bytes:
    buffer = BytesIO()
    Image.fromarray(read_picture(path, longest=longest).pixels).save(buffer, "JPEG", quality=85)
    return buffer.getvalue()
