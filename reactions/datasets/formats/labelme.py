"""LabelMe: a JSON a picture with shapes; polygons and circles become the boxes around them."""

import json
from collections.abc import Iterator, Sequence
from math import dist
from pathlib import Path

from reactions.datasets.found import FoundBox, FoundPicture, split_of_path
from reactions.datasets.leaving import LeavingPicture, annotation
from reactions.datasets.parsing import JsonObject, numbers, read_json, stated_size
from reactions.datasets.problems import ProblemList
from reactions.datasets.source_tree import SourceTree


def read_labelme(tree: SourceTree, problems: ProblemList) -> Iterator[FoundPicture]:
    """The picture of each JSON with ``shapes``; flags that are set label the whole picture."""
    for path in tree.annotations(".json"):
        data = read_json(path, problems)
        if data is None:
            continue
        if not isinstance(data, JsonObject) or "shapes" not in data:
            problems.add(path, 1, "is no LabelMe annotation: no shapes")
            continue
        name = data.text("imagePath")
        picture = tree.find(name or path.stem, path) or tree.find(path.stem, path)
        if picture is None:
            problems.add(path, data.line, f"picture {name!r} is missing")
            continue
        yield FoundPicture(
            picture,
            path,
            data.line,
            tuple(_boxes(data, path, problems)),
            tuple(flag for flag, is_set in data.object("flags").items() if is_set is True),
            stated_size(data.get("imageWidth"), data.get("imageHeight")),
            split_of_path(path.relative_to(tree.root)),
        )


def _boxes(data: JsonObject, path: Path, problems: ProblemList) -> Iterator[FoundBox]:
    for shape in data.objects("shapes"):
        kind = shape.text("shape_type") or "polygon"
        edges = _edges(kind, shape.get("points"))
        if edges is None or not shape.text("label"):
            problems.add(path, shape.line, f"{kind} without a label or an area: left out")
            continue
        yield FoundBox(shape.text("label"), *edges, shape.line)


def _edges(kind: str, values: object) -> tuple[float, float, float, float] | None:
    points = values if isinstance(values, list) else []
    read = [pair for point in points if (pair := numbers(point, 2)) is not None]
    if len(read) < 2 or len(read) != len(points) or kind not in {"rectangle", "polygon", "circle"}:
        return None
    if kind == "circle":
        (x, y), radius = read[0], dist(read[0], read[1])
        return x - radius, y - radius, x + radius, y + radius
    across, down = [x for x, _ in read], [y for _, y in read]
    return min(across), min(down), max(across), max(down)


def write_labelme(pictures: Sequence[LeavingPicture], target: Path, problems: ProblemList) -> None:
    """Write pictures and JSON side by side, in a folder for each split."""
    for picture in pictures:
        folder = target / picture.record.split.value
        picture.copy(folder)
        shapes = annotation(picture).to_labelme()
        flags = dict.fromkeys(picture.record.labels, True)
        # LabelMe's own reader wants both keys that globox leaves out.
        content = {"version": "5.0.0", "flags": flags, **shapes}
        file = folder / f"{picture.stem}.json"
        file.write_text(json.dumps(content, indent=2, ensure_ascii=False), encoding="utf-8")
