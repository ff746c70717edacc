"""Pictures to teach a label with: of a folder, a clip, a data set, a pose that is written down, or
a file of landmarks."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
import numpy.typing as npt

from config.errors import ModelError, PictureError
from reactions.datasets.records import PictureRecord, Split
from reactions.datasets.store import MANIFEST, Dataset, open_dataset
from reactions.datasets.synthesizing import HEIGHT, WIDTH, Synthesis, drawn_pictures
from reactions.frame_sampler import FrameSampler
from reactions.landmark_types import RgbImage
from reactions.mannequin.pose_file import read_pose_file
from reactions.training.array_errors import UNREADABLE_ARRAYS
from sidecar.media.container.reader import TimedFrame, VideoReader
from sidecar.media.pictures import is_picture, read_picture

LONGEST: Final = 1280
"""Pixels of the longer side at which pictures are read."""
CLIP_LONGEST: Final = 640
"""Likewise of a clip's frames: those of a meeting have as many."""
CLIP_EVERY: Final = 0.2
"""Seconds between two frames of a clip that are read."""
DRAWN: Final = 40
"""Pictures of mannequins that are drawn from a pose file."""
MAX_PICTURES: Final = 200
"""Of the label, and as many of anything else; more change little and take long."""
_NAMED: Final = 8
"""Classes of a data set that an error names."""
_MAX_POSES: Final = 5_000
"""Hands of one file of landmarks."""


@dataclass(frozen=True, slots=True, eq=False)
class TeachPicture:
    """One picture; ``within`` is where the label is: left, top, right, bottom, as fractions."""

    pixels: RgbImage
    shows: bool
    within: tuple[float, float, float, float] | None = None


@dataclass(frozen=True, slots=True)
class TeachFile:
    """A picture, a clip or a pose file, which may show the label."""

    path: Path
    shows: bool
    within: tuple[float, float, float, float] | None = None
    known_as: str = ""
    """The name that it came with, where it is kept under another."""

    @property
    def name(self) -> str:
        """What people know it by."""
        return self.known_as or self.path.name


def find_teach_files(source: Path, label: str) -> list[TeachFile]:
    """The pictures and clips in ``source`` that show ``label``, and those that do not.

    A folder's files show it; where it has a folder called ``label``, that one's do, and those of
    the folders beside it show something else. Of a data set, pictures and boxes say what they show;
    pictures of its split ``test`` are left out. Raises ModelError for what holds no pictures.
    """
    if (source / MANIFEST).is_file():
        found = list(_of_dataset(open_dataset(source), label))
    elif (source / label).is_dir():
        folders = sorted(path for path in source.iterdir() if path.is_dir())
        found = [one for path in folders for one in _of_folder(path, path.name == label)]
    elif source.is_dir():
        found = _of_folder(source, shows=True)
    elif source.is_file():
        found = [TeachFile(source, shows=True)]
    else:
        raise _missing(source)
    if not any(one.shows for one in found):
        raise ModelError(f"holds no picture of {label}", where=str(source), do=_classes_of(source))
    return _thinned(found, shows=True) + _thinned(found, shows=False)


def find_other_files(source: Path, label: str) -> list[TeachFile]:
    """The pictures and clips in ``source`` that show anything but ``label``.

    Of a folder, its files and those of its folders, one called ``label`` left out. Of a data set,
    the pictures without the label; those of its split ``test`` are left out. Raises ModelError for
    what holds none.
    """
    if (source / MANIFEST).is_file():
        found = [one for one in _of_dataset(open_dataset(source), label) if not one.shows]
    elif source.is_dir():
        folders = sorted(path for path in source.iterdir() if path.is_dir() and path.name != label)
        found = [one for path in (source, *folders) for one in _of_folder(path, shows=False)]
    elif source.is_file():
        found = [TeachFile(source, shows=False)]
    else:
        raise _missing(source)
    if not found:
        do = "name a folder of pictures in which it is not shown"
        raise ModelError(f"holds no picture but of {label}", where=str(source), do=do)
    return _thinned(found, shows=False)


def _classes_of(source: Path) -> str:
    """What to do where ``source`` does not show a label: the classes that it has."""
    shown: set[str] = set()
    if (source / MANIFEST).is_file():
        shown = {name for one in open_dataset(source).records.values() for name in one.shown}
    if not shown:
        return "name a folder of pictures in which it is shown"
    names = ", ".join(map(repr, sorted(shown)[:_NAMED]))
    return f"say by --class which of its classes that is: {names}"


def _missing(source: Path) -> ModelError:
    return ModelError("is not there", where=str(source), do="name a folder, a clip or a file")


def _thinned(files: list[TeachFile], *, shows: bool) -> list[TeachFile]:
    """At most ``MAX_PICTURES`` of one kind, evenly chosen."""
    some = [one for one in files if one.shows is shows]
    return [some[round(i)] for i in np.linspace(0, len(some) - 1, min(len(some), MAX_PICTURES))]


def _of_folder(folder: Path, shows: bool) -> list[TeachFile]:
    paths = sorted(path for path in folder.iterdir() if path.is_file())
    return [TeachFile(path, shows) for path in paths if not path.name.startswith(".")]


def _of_dataset(dataset: Dataset, label: str) -> Iterator[TeachFile]:
    for record in dataset.records.values():
        if record.split is Split.TEST:
            continue
        path, boxes = dataset.path(record), _boxes(record, label)
        yield from (TeachFile(path, True, box, record.name) for box in boxes)
        if not boxes:
            yield TeachFile(path, label in record.labels, known_as=record.name)


def _boxes(record: PictureRecord, label: str) -> list[tuple[float, float, float, float]]:
    width, height = record.width, record.height
    return [
        (box.left / width, box.top / height, box.right / width, box.bottom / height)
        for box in record.boxes
        if box.label == label
    ]


def read_teach_file(file: TeachFile) -> Iterator[TeachPicture]:
    """The picture in ``file``, frames of the clip, or pictures of the pose that is written there.

    Raises PictureError for none of them, and ConfigError for a wrong pose.
    """
    if file.path.suffix.lower() == ".toml":
        yield from _drawn(file)
        return
    if is_picture(file.path):
        pixels = read_picture(file.path, longest=LONGEST).pixels
        yield TeachPicture(pixels, file.shows, file.within)
        return
    sampler, due = FrameSampler(CLIP_LONGEST), 0.0
    with VideoReader(file.path) as reader:
        for item in reader:
            if isinstance(item, TimedFrame) and item.time >= due:
                due = item.time + CLIP_EVERY
                yield TeachPicture(sampler.sample(item.frame, item.time).pixels, file.shows)


def _drawn(file: TeachFile) -> Iterator[TeachPicture]:
    work = Synthesis(read_pose_file(file.path), "pose", DRAWN)
    for pixels, box in drawn_pictures(work):
        ends = None
        if box is not None:
            ends = (box.left / WIDTH, box.top / HEIGHT, box.right / WIDTH, box.bottom / HEIGHT)
        yield TeachPicture(pixels, file.shows, ends)


@dataclass(frozen=True, slots=True, eq=False)
class LandmarkFile:
    """Landmarks of hands that show a label."""

    points: npt.NDArray[np.float32]
    """(n, 21, 2): pixels or any other unit, x right, y down, not mirrored."""
    left: npt.NDArray[np.bool_]


def read_landmark_file(path: Path) -> LandmarkFile:
    """The hands in ``path``, an ``.npz`` with ``points`` (n, 21, 2 or 3) and ``left`` (n,), which
    is false unless given. Raises ModelError."""
    try:
        with path.open("rb") as file, np.load(file) as saved:
            points = np.asarray(saved["points"], np.float32)
            count = len(points)
            left = saved["left"] if "left" in saved.files else np.zeros(count)
    except UNREADABLE_ARRAYS as error:
        do = "write points (n, 21, 2) with numpy.savez"
        raise ModelError("is no file of landmarks", where=str(path), do=do) from error
    shape = points.shape
    fits = points.ndim == 3 and shape[1] == 21 and shape[2] in (2, 3) and 0 < count <= _MAX_POSES
    if not (fits and np.isfinite(points).all() and np.shape(left) == (count,)):
        what = f"points must be finite, (n, 21, 2) with n up to {_MAX_POSES}, and left (n,)"
        raise ModelError(what, where=str(path))
    return LandmarkFile(points[:, :, :2], np.asarray(left, np.bool_))


def is_landmark_file(path: Path) -> bool:
    """Whether ``path`` holds landmarks in place of pictures, by its name."""
    return path.suffix.lower() == ".npz"


def unreadable(file: TeachFile, error: PictureError) -> str:
    """The line about a file that is left out."""
    return f"{file.name}: {error.what}"
