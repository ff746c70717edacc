"""Roboflow's zips: ``train``, ``valid`` and ``test``, with COCO JSON, YOLO texts or VOC inside."""

from collections.abc import Iterator, Sequence
from pathlib import Path

from reactions.datasets.formats.coco import read_coco, save_coco_json
from reactions.datasets.formats.voc import read_voc
from reactions.datasets.formats.yolo import read_yolo
from reactions.datasets.found import FoundPicture
from reactions.datasets.leaving import LeavingPicture, by_split, classes_of, list_unboxed
from reactions.datasets.problems import ProblemList
from reactions.datasets.records import Split
from reactions.datasets.source_tree import SourceTree

_JSON = "_annotations.coco.json"


def read_roboflow(tree: SourceTree, problems: ProblemList) -> Iterator[FoundPicture]:
    """The pictures, by the one of the three formats that is inside."""
    names = {path.name for path in tree.files}
    if _JSON in names:
        yield from read_coco(tree, problems)
    elif names & {"data.yaml", "data.yml"}:
        yield from read_yolo(tree, problems)
    elif any(name.endswith(".xml") for name in names):
        yield from read_voc(tree, problems)
    else:
        problems.add(tree.root, 0, f"holds no {_JSON}, no data.yaml and no VOC XML")


def write_roboflow(pictures: Sequence[LeavingPicture], target: Path, problems: ProblemList) -> None:
    """Write the layout of Roboflow's COCO zips; without a split, pictures are for training."""
    list_unboxed(pictures, problems, "roboflow")
    folders: dict[str, list[LeavingPicture]] = {}
    for split, members in by_split(pictures).items():
        name = "valid" if split is Split.VALIDATION else split.value or "train"
        folders.setdefault(name, []).extend(members)
    for name, members in folders.items():
        for member in members:
            member.copy(target / name)
        save_coco_json(members, classes_of(pictures), target / name / _JSON)
