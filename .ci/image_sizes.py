"""The size of the image by part, and its limit."""

import hashlib
import os
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

LIMIT = 315_000_000
"""Bytes of all files, unpacked."""
_SHOWN = 2_000_000
"""Bytes from which a package has a row of its own."""
_VERSIONED = re.compile(r"(\.libs|\.cpython.*|-[0-9].*\.dist-info|\.pyc)$")


@dataclass(frozen=True, slots=True)
class ImageFile:
    """A file or link of the image; ``path`` is below its root."""

    path: Path
    size: int
    """Bytes; of a link, of what it says."""
    mode: int
    digest: str
    """SHA-256 of the content or of what the link says."""


def files(root: Path) -> Iterator[ImageFile]:
    """Everything below ``root`` but folders, in order. Each is read."""
    for path in sorted(root.rglob("*")):
        if path.is_dir() and not path.is_symlink():
            continue
        content = os.fsencode(path.readlink()) if path.is_symlink() else path.read_bytes()
        yield ImageFile(
            path.relative_to(root),
            len(content),
            path.lstat().st_mode,
            hashlib.sha256(content).hexdigest(),
        )


def part(path: Path) -> str:
    """The part of the image that the file ``path`` belongs to."""
    text = str(path)
    if text.startswith("opt/models/"):
        return "models"
    if "/site-packages/" in text:
        top = _VERSIONED.sub("", text.partition("/site-packages/")[2].partition("/")[0])
        return f"package {'PIL' if top == 'pillow' else top}"
    if re.match(r"usr/(local/)?(lib/python3|bin/python3)", text):
        return "Python and its standard library"
    if re.match(r"usr/(local/)?lib", text):
        return "libraries of the system"
    return "everything else"


def sizes(found: list[ImageFile]) -> Mapping[str, int]:
    """Bytes by part, largest first; small packages are one part."""
    total: dict[str, int] = {}
    for file in found:
        name = part(file.path)
        total[name] = total.get(name, 0) + file.size
    small = [name for name in total if name.startswith("package ") and total[name] < _SHOWN]
    total[f"{len(small)} smaller packages"] = sum(total.pop(name) for name in small)
    return dict(sorted(total.items(), key=lambda row: -row[1]))


def blocks(root: Path) -> int:
    """Bytes that the files below ``root`` take on its disk."""
    return sum(path.lstat().st_blocks * 512 for path in root.rglob("*"))


def report(root: Path) -> int:
    """Print the size of each part of the image at ``root``; return all bytes."""
    found = list(files(root))
    total = sum(file.size for file in found)
    for name, size in sizes(found).items():
        print(f"image: {size / 1e6:7.1f} MB  {name}")
    print(
        f"image: {total / 1e6:7.1f} MB in {len(found)} files ({blocks(root) / 1e6:.1f} MB on this"
        f" disk); the limit is {LIMIT / 1e6:.0f} MB"
    )
    return total


def differences(one: Path, other: Path) -> list[str]:
    """How the images at ``one`` and ``other`` differ, a line for each file."""
    first = {file.path: file for file in files(one)}
    second = {file.path: file for file in files(other)}
    lines = [f"{path} is in one alone" for path in sorted(first.keys() ^ second.keys())]
    return lines + [
        f"{path} differs: {first[path].size} and {second[path].size} bytes"
        for path in sorted(first.keys() & second.keys())
        if first[path] != second[path]
    ]
