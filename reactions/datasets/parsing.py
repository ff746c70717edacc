"""XML and JSON whose elements know their lines, and numbers out of them.

XML is read by defusedxml: entities, and so billions of laughs, and references to other files are
refused.
"""

import json
import math
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final
from xml.etree.ElementTree import Element

from config.errors import DatasetError
from reactions.datasets.problems import ProblemList
from reactions.datasets.source_tree import read_limited

_DEEPEST: Final = 200
"""Levels of JSON; annotations have about ten."""
_TOKEN: Final = re.compile(rb'"(?:[^"\\]|\\.)*"|[{}\n]', re.DOTALL)


class XmlElement:
    """An element with the line it begins at."""

    __slots__ = ("children", "line", "node")

    def __init__(self, node: Element, line: int) -> None:
        self.node = node
        self.line = line
        self.children: list[XmlElement] = []

    @property
    def tag(self) -> str:
        """Its name."""
        return str(self.node.tag)

    def all(self, tag: str) -> Iterator["XmlElement"]:
        """The children of this name."""
        return (child for child in self.children if child.tag == tag)

    def child(self, tag: str) -> "XmlElement | None":
        """The first child of this name."""
        return next(self.all(tag), None)

    def text(self, tag: str) -> str:
        """The text of the first child of this name, empty without."""
        child = self.child(tag)
        return (child.node.text or "").strip() if child else ""

    def attribute(self, name: str) -> str:
        """An attribute, empty without."""
        return self.node.get(name, "")


def read_xml(path: Path, problems: ProblemList) -> XmlElement | None:
    """The root of the XML at ``path``; lists what can't be parsed, with its line."""
    try:
        from defusedxml import DefusedXmlException
        from defusedxml.ElementTree import DefusedXMLParser, ParseError
    except ImportError as error:
        raise missing_extra(error) from error
    content = read_limited(path, problems)
    if content is None:
        return None
    builder = _Builder()
    parser = DefusedXMLParser(target=builder, forbid_dtd=True)
    builder.expat = parser.parser
    try:
        parser.feed(content)
        parser.close()
    except DefusedXmlException as error:
        problems.add(path, builder.line, f"has a DTD or entities, which are refused ({error})")
    except ParseError as error:
        problems.add(path, error.position[0], f"is broken XML: {error.msg}")
    except (ValueError, LookupError) as error:
        problems.add(path, builder.line, f"is broken XML: {error}")
    else:
        return builder.root
    return None


class _Builder:
    """Makes XmlElements of what the parser reports."""

    def __init__(self) -> None:
        self.expat: Any = None
        self.root: XmlElement | None = None
        self._open: list[XmlElement] = []

    @property
    def line(self) -> int:
        return int(self.expat.CurrentLineNumber)

    def start(self, tag: str, attributes: dict[str, str]) -> None:
        element = XmlElement(Element(tag, attributes), self.line)
        if self._open:
            self._open[-1].children.append(element)
        else:
            self.root = element
        self._open.append(element)
        if len(self._open) > _DEEPEST:
            raise ValueError(f"more than {_DEEPEST} levels")

    def end(self, tag: str) -> None:
        self._open.pop()

    def data(self, text: str) -> None:
        node = self._open[-1].node
        node.text = (node.text or "") + text

    def close(self) -> None:
        """The end of the document."""


class JsonObject(dict[str, Any]):
    """A JSON object with the line it begins at."""

    line: int = 0

    def objects(self, key: str) -> list["JsonObject"]:
        """The objects in the list under ``key``; others in it are left out."""
        return json_objects(self.get(key))

    def object(self, key: str) -> "JsonObject":
        """The object under ``key``; an empty one without."""
        value = self.get(key)
        return value if isinstance(value, JsonObject) else JsonObject()

    def text(self, key: str) -> str:
        """The text under ``key``; empty without."""
        value = self.get(key)
        return value if isinstance(value, str) else ""


def json_objects(value: object) -> list[JsonObject]:
    """The objects in ``value``, if that is a list."""
    if not isinstance(value, list):
        return []
    return [item for item in value if isinstance(item, JsonObject)]


def read_json(path: Path, problems: ProblemList) -> Any:
    """The JSON at ``path``, its objects as JsonObject; None, and listed, where it is broken."""
    content = read_limited(path, problems)
    if content is None:
        return None
    lines = iter(_object_lines(content))

    def located(pairs: list[tuple[str, Any]]) -> JsonObject:
        found = JsonObject(pairs)
        found.line = next(lines, 0)
        return found

    try:
        return json.loads(content, object_pairs_hook=located, parse_constant=_refuse_constant)
    except json.JSONDecodeError as error:
        problems.add(path, error.lineno, f"is broken JSON: {error.msg}")
    except (ValueError, RecursionError) as error:
        problems.add(path, 0, f"is broken JSON: {error}")
    return None


def _object_lines(content: bytes) -> list[int]:
    """The line at which each object begins, in the order in which objects end."""
    ended: list[int] = []
    begun: list[int] = []
    line = 1
    for token in _TOKEN.finditer(content):
        match token[0]:
            case b"\n":
                line += 1
            case b"{":
                begun.append(line)
            case b"}" if begun:
                ended.append(begun.pop())
    return ended


def _refuse_constant(name: str) -> float:
    raise ValueError(f"{name} is no number")


def number(value: object) -> float | None:
    """A finite number out of a text or a number; None for all else."""
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        return None
    try:
        found = float(value)
    except (ValueError, OverflowError):
        return None
    return found if math.isfinite(found) else None


def numbers(values: object, count: int) -> tuple[float, ...] | None:
    """Exactly ``count`` finite numbers, or None."""
    if not isinstance(values, list | tuple) or len(values) != count:
        return None
    found = [read for value in values if (read := number(value)) is not None]
    return tuple(found) if len(found) == count else None


def stated_size(width: object, height: object) -> tuple[int, int] | None:
    """Width and height where both are stated; tools write 0 where they don't know."""
    sides = numbers((width, height), 2)
    return (round(sides[0]), round(sides[1])) if sides and min(sides) >= 1 else None


def missing_extra(error: ImportError) -> DatasetError:
    """The error for a library of the extra that is not installed."""
    return DatasetError(
        f"needs {error.name}, which is not installed",
        where="sidecar dataset",
        do="pip install 'reaction-sidecar[dataset]'",
    )
