"""The order in which workers take the files of tests."""

from dataclasses import dataclass
from pathlib import Path

from tests.order import LONGEST, ROOT, spread


@dataclass(frozen=True, slots=True)
class Found:
    path: Path
    name: str


def several(*files: str) -> list[Found]:
    return [Found(ROOT / file, f"test_{number}") for file in files for number in range(3)]


def files_of(tests: list[Found]) -> list[str]:
    return [test.path.relative_to(ROOT).as_posix() for test in tests[::3]]


def test_the_tests_of_a_file_stay_together_and_none_is_lost() -> None:
    before = several(*(f"{folder}/test_{n}.py" for folder in ("sidecar", "e2e") for n in range(9)))
    after = spread(before)
    assert sorted(map(str, after)) == sorted(map(str, before))
    assert all(len({test.path for test in after[n : n + 3]}) == 1 for n in range(0, 54, 3))
    assert [test.name for test in after[:3]] == ["test_0", "test_1", "test_2"]


def test_folders_take_turns() -> None:
    files = [f"{folder}/test_{n}.py" for folder in ("reactions", "sidecar") for n in range(4)]
    folders = [file.partition("/")[0] for file in files_of(spread(several(*files)))]
    assert folders == ["reactions", "sidecar"] * 4


def test_the_longest_files_come_first() -> None:
    after = files_of(spread(several("config/test_a.py", *reversed(LONGEST))))
    assert after == [*LONGEST, "config/test_a.py"]


def test_the_longest_files_are_there() -> None:
    assert [name for name in LONGEST if not (ROOT / name).is_file()] == []
