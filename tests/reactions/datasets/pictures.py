"""Data sets of noise: pictures that differ, with boxes, labels and people."""

from pathlib import Path

import numpy as np
from PIL import Image

from reactions.datasets.formats.registry import READERS
from reactions.datasets.importing import ImportOptions, ImportReport, PictureImport
from reactions.datasets.problems import ProblemList
from reactions.datasets.records import LabelledBox, Origin, PictureRecord, Split
from reactions.datasets.source_tree import opened_source
from reactions.datasets.store import Dataset, changing_dataset, content_name
from sidecar.pictures_of_videos import look_at


def still(share: float, what: str) -> None:
    """No progress is shown."""


def draw(path: Path, seed: int, size: tuple[int, int] = (64, 48)) -> Path:
    """Write coarse noise that looks like no other seed's."""
    path.parent.mkdir(parents=True, exist_ok=True)
    noise = np.random.default_rng(seed).integers(0, 255, (9, 12, 3), np.uint8)
    Image.fromarray(noise).resize(size, Image.Resampling.NEAREST).save(path)
    return path


def record_of(
    path: Path,
    boxes: tuple[LabelledBox, ...] = (),
    split: Split = Split.NONE,
    origin: Origin | None = None,
) -> PictureRecord:
    """The record of the picture at ``path``."""
    look = look_at(path)
    return PictureRecord(
        content_name(path),
        path.name,
        look.width,
        look.height,
        f"{look.bits:016x}",
        boxes,
        split=split,
        origin=origin or Origin(),
    )


def make_dataset(folder: Path) -> Dataset:
    """Four pictures of three people, with two boxes, one, one and none."""
    boxes = LabelledBox("cup", 4, 8, 20, 24), LabelledBox("thumbs_up", 30, 2, 60, 40)
    fields = (
        (boxes, Split.TRAIN, Origin(person="ada", licence="MIT")),
        (boxes[:1], Split.TRAIN, Origin(person="ada")),
        (boxes[1:], Split.VALIDATION, Origin(person="bob")),
        ((), Split.TEST, Origin(person="cleo")),
    )
    with changing_dataset(folder, create=True) as dataset:
        for seed, given in enumerate(fields):
            path = draw(folder.parent / "drawn" / f"picture {seed}.png", seed)
            dataset.put(record_of(path, *given), path)
        dataset.save()
    return dataset


def import_into(
    folder: Path, kind: str, source: Path, options: ImportOptions | None = None
) -> tuple[Dataset, ImportReport, list[str]]:
    """The data set after an import, the report, and the problems as they are printed."""
    problems = ProblemList()
    with opened_source(source, problems) as tree, changing_dataset(folder, create=True) as dataset:
        work = PictureImport(dataset, options or ImportOptions(), look_at, problems)
        report = work.run(READERS[kind], tree, still)
    return dataset, report, [str(problem) for problem in problems]
