"""COCO: one JSON with images, annotations (x, y, width, height in pixels) and categories."""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from reactions.datasets.found import FoundBox, FoundPicture, split_of_path
from reactions.datasets.leaving import (
    LeavingPicture,
    annotation_set,
    by_split,
    classes_of,
    list_unboxed,
)
from reactions.datasets.parsing import JsonObject, numbers, read_json, stated_size
from reactions.datasets.problems import ProblemList
from reactions.datasets.records import Split
from reactions.datasets.source_tree import SourceTree


def read_coco(tree: SourceTree, problems: ProblemList) -> Iterator[FoundPicture]:
    """The pictures of each JSON that has ``images`` and ``annotations``."""
    found = False
    for path in tree.annotations(".json"):
        data = read_json(path, problems)
        if not isinstance(data, JsonObject) or not {"images", "annotations"} <= data.keys():
            continue
        found = True
        yield from _pictures(data, path, tree, problems)
    if not found:
        problems.add(tree.root, 0, "holds no JSON with images and annotations")


def _pictures(
    data: JsonObject, path: Path, tree: SourceTree, problems: ProblemList
) -> Iterator[FoundPicture]:
    boxes = _boxes(data, path, problems)
    split = split_of_path(path.relative_to(tree.root))
    known: set[str] = set()
    for image in data.objects("images"):
        name, key = image.text("file_name"), repr(image.get("id"))
        known.add(key)
        picture = tree.find(name, path) if name else None
        if picture is None:
            problems.add(path, image.line, f"picture {name!r} is missing")
            continue
        size = stated_size(image.get("width"), image.get("height"))
        yield FoundPicture(
            picture, path, image.line, tuple(boxes.get(key, ())), size=size, split=split
        )
    for key in boxes.keys() - known:
        for box in boxes[key]:
            problems.add(path, box.line, f"no image has the id {key}: left out")


def _boxes(data: JsonObject, path: Path, problems: ProblemList) -> Mapping[str, list[FoundBox]]:
    """The boxes of each image, by its id."""
    classes = {repr(item.get("id")): item.text("name") for item in data.objects("categories")}
    boxes: dict[str, list[FoundBox]] = {}
    for item in data.objects("annotations"):
        label = classes.get(repr(item.get("category_id")))
        edges = numbers(item.get("bbox"), 4)
        if not label:
            what = f"class {item.get('category_id')!r} has no name: left out"
        elif edges is None:
            what = "has no box of four numbers: left out"
        elif item.get("iscrowd"):
            what = "is a crowd, not one thing: left out"
        else:
            x, y, width, height = edges
            box = FoundBox(label, x, y, x + width, y + height, item.line)
            boxes.setdefault(repr(item.get("image_id")), []).append(box)
            continue
        problems.add(path, item.line, what)
    return boxes


def write_coco(pictures: Sequence[LeavingPicture], target: Path, problems: ProblemList) -> None:
    """Write ``images`` and ``annotations/instances_SPLIT.json``."""
    list_unboxed(pictures, problems, "coco")
    (target / "annotations").mkdir()
    for split, members in by_split(pictures).items():
        name = "val" if split is Split.VALIDATION else split.value
        file = f"instances_{name}.json" if name else "instances.json"
        save_coco_json(members, classes_of(pictures), target / "annotations" / file)
        for member in members:
            member.copy(target / "images")


def save_coco_json(pictures: Sequence[LeavingPicture], classes: Sequence[str], path: Path) -> None:
    """Write one JSON; ``classes`` are numbered from 1, as COCO's own are."""
    annotation_set(pictures).save_coco(
        path,
        label_to_id={label: index for index, label in enumerate(classes, 1)},
        imageid_to_id={picture.name: index for index, picture in enumerate(pictures, 1)},
    )
