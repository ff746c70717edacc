"""YOLO: a text file a picture, ``class x y width height`` as shares, and ``data.yaml``.

Layouts that are read: ``images/train`` beside ``labels/train``, ``train/images`` beside
``train/labels``, pictures beside their texts with ``classes.txt`` (labelImg). A picture without a
text has no boxes. Polygons become the boxes around them.
"""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from reactions.datasets.found import FoundBox, FoundPicture, split_of_path
from reactions.datasets.leaving import (
    LeavingPicture,
    annotation,
    by_split,
    classes_of,
    list_unboxed,
)
from reactions.datasets.parsing import missing_extra, numbers
from reactions.datasets.problems import ProblemList
from reactions.datasets.records import Split
from reactions.datasets.source_tree import SourceTree, read_limited

_MAX_YAML = 1 << 20
"""Bytes of data.yaml."""
_DEEPEST = 50
"""Levels of brackets in it: the time that PyYAML takes grows with their square."""


def read_yolo(tree: SourceTree, problems: ProblemList) -> Iterator[FoundPicture]:
    """Each picture of the source; texts whose picture is missing are listed."""
    classes = _classes(tree, problems)
    texts = {path for path in tree.files if path.suffix == ".txt"}
    used: set[Path] = set()
    for picture in tree.pictures:
        text = next((path for path in _texts_of(picture) if path in texts), None)
        boxes: tuple[FoundBox, ...] = ()
        if text is not None:
            used.add(text)
            boxes = tuple(_boxes(text, classes, problems))
        split = split_of_path(picture.relative_to(tree.root))
        yield FoundPicture(picture, text or picture, 0, boxes, split=split)
    for text in sorted(texts - used):
        if "labels" in text.relative_to(tree.root).parts:
            problems.add(text, 0, "its picture is missing")


def _texts_of(picture: Path) -> Iterator[Path]:
    """Where the text of ``picture`` may be: as Ultralytics has it, or beside the picture."""
    parts = list(picture.with_suffix(".txt").parts)
    for index in range(len(parts) - 2, -1, -1):
        if parts[index] == "images":
            yield Path(*parts[:index], "labels", *parts[index + 1 :])
            break
    yield picture.with_suffix(".txt")


def _classes(tree: SourceTree, problems: ProblemList) -> Mapping[int, str]:
    for path in tree.files:
        if path.name in {"data.yaml", "data.yml", "dataset.yaml"}:
            return _yaml_classes(path, problems)
    for path in tree.files:
        if path.name in {"classes.txt", "obj.names", "predefined_classes.txt"}:
            content = (read_limited(path, problems) or b"").decode("utf-8-sig", "replace")
            return dict(enumerate(line.strip() for line in content.split("\n") if line.strip()))
    problems.add(tree.root, 0, "has neither data.yaml nor classes.txt: no class has a name")
    return {}


def _yaml_classes(path: Path, problems: ProblemList) -> Mapping[int, str]:
    try:
        import yaml
    except ImportError as error:
        raise missing_extra(error) from error
    content = read_limited(path, problems)
    if content is None or len(content) > _MAX_YAML:
        problems.add(path, 0, f"exceeds {_MAX_YAML >> 20} MiB")
        return {}
    try:
        depth = 0
        for token in yaml.scan(content):
            depth += isinstance(token, yaml.FlowSequenceStartToken | yaml.FlowMappingStartToken)
            depth -= isinstance(token, yaml.FlowSequenceEndToken | yaml.FlowMappingEndToken)
            if isinstance(token, yaml.AliasToken) or depth > _DEEPEST:
                what = "aliases" if depth <= _DEEPEST else f"more than {_DEEPEST} levels"
                problems.add(path, 0, f"has {what}, which are refused")
                return {}
        data = yaml.safe_load(content)
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        mark = getattr(error, "problem_mark", None)
        problems.add(path, mark.line + 1 if mark else 0, "is broken YAML")
        return {}
    names = data.get("names") if isinstance(data, dict) else None
    if isinstance(names, list):
        return {index: str(name) for index, name in enumerate(names)}
    if isinstance(names, dict):
        return {key: str(name) for key, name in names.items() if isinstance(key, int)}
    problems.add(path, 0, "has no names of classes")
    return {}


def _boxes(text: Path, classes: Mapping[int, str], problems: ProblemList) -> Iterator[FoundBox]:
    content = (read_limited(text, problems) or b"").decode("utf-8-sig", "replace")
    for line, row in enumerate(content.split("\n"), 1):
        fields = row.split()
        if not fields:
            continue
        values = numbers(fields, len(fields))
        if values is None or len(values) < 5 or values[0] != int(values[0]):
            problems.add(text, line, "is not 'class x y width height': left out")
            continue
        label = classes.get(int(values[0]))
        if label is None:
            problems.add(text, line, f"class {int(values[0])} has no name: left out")
            continue
        yield _box(label, values[1:], line)


def _box(label: str, values: Sequence[float], line: int) -> FoundBox:
    if len(values) >= 6 and len(values) % 2 == 0:
        across, down = values[::2], values[1::2]
        return FoundBox(label, min(across), min(down), max(across), max(down), line, shares=True)
    x, y, width, height = values[:4]
    half = width / 2, height / 2
    return FoundBox(label, x - half[0], y - half[1], x + half[0], y + half[1], line, shares=True)


def write_yolo(pictures: Sequence[LeavingPicture], target: Path, problems: ProblemList) -> None:
    """Write ``images``, ``labels`` and ``data.yaml`` as Ultralytics reads them."""
    try:
        import yaml
    except ImportError as error:
        raise missing_extra(error) from error
    list_unboxed(pictures, problems, "yolo")
    classes = classes_of(pictures)
    numbered = {label: index for index, label in enumerate(classes)}
    data: dict[str, object] = {"path": ".", "names": dict(enumerate(classes))}
    for split, members in by_split(pictures).items():
        # Pictures without a split are for training: data.yaml has to name some.
        folder = "val" if split is Split.VALIDATION else split.value or "train"
        data[folder] = f"images/{folder}"
        (target / "labels" / folder).mkdir(parents=True, exist_ok=True)
        for member in members:
            member.copy(target / "images" / folder)
            rows = annotation(member).to_yolo_v5(label_to_id=numbered)
            file = target / "labels" / folder / f"{member.stem}.txt"
            file.write_text(f"{rows}\n" if rows else "", encoding="utf-8")
    data.setdefault("val", data.get("test", data.get("train", "images")))
    (target / "data.yaml").write_text(
        yaml.safe_dump(data, sort_keys=False, allow_unicode=True), encoding="utf-8"
    )
