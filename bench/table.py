"""What every benchmark hands in: small tables, and the machine that they were measured on."""

import importlib.metadata
import os
import platform
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

LIBRARIES = ("aiortc", "av", "numpy", "ai-edge-litert")


@dataclass(slots=True)
class Table:
    """One result: a title, what was done, and rows of figures with their units in the headings."""

    title: str
    columns: Sequence[str]
    note: str = ""
    rows: list[tuple[str, ...]] = field(default_factory=list)

    def add(self, *cells: object) -> None:
        """Add a row; floats are given three significant digits. Raises ValueError if too short."""
        if len(cells) != len(self.columns):
            raise ValueError(f"{self.title}: {len(cells)} cells for {len(self.columns)} columns")
        self.rows.append(tuple(_cell(cell) for cell in cells))

    def markdown(self) -> str:
        """The table in Markdown, its columns lined up, under a heading."""
        lines = [tuple(self.columns), *self.rows]
        widths = [max(len(line[n]) for line in lines) for n in range(len(self.columns))]
        rule = tuple("-" * width for width in widths)
        body = "\n".join(
            "| " + " | ".join(c.ljust(w) for c, w in zip(line, widths, strict=True)) + " |"
            for line in [lines[0], rule, *self.rows]
        )
        return "\n\n".join(filter(None, [f"## {self.title}", self.note, body]))


def _cell(value: object) -> str:
    if not isinstance(value, float):
        return str(value)
    digits = f"{value:.3g}"
    return f"{value:.0f}" if "e" in digits else digits


def machine() -> str:
    """The processor, its cores, the system, Python and the libraries that the figures rest on."""
    libraries = ", ".join(f"{name} {_version(name)}" for name in LIBRARIES)
    return (
        f"{_processor()}, {os.cpu_count()} cores, {platform.system()} {platform.machine()}, "
        f"Python {platform.python_version()}, {libraries}"
    )


def _processor() -> str:
    info = Path("/proc/cpuinfo")
    if info.exists():
        for line in info.read_text().splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    return platform.processor() or platform.machine()


def _version(name: str) -> str:
    try:
        return importlib.metadata.version(name)
    except importlib.metadata.PackageNotFoundError:
        return "missing"
