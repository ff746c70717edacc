"""Pascal VOC: one XML a picture, as labelImg and the devkit write it.

Layout of the VOC devkit: ``Annotations``, ``JPEGImages``, ``ImageSets/Main``. Coordinates are whole
pixels, from 0 as labelImg has them.
"""

from collections.abc import Iterator, Sequence
from pathlib import Path
from xml.etree.ElementTree import Element, ElementTree, SubElement, indent

from reactions.datasets.found import FoundBox, FoundPicture, split_named, split_of_path
from reactions.datasets.leaving import LeavingPicture, annotation, by_split, list_unboxed
from reactions.datasets.parsing import XmlElement, number, read_xml, stated_size
from reactions.datasets.problems import ProblemList
from reactions.datasets.records import Split
from reactions.datasets.source_tree import SourceTree, read_limited

_EDGES = ("xmin", "ymin", "xmax", "ymax")


def read_voc(tree: SourceTree, problems: ProblemList) -> Iterator[FoundPicture]:
    """Each XML's picture; the split is that of ``ImageSets/Main``, else of the folder's name."""
    splits = dict(_image_sets(tree, problems))
    for path in tree.annotations(".xml"):
        root = read_xml(path, problems)
        if root is None:
            continue
        if root.tag != "annotation":
            problems.add(path, root.line, f"is no VOC annotation: <{root.tag}>")
            continue
        name = root.text("filename") or root.text("path") or path.stem
        picture = tree.find(name, path) or tree.find(path.stem, path)
        if picture is None:
            problems.add(path, root.line, f"picture {name!r} is missing")
            continue
        size = root.child("size") or root
        yield FoundPicture(
            picture,
            path,
            root.line,
            tuple(_boxes(root, path, problems)),
            size=stated_size(size.text("width"), size.text("height")),
            split=splits.get(path.stem) or split_of_path(path.relative_to(tree.root)),
        )


def _image_sets(tree: SourceTree, problems: ProblemList) -> Iterator[tuple[str, Split]]:
    for path in tree.files:
        split = split_named(path.stem)
        if path.suffix == ".txt" and path.parent.name == "Main" and split:
            content = read_limited(path, problems) or b""
            for line in content.decode(errors="replace").split("\n"):
                if line.strip():
                    yield line.strip(), split


def _boxes(root: XmlElement, path: Path, problems: ProblemList) -> Iterator[FoundBox]:
    for item in root.all("object"):
        corners = item.child("bndbox")
        edges = [number(corners.text(edge)) for edge in _EDGES] if corners else []
        label = item.text("name")
        left, top, right, bottom = (*edges, None, None, None, None)[:4]
        if not label or left is None or top is None or right is None or bottom is None:
            problems.add(path, item.line, "object without a name or without four edges: left out")
            continue
        yield FoundBox(label, left, top, right, bottom, item.line)


def write_voc(pictures: Sequence[LeavingPicture], target: Path, problems: ProblemList) -> None:
    """Write the devkit's three folders."""
    list_unboxed(pictures, problems, "voc")
    (target / "Annotations").mkdir()
    for picture in pictures:
        picture.copy(target / "JPEGImages")
        file = target / "Annotations" / f"{picture.stem}.xml"
        voc_document(picture, "JPEGImages").write(file, encoding="utf-8")
    for split, members in by_split(pictures).items():
        if split:
            name = "val" if split is Split.VALIDATION else split.value
            file = target / "ImageSets" / "Main" / f"{name}.txt"
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text("".join(f"{member.stem}\n" for member in members), encoding="utf-8")


def voc_document(picture: LeavingPicture, folder: str) -> "ElementTree[Element]":
    """The XML of one picture, which is in ``folder``."""
    root = annotation(picture).to_pascal_voc()
    _complete(root, folder)
    return ElementTree(root)


def _complete(root: Element, name: str) -> None:
    """Add what globox leaves out and readers count on: TensorFlow's tutorials take the edges from
    the fifth child of an object, as whole numbers."""
    folder = Element("folder")
    folder.text = name
    root.insert(0, folder)
    size = root.find("size")
    if size is not None:
        SubElement(size, "depth").text = "3"
    for item in root.iter("object"):
        for index, (tag, text) in enumerate(
            (("pose", "Unspecified"), ("truncated", "0"), ("difficult", "0")), 1
        ):
            element = Element(tag)
            element.text = text
            item.insert(index, element)
        for edge in item.iterfind("bndbox/*"):
            edge.text = str(round(float(edge.text or 0)))
    indent(root)
