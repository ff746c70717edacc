"""Download pictures into a data set: the core of ``sidecar dataset collect``."""

import asyncio
import tempfile
import time
from collections.abc import Callable
from contextlib import aclosing
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Final
from urllib.parse import unquote, urlsplit

from config.errors import DatasetError, InputError, PictureError
from reactions.datasets.look import Looker
from reactions.datasets.problems import ProblemList
from reactions.datasets.records import MAX_NAME, Origin, PictureRecord, storable
from reactions.datasets.store import Dataset, content_name
from sidecar.aio import finish, run_until_first
from sidecar.datasets.picture_sources import PictureSource, WantedPicture
from sidecar.datasets.web_reader import WebReader
from sidecar.media.picture_kinds import HEAD, picture_kind

AT_ONCE: Final = 8
"""Downloads, of different hosts."""
MAX_PICTURE: Final = 32 << 20
"""Bytes of a picture."""
_SAVE_EVERY: Final = 10.0
"""Seconds between two writings of the manifest."""
_SUFFIXES: Final = {
    "JPEG": ".jpg", "PNG": ".png", "WEBP": ".webp", "GIF": ".gif", "BMP": ".bmp", "TIFF": ".tif",
    "AVIF": ".avif", "HEIF": ".heic", "JPEG2000": ".jp2",
}  # fmt: skip
_VAGUE: Final = frozenset({"application/octet-stream", "binary/octet-stream"})
"""What servers say that don't know: the content decides."""


@dataclass(slots=True)
class CollectReport:
    """Pictures that were added, that were there already, and that could not be had."""

    added: int = 0
    known: int = 0
    failed: int = 0

    @property
    def seen(self) -> int:
        """All of them."""
        return self.added + self.known + self.failed


class PictureCollection:
    """One collection into ``dataset``: what it has by URL is not fetched again."""

    def __init__(
        self,
        dataset: Dataset,
        reader: WebReader,
        look: Looker,
        problems: ProblemList,
        *,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._dataset = dataset
        self._reader = reader
        self._look = look
        self._problems = problems
        self._clock = clock
        self._known = {record.origin.url for record in dataset.records.values()}
        self._changing = asyncio.Lock()
        self._saved = clock()
        self.report = CollectReport()

    async def run(
        self, source: PictureSource, move: Callable[[float, str], None] = lambda share, what: None
    ) -> CollectReport:
        """Fetch what ``source`` names; ``move`` gets the share that is done and a host.

        The manifest is written every ten seconds and at the end, after an error too: a collection
        that was interrupted goes on there. Raises DatasetError where ``source`` can't
        be read, or the disk does not take a picture.
        """
        waiting: asyncio.Queue[WantedPicture] = asyncio.Queue(1)
        workers = (self._work(waiting, source, move) for _ in range(AT_ONCE))
        try:
            # A worker ends by failing alone, which ends all.
            await run_until_first(self._feed(waiting, source), *workers)
        finally:
            await asyncio.to_thread(self._dataset.save)
        move(1.0, "")
        return self.report

    async def _feed(self, waiting: "asyncio.Queue[WantedPicture]", source: PictureSource) -> None:
        async with aclosing(source.pictures(self._reader, self._problems)) as pictures:
            async for wanted in pictures:
                await waiting.put(wanted)
        await waiting.join()

    async def _work(
        self,
        waiting: "asyncio.Queue[WantedPicture]",
        source: PictureSource,
        move: Callable[[float, str], None],
    ) -> None:
        while True:
            wanted = await waiting.get()
            await self._take(wanted)
            move(
                min(self.report.seen / max(source.expected, 1), 1.0),
                urlsplit(wanted.url).hostname or "",
            )
            waiting.task_done()

    async def _take(self, wanted: WantedPicture) -> None:
        if wanted.url in self._known:
            self.report.known += 1
            return
        try:
            answer = await self._reader.read(wanted.url, accept="image/*")
            kind = answer.content_type
            if not kind.startswith("image/") and kind not in _VAGUE:
                raise InputError(f"is {kind}, no picture", status=415)
            added = await self._keep(wanted, answer.data)
        except OSError as error:
            what, where = str(error.strerror), str(self._dataset.folder)
            do = "free disk space, and run it again"
            raise DatasetError(what, where=where, do=do) from error
        except (InputError, PictureError) as error:
            self.report.failed += 1
            self._problems.add(*wanted.where, f"{_shown(wanted.url)}: {error.what}: left out")
            return
        self.report.added += added
        self.report.known += not added

    async def _keep(self, wanted: WantedPicture, data: bytes) -> bool:
        """Whether the picture is new; raises PictureError for what is none."""
        async with self._changing:
            # To its end, cancelled or not: the manifest is written next.
            added = await finish(asyncio.to_thread(self._add, wanted, data))
            self._known.add(wanted.url)
            if self._clock() - self._saved > _SAVE_EVERY:
                await finish(asyncio.to_thread(self._dataset.save))
                self._saved = self._clock()
        return added

    def _add(self, wanted: WantedPicture, data: bytes) -> bool:
        kind = picture_kind(data[:HEAD])
        suffix = _SUFFIXES.get(kind or "")
        if suffix is None:
            raise PictureError("is not a picture of a kind that is read")
        with tempfile.TemporaryDirectory(prefix="sidecar-dataset-") as folder:
            path = Path(folder) / f"picture{suffix}"
            path.write_bytes(data)
            file = content_name(path)
            if file in self._dataset.records:
                return False
            look = self._look(path)
            record = PictureRecord(
                file,
                _name(wanted.url, suffix),
                look.width,
                look.height,
                f"{look.bits:016x}",
                labels=(storable(wanted.label),) if wanted.label else (),
                origin=_origin(wanted),
            )
            self._dataset.put(record, path)
        return True


def _origin(wanted: WantedPicture) -> Origin:
    return Origin(
        person=wanted.person,
        author=wanted.author,
        licence=wanted.licence,
        consent=wanted.consent,
        url=wanted.url,
    ).cleaned()


def _name(url: str, suffix: str) -> str:
    """The last part of a URL's path, with the suffix that the content has."""
    stem = PurePosixPath(unquote(urlsplit(url).path)).stem
    return (storable(stem)[: MAX_NAME - 8] or "picture") + suffix


def _shown(url: str) -> str:
    """A URL without what may be secret in it."""
    return url.partition("?")[0][:200]
