"""What is wrong in data that is read: listed with file and line, while the rest goes on."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class DataProblem:
    """``file``:``line`` and what is wrong there; line 0 where there is none."""

    file: str
    line: int
    what: str

    def __str__(self) -> str:
        where = f"{self.file}:{self.line}" if self.line else self.file
        return f"{where}: {self.what}"


class ProblemList:
    """The problems of one import or export; files are named as seen from ``root``."""

    def __init__(self, root: Path | None = None) -> None:
        self.root = root
        self._found: list[DataProblem] = []

    def add(self, file: Path | str, line: int, what: str) -> None:
        """List that ``what`` is wrong at ``line`` of ``file``."""
        shown = str(file)
        if self.root is not None and isinstance(file, Path) and file.is_relative_to(self.root):
            shown = str(file.relative_to(self.root))
        self._found.append(DataProblem(shown, line, what))

    def __iter__(self) -> Iterator[DataProblem]:
        return iter(self._found)

    def __len__(self) -> int:
        return len(self._found)
