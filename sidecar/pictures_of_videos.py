"""Look at pictures, and make pictures of videos, for data sets."""

import tempfile
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

from reactions.datasets.frame_choice import FrameChoice
from reactions.datasets.look import Look, difference_hash
from reactions.datasets.records import Origin, PictureRecord, storable
from reactions.datasets.store import Dataset, content_name
from reactions.frame_sampler import FrameSampler
from sidecar.media.container.reader import TimedFrame, VideoReader
from sidecar.media.pictures import read_picture, write_picture

_LONGEST = 256
"""Pixels of the longer side at which pictures are compared."""


def look_at(path: Path) -> Look:
    """Size and hash of the picture at ``path``; raises PictureError where it can't be decoded."""
    picture = read_picture(path, longest=_LONGEST)
    return Look(picture.width, picture.height, difference_hash(picture.pixels))


@dataclass(frozen=True, slots=True)
class ExplodeReport:
    """Frames that became pictures, that were there already, and near-duplicates left out."""

    added: int
    known: int
    duplicates: int


def explode_video(
    video: Path,
    dataset: Dataset,
    choice: FrameChoice,
    origin: Origin,
    move: Callable[[float, str], None],
) -> ExplodeReport:
    """Add the frames of ``video`` that ``choice`` takes to ``dataset``, as JPEG, with their times.

    The source is the video's name unless ``origin`` has one, so that `split_pictures` keeps its
    frames together. What was added before stays as it is. Raises PictureError for a video that
    can't be read; the frames until there are kept.
    """
    origin = replace(origin, source=origin.source or video.name).cleaned()
    sampler, added, known = FrameSampler(_LONGEST), 0, 0
    try:
        with (
            VideoReader(video) as reader,
            tempfile.TemporaryDirectory(prefix="sidecar-dataset-") as folder,
        ):
            for item in reader:
                if not isinstance(item, TimedFrame):
                    continue
                due = choice.due
                bits = difference_hash(sampler.sample(item.frame, 0.0).pixels) if due else 0
                if choice.take(bits):
                    new = _add(item, Path(folder) / "frame.jpg", video, dataset, origin)
                    added, known = added + new, known + (not new)
                move(reader.share, f"{item.time:.1f} s")
    finally:
        dataset.save()
    return ExplodeReport(added, known, choice.duplicates)


def _add(item: TimedFrame, file: Path, video: Path, dataset: Dataset, origin: Origin) -> bool:
    """Whether the frame is new to ``dataset``; ``file`` is written on the way."""
    write_picture(item.frame, file)
    name = content_name(file)
    if name in dataset.records:
        return False
    look = look_at(file)
    record = PictureRecord(
        name,
        f"{storable(video.stem)[:150]}-{round(item.time * 1000):08d}.jpg",
        look.width,
        look.height,
        f"{look.bits:016x}",
        origin=origin,
        time=round(item.time, 3),
    )
    dataset.put(record, file)
    return True
