"""HaGRID: JSON by picture with boxes as shares, labels and people (``user_id``)."""

import json
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

from reactions.datasets.found import FoundBox, FoundPicture, split_named, split_of_path
from reactions.datasets.leaving import LeavingPicture, by_split, list_unboxed
from reactions.datasets.parsing import JsonObject, numbers, read_json
from reactions.datasets.problems import ProblemList
from reactions.datasets.records import Origin
from reactions.datasets.source_tree import SourceTree


def read_hagrid(tree: SourceTree, problems: ProblemList) -> Iterator[FoundPicture]:
    """The pictures of each JSON (``train/call.json``, ``call.json``, …)."""
    for path in tree.annotations(".json"):
        data = read_json(path, problems)
        if data is None:
            continue
        if not isinstance(data, JsonObject):
            problems.add(path, 1, "is no HaGRID annotation")
            continue
        for name, entry in data.items():
            if not isinstance(entry, JsonObject) or "bboxes" not in entry:
                problems.add(path, getattr(entry, "line", 0), f"{name!r} has no bboxes: left out")
                continue
            picture = tree.find(name, path)
            if picture is None:
                problems.add(path, entry.line, f"picture {name!r} is missing")
                continue
            yield FoundPicture(
                picture,
                path,
                entry.line,
                tuple(_boxes(entry, path, problems)),
                split=split_named(path.stem) or split_of_path(path.relative_to(tree.root)),
                origin=replace(Origin(), person=entry.text("user_id")[:200]),
            )


def _boxes(entry: JsonObject, path: Path, problems: ProblemList) -> Iterator[FoundBox]:
    boxes, labels = entry.get("bboxes"), entry.get("labels")
    if not isinstance(boxes, list) or not isinstance(labels, list) or len(boxes) != len(labels):
        problems.add(path, entry.line, "boxes and labels differ in number: left out")
        return
    for values, label in zip(boxes, labels, strict=True):
        edges = numbers(values, 4)
        if edges is None or not isinstance(label, str):
            problems.add(path, entry.line, "box without four numbers or a label: left out")
            continue
        x, y, width, height = edges
        yield FoundBox(label, x, y, x + width, y + height, entry.line, shares=True)


def write_hagrid(pictures: Sequence[LeavingPicture], target: Path, problems: ProblemList) -> None:
    """Write ``annotations/SPLIT.json`` (``all.json`` without splits) and ``images``."""
    list_unboxed(pictures, problems, "hagrid")
    (target / "annotations").mkdir()
    for split, members in by_split(pictures).items():
        entries = {}
        for member in members:
            member.copy(target / "images")
            width, height = member.record.width, member.record.height
            entries[member.stem] = {
                "bboxes": [
                    [box.left / width, box.top / height, box.width / width, box.height / height]
                    for box in member.record.boxes
                ],
                "labels": [box.label for box in member.record.boxes],
                "user_id": member.record.origin.person,
            }
        text = json.dumps(entries, indent=1, ensure_ascii=False)
        file = target / "annotations" / f"{split.value or 'all'}.json"
        file.write_text(text, encoding="utf-8")
