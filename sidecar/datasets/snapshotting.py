"""Take consented snapshots of live meetings: the core of ``sidecar dataset snapshot``."""

import asyncio
import io
import tempfile
from collections.abc import Awaitable, Callable, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Protocol

import numpy as np
from PIL import Image

from config.errors import DatasetError, PictureError, SidecarError
from reactions.datasets.look import ALIKE, difference_hash, differing_bits
from reactions.datasets.problems import ProblemList
from reactions.datasets.records import Origin, PictureRecord, storable
from reactions.datasets.store import Dataset, content_name
from reactions.landmark_types import RgbImage
from sidecar.aio import finish
from sidecar.datasets.snapshot_sources import SnapshotSource, TakenPicture
from sidecar.media.pictures import read_picture
from sidecar.session.snapshots import QUALITY


class Blur(Protocol):
    """Makes faces unrecognisable."""

    def blurred(self, pixels: RgbImage) -> RgbImage | None:
        """The picture without recognisable faces; None where that is uncertain."""
        ...


@dataclass(frozen=True, slots=True)
class SnapshotPlan:
    """``rounds`` times, ``every`` seconds, a picture of each participant.

    ``origin`` has the consent and the deletion date, which are needed. ``alike``: pictures of one
    participant that differ from the last in at most so many of 64 bits are left out; -1 keeps all.
    """

    origin: Origin
    every: float = 5.0
    rounds: int = 12
    alike: int = ALIKE


@dataclass(slots=True)
class SnapshotReport:
    """Pictures that were added, that looked like the last one, and in which no face was found."""

    added: int = 0
    alike: int = 0
    faceless: int = 0


class SnapshotTaking:
    """Takes snapshots into ``dataset``. With ``blur``, a picture in which no face is found is left
    out, since one may be in it all the same."""

    def __init__(
        self,
        dataset: Dataset,
        plan: SnapshotPlan,
        problems: ProblemList,
        *,
        blur: Blur | None = None,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
        sleep: Callable[[float], Awaitable[object]] = asyncio.sleep,
    ) -> None:
        if not plan.origin.consent or plan.origin.delete_after is None:
            do = "give --consent and --delete-after"
            raise DatasetError(
                "snapshots need consent and a deletion date", where="snapshot", do=do
            )
        self._dataset = dataset
        self._plan = plan
        self._problems = problems
        self._blur = blur
        self._now = now
        self._sleep = sleep
        self._last: dict[tuple[str, str], int] = {}
        """The look of each participant's last picture."""
        self.report = SnapshotReport()

    async def run(
        self,
        sources: Sequence[SnapshotSource],
        move: Callable[[float, str], None] = lambda share, what: None,
    ) -> SnapshotReport:
        """Take the pictures; ``move`` gets the share that is done and how many there are.

        A round that fails in one room is listed. Ends early where all meetings have ended. The
        manifest is written after each round, after one that was interrupted too. Raises
        SidecarError where a room can't be entered.
        """
        async with AsyncExitStack() as stack:
            for source in sources:
                await stack.enter_async_context(source)
            for done in range(self._plan.rounds):
                # The first round too: cameras take a moment to send their first frame.
                await self._sleep(self._plan.every)
                await self._take_round(sources)
                move((done + 1) / self._plan.rounds, f"{self.report.added} pictures")
                if all(source.over for source in sources):
                    break
        return self.report

    async def _take_round(self, sources: Sequence[SnapshotSource]) -> None:
        """No picture stays on disk without the line that has its consent and deletion date."""
        try:
            for source in sources:
                await self._take(source)
        finally:
            await finish(asyncio.to_thread(self._dataset.save))

    async def _take(self, source: SnapshotSource) -> None:
        try:
            taken = await source.take()
        except SidecarError as error:
            self._problems.add(source.room, 0, str(error))
            return
        for picture in taken:
            try:
                # To its end, cancelled or not: the manifest is written next.
                await finish(asyncio.to_thread(self._keep, source.room, picture))
            except PictureError as error:
                self._problems.add(source.room, 0, f"{picture.participant}: {error.what}: left out")

    def _keep(self, room: str, picture: TakenPicture) -> None:
        with tempfile.TemporaryDirectory(prefix="sidecar-dataset-") as folder:
            path = Path(folder) / "snapshot.jpg"
            path.write_bytes(picture.jpeg)
            pixels = read_picture(path).pixels
            bits = difference_hash(pixels)
            key = room, picture.participant
            if key in self._last and differing_bits(self._last[key], bits) <= self._plan.alike:
                self.report.alike += 1
                return
            if self._blur is not None:
                shown = self._blur.blurred(pixels)
                if shown is None:
                    self.report.faceless += 1
                    return
                path.write_bytes(_jpeg_bytes(shown))
                bits = difference_hash(shown)
            self._put(path, room, picture, (pixels.shape[1], pixels.shape[0]), bits)
            self._last[key] = difference_hash(pixels)

    def _put(
        self, path: Path, room: str, picture: TakenPicture, size: tuple[int, int], bits: int
    ) -> None:
        taken = self._now().astimezone(UTC)
        name = storable(f"{room}-{picture.participant}")[:150].replace("/", "_")
        record = PictureRecord(
            content_name(path),
            f"{name}-{taken:%Y%m%dT%H%M%S}.jpg",
            *size,
            f"{bits:016x}",
            origin=self._origin(room, picture, taken),
        )
        if record.file not in self._dataset.records:
            self._dataset.put(record, path)
            self.report.added += 1

    def _origin(self, room: str, picture: TakenPicture, taken: datetime) -> Origin:
        plan = self._plan.origin
        days = [day for day in (plan.delete_after, picture.delete_after) if day is not None]
        return replace(
            plan,
            person=picture.name or picture.participant,
            source=plan.source or f"{room} {taken:%Y-%m-%d}",
            consent=f"{plan.consent} ({picture.participant}, {taken:%Y-%m-%d %H:%M} UTC: "
            f"{picture.note})",
            delete_after=min(days),
        ).cleaned()


def _jpeg_bytes(pixels: RgbImage) -> bytes:
    buffer = io.BytesIO()
    Image.fromarray(np.ascontiguousarray(pixels)).save(buffer, "JPEG", quality=QUALITY)
    return buffer.getvalue()
