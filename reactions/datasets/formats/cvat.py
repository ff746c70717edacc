"""CVAT for images 1.1: one XML with an ``image`` a picture; polygons become boxes around them."""

from collections.abc import Iterator, Sequence
from pathlib import Path
from xml.etree.ElementTree import Element, ElementTree, SubElement, indent

from reactions.datasets.found import FoundBox, FoundPicture, split_named
from reactions.datasets.leaving import LeavingPicture, annotation
from reactions.datasets.parsing import XmlElement, number, read_xml, stated_size
from reactions.datasets.problems import ProblemList
from reactions.datasets.source_tree import SourceTree

_EDGES = ("xtl", "ytl", "xbr", "ybr")


def read_cvat(tree: SourceTree, problems: ProblemList) -> Iterator[FoundPicture]:
    """The images of each XML; a ``tag`` is a label of the whole picture."""
    for path in tree.annotations(".xml"):
        root = read_xml(path, problems)
        if root is None:
            continue
        if root.tag != "annotations":
            problems.add(path, root.line, f"is no CVAT annotation: <{root.tag}>")
            continue
        for image in root.all("image"):
            name = image.attribute("name")
            picture = tree.find(name, path)
            if picture is None:
                problems.add(path, image.line, f"picture {name!r} is missing")
                continue
            yield FoundPicture(
                picture,
                path,
                image.line,
                tuple(_boxes(image, path, problems)),
                tuple(label for tag in image.all("tag") if (label := tag.attribute("label"))),
                stated_size(image.attribute("width"), image.attribute("height")),
                split_named(image.attribute("subset")),
            )


def _boxes(image: XmlElement, path: Path, problems: ProblemList) -> Iterator[FoundBox]:
    for item in image.children:
        label = item.attribute("label")
        if item.tag == "tag":
            continue
        turned = number(item.attribute("rotation") or "0") != 0
        edges = _polygon(item) if item.tag == "polygon" else _edges(item)
        if item.tag not in {"box", "polygon"} or turned:
            what = f"<{item.tag}>{' is turned' if turned else ' is no box'}: left out"
            problems.add(path, item.line, what)
        elif not label or edges is None:
            problems.add(path, item.line, f"<{item.tag}> without label or edges: left out")
        else:
            yield FoundBox(label, *edges, item.line)


def _edges(item: XmlElement) -> tuple[float, float, float, float] | None:
    left, top, right, bottom = (number(item.attribute(edge)) for edge in _EDGES)
    if left is None or top is None or right is None or bottom is None:
        return None
    return left, top, right, bottom


def _polygon(item: XmlElement) -> tuple[float, float, float, float] | None:
    points = item.attribute("points").replace(";", ",").split(",")
    values = [found for point in points if (found := number(point)) is not None]
    if len(values) < 6 or len(values) != len(points) or len(values) % 2:
        return None
    across, down = values[::2], values[1::2]
    return min(across), min(down), max(across), max(down)


def write_cvat(pictures: Sequence[LeavingPicture], target: Path, problems: ProblemList) -> None:
    """Write ``annotations.xml`` and ``images``."""
    root = Element("annotations")
    SubElement(root, "version").text = "1.1"
    for index, picture in enumerate(pictures):
        picture.copy(target / "images")
        image = annotation(picture).to_cvat()
        image.set("id", str(index))
        if picture.record.split:
            image.set("subset", picture.record.split.value)
        for item in image:
            item.set("occluded", "0")
        for label in picture.record.labels:
            SubElement(image, "tag", {"label": label, "source": "manual"})
        root.append(image)
    indent(root)
    ElementTree(root).write(target / "annotations.xml", encoding="utf-8", xml_declaration=True)
