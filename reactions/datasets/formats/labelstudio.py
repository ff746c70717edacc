"""Label Studio's JSON: tasks with results in percent of the picture."""

import json
import re
from collections.abc import Iterator, Sequence
from pathlib import Path, PurePosixPath
from typing import Any
from urllib.parse import unquote, urlsplit

from reactions.datasets.found import FoundBox, FoundPicture, split_named
from reactions.datasets.leaving import LeavingPicture
from reactions.datasets.parsing import JsonObject, json_objects, number, read_json
from reactions.datasets.problems import ProblemList
from reactions.datasets.records import PictureRecord
from reactions.datasets.source_tree import SourceTree

_UPLOADED = re.compile(r"^[0-9a-f]{8}-")
"""What Label Studio puts before the names of uploaded files."""


def read_labelstudio(tree: SourceTree, problems: ProblemList) -> Iterator[FoundPicture]:
    """The tasks of each JSON; choices label the whole picture, cancelled annotations don't count.

    The picture of a task is looked up by its file's name: Label Studio's JSON holds its own URLs.
    """
    for path in tree.annotations(".json"):
        tasks = read_json(path, problems)
        if tasks is None:
            continue
        if not isinstance(tasks, list):
            problems.add(path, 1, "is no list of Label Studio's tasks")
            continue
        for task in json_objects(tasks):
            name = _name(task)
            picture = _find(tree, name, path)
            if picture is None:
                problems.add(path, task.line, f"picture {name!r} is missing")
                continue
            results = list(_results(task))
            yield FoundPicture(
                picture,
                path,
                task.line,
                tuple(_boxes(results, path, problems)),
                tuple(dict.fromkeys(_choices(results))),
                split=split_named(task.object("data").text("split")),
            )


def _name(task: JsonObject) -> str:
    data = task.object("data")
    url = data.text("image") or next((text for text in data.values() if isinstance(text, str)), "")
    try:
        parts = urlsplit(url)
    except ValueError:
        return url
    # /data/local-files/?d=folder/picture.jpg
    return unquote(parts.query.removeprefix("d=") if parts.query else parts.path).lstrip("/")


def _find(tree: SourceTree, name: str, path: Path) -> Path | None:
    last = PurePosixPath(name).name
    plain = _UPLOADED.sub("", last)
    return tree.find(name, path) or (tree.find(plain, path) if plain != last else None)


def _results(task: JsonObject) -> Iterator[JsonObject]:
    for done in task.objects("annotations") or task.objects("completions"):
        if not done.get("was_cancelled"):
            yield from done.objects("result")


def _choices(results: Sequence[JsonObject]) -> Iterator[str]:
    for result in results:
        if result.text("type") == "choices":
            choices = result.object("value").get("choices")
            yield from (choice for choice in choices or () if isinstance(choice, str))


def _boxes(results: Sequence[JsonObject], path: Path, problems: ProblemList) -> Iterator[FoundBox]:
    for result in results:
        kind, value = result.text("type"), result.object("value")
        if kind == "choices":
            continue
        if kind != "rectanglelabels":
            problems.add(path, result.line, f"{kind!r} is no rectangle: left out")
            continue
        labels = value.get("rectanglelabels")
        x, y, width, height = (number(value.get(key)) for key in ("x", "y", "width", "height"))
        if x is None or y is None or width is None or height is None or not labels:
            problems.add(path, result.line, "rectangle without label or edges: left out")
        elif number(value.get("rotation", 0)) != 0:
            problems.add(path, result.line, "rectangle is turned: left out")
        else:
            left, top, right, bottom = (part / 100 for part in (x, y, x + width, y + height))
            label = str(labels[0]) if isinstance(labels, list) else str(labels)
            yield FoundBox(label, left, top, right, bottom, result.line, shares=True)


def write_labelstudio(
    pictures: Sequence[LeavingPicture], target: Path, problems: ProblemList
) -> None:
    """Write ``tasks.json`` and ``images``, to be served as local files."""
    tasks = []
    for index, picture in enumerate(pictures, 1):
        picture.copy(target / "images")
        data = {"image": f"/data/local-files/?d=images/{picture.name}"}
        if picture.record.split:
            data["split"] = picture.record.split.value
        results = _written(picture.record)
        tasks.append({"id": index, "data": data, "annotations": [{"result": results}]})
    text = json.dumps(tasks, indent=1, ensure_ascii=False)
    (target / "tasks.json").write_text(text, encoding="utf-8")


def _written(record: PictureRecord) -> list[dict[str, Any]]:
    across, down = 100 / record.width, 100 / record.height
    size = {"original_width": record.width, "original_height": record.height}
    results: list[dict[str, Any]] = [
        {
            "type": "rectanglelabels",
            "from_name": "label",
            "to_name": "image",
            **size,
            "value": {
                "x": box.left * across,
                "y": box.top * down,
                "width": box.width * across,
                "height": box.height * down,
                "rotation": 0,
                "rectanglelabels": [box.label],
            },
        }
        for box in record.boxes
    ]
    if record.labels:
        value = {"choices": list(record.labels)}
        results.append(
            {"type": "choices", "from_name": "choice", "to_name": "image", "value": value}
        )
    return results
