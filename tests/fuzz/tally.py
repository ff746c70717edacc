"""Counts of many runs, added up in a file: ``python -m tests.fuzz --tally FILE``."""

import json
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field, fields
from pathlib import Path
from typing import Self

from tests.fuzz.worker import FuzzCount


@dataclass(slots=True)
class TargetTally:
    """What came of one target's inputs in all runs."""

    inputs: int = 0
    accepted: int = 0
    faults: int = 0
    slowest: float = 0.0
    """CPU seconds."""
    megabytes: int = 0
    seconds: float = 0.0
    seeds: list[int] = field(default_factory=list)

    def add(self, count: FuzzCount, seed: int) -> None:
        self.inputs += count.inputs
        self.accepted += count.accepted
        self.faults += count.faults
        self.slowest = max(self.slowest, count.slowest)
        self.megabytes = max(self.megabytes, count.megabytes)
        self.seconds += count.seconds
        if seed not in self.seeds:
            self.seeds.append(seed)


class FuzzTally:
    """The tallies of all targets in one file, written whole after each addition."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self.targets: dict[str, TargetTally] = {}

    @classmethod
    def read(cls, path: Path) -> Self:
        """Go on with ``path``, which need not be there yet."""
        tally = cls(path)
        if path.exists():
            known = {one.name for one in fields(TargetTally)}
            for name, values in json.loads(path.read_text(encoding="utf-8")).items():
                tally.targets[name] = TargetTally(
                    **{key: value for key, value in values.items() if key in known}
                )
        return tally

    def inputs(self, name: str) -> int:
        """How many inputs the target ``name`` has had."""
        return self.targets[name].inputs if name in self.targets else 0

    def add(self, count: FuzzCount, seed: int) -> None:
        """Add what one run of one target came to."""
        self.targets.setdefault(count.name, TargetTally()).add(count, seed)
        text = json.dumps({name: asdict(one) for name, one in self.targets.items()}, indent=1)
        self._path.parent.mkdir(parents=True, exist_ok=True)
        new = self._path.with_name(f"{self._path.name}.new")
        new.write_text(text, encoding="utf-8")
        new.replace(self._path)

    def table(self) -> Iterator[str]:
        """Rows of Markdown, a target each, and the sum."""
        yield "| target | inputs | accepted | faults | slowest ms (CPU) | memory MB |"
        yield "| --- | --- | --- | --- | --- | --- |"
        for name, one in sorted(self.targets.items()):
            numbers = (one.inputs, one.accepted, one.faults, round(one.slowest * 1000))
            cells = [f"`{name}`", *(f"{number:,}" for number in numbers), str(one.megabytes)]
            yield f"| {' | '.join(cells)} |"
        inputs = sum(one.inputs for one in self.targets.values())
        faults = sum(one.faults for one in self.targets.values())
        yield f"| all | {inputs:,} | | {faults:,} | | |"
