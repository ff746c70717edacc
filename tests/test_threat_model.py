"""Each row of the threat model names a test that there is."""

import ast
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
ROWS = re.findall(
    r"^\|.*\| `(tests/[^`]+)` \|$",
    (ROOT / "docs" / "threat-model.md").read_text(encoding="utf-8"),
    re.MULTILINE,
)


def test_each_row_names_a_test() -> None:
    text = (ROOT / "docs" / "threat-model.md").read_text(encoding="utf-8")
    rows = [line for line in text.splitlines() if line.startswith("| ")][2:]
    assert len(rows) == len(ROWS) > 10


@pytest.mark.parametrize("named", ROWS)
def test_the_named_test_exists(named: str) -> None:
    path, _, name = named.partition("::")
    tree = ast.parse((ROOT / path).read_text(encoding="utf-8"))
    tests = {
        node.name
        for node in ast.walk(tree)
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
    }
    assert name in tests
