"""Class folders: a picture's folder is its label (Teachable Machine, Model Maker, Keras)."""

from collections.abc import Iterator, Sequence
from pathlib import Path, PurePath

from reactions.datasets.found import FoundPicture, split_of_path
from reactions.datasets.leaving import LeavingPicture
from reactions.datasets.problems import ProblemList
from reactions.datasets.records import Split
from reactions.datasets.source_tree import SourceTree


def read_folders(tree: SourceTree, problems: ProblemList) -> Iterator[FoundPicture]:
    """Each picture with its folder's name; ``train``, ``val`` and ``test`` above are splits."""
    for picture in tree.pictures:
        inside = picture.relative_to(tree.root)
        if len(inside.parts) < 2:
            problems.add(picture, 0, "is in no folder, so it has no label: left out")
            continue
        split = split_of_path(PurePath(*inside.parts[:-1]))
        yield FoundPicture(picture, picture, labels=(inside.parts[-2],), split=split)


def write_folders(pictures: Sequence[LeavingPicture], target: Path, problems: ProblemList) -> None:
    """Copy each picture into its label's folder, under its split's; boxes are lost.

    A picture of two labels, or of none, has no folder, and is listed.
    """
    for picture in pictures:
        labels = sorted(set(picture.record.shown))
        if len(labels) != 1:
            what = f"shows {', '.join(labels) or 'nothing'}; a folder is one label: left out"
            problems.add(picture.name, 0, what)
            continue
        split = "val" if picture.record.split is Split.VALIDATION else picture.record.split.value
        label = labels[0]
        if label in {".", ".."} or not label.isprintable() or {"/", "\\"} & set(label):
            problems.add(picture.name, 0, f"{label!r} can't be the name of a folder: left out")
            continue
        picture.copy(target / split / label)
