"""What is left out of the image: patterns for files of the standard library and of packages."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import Path, PurePosixPath

PARTS = ("python", "packages")
"""The standard library, and the environment's site-packages."""


@dataclass(frozen=True, slots=True)
class PrunePattern:
    """One line of the list."""

    part: str
    pattern: str

    def matches(self, path: PurePosixPath) -> bool:
        """Whether ``path``, below the part's folder, or a folder above it is left out."""
        above = [*path.parents][:-1]
        return any(fnmatchcase(str(one), self.pattern) for one in (path, *above))


def parse_patterns(text: str) -> Sequence[PrunePattern]:
    """The patterns of a list: ``PART PATTERN`` a line, ``#`` begins a comment.

    Raises ValueError with the line's number where a line is none of these.
    """
    found = []
    for number, line in enumerate(text.splitlines(), 1):
        words = line.split()
        if not words or words[0].startswith("#"):
            continue
        if len(words) != 2 or words[0] not in PARTS:
            raise ValueError(
                f"line {number}: {line!r} is not 'python PATTERN' or 'packages PATTERN'"
            )
        found.append(PrunePattern(words[0], words[1]))
    return tuple(found)


def kept_files(folder: Path, part: str, patterns: Sequence[PrunePattern]) -> Iterator[Path]:
    """The files and links below ``folder`` that no pattern of ``part`` leaves out, in order."""
    own = [pattern for pattern in patterns if pattern.part == part]
    for path in sorted(folder.rglob("*")):
        if path.is_dir() and not path.is_symlink():
            continue
        below = PurePosixPath(path.relative_to(folder))
        if not any(pattern.matches(below) for pattern in own):
            yield path
