"""Public names are unique in the product, and its texts keep to docs/style.md."""

import ast
import re
from collections import defaultdict
from collections.abc import Iterator, Sequence
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PACKAGES = ("config", "gifs", "reactions", "sidecar")

SHARED_FUNCTIONS = {
    "main": "the entry point of a module that can be run",
    "command": "the function behind one command of the command line",
}
"""Public function names that may stand in several modules, with the reason."""

FORBIDDEN = re.compile(
    r"(?<![a-z])(anew|whoever|whatever|nobody|somebody|everybody|anybody|heeds?|told|errands?"
    r"|goodbyes?|farewells?|nets)(?![a-z])",
    re.IGNORECASE,
)
"""Words that docs/style.md rules out, alone or as a part of a name."""


@cache
def modules() -> Sequence[tuple[Path, ast.Module]]:
    paths = (path for package in PACKAGES for path in sorted((ROOT / package).rglob("*.py")))
    return [
        (path.relative_to(ROOT), ast.parse(path.read_text(encoding="utf-8"), str(path)))
        for path in paths
    ]


@pytest.fixture(scope="module", autouse=True)
def _trees() -> Iterator[None]:
    """Free the syntax trees after this module: they take a hundred megabytes."""
    yield
    modules.cache_clear()


def public(kind: type[ast.stmt] | tuple[type[ast.stmt], ...]) -> dict[str, list[str]]:
    """Where each public name of a kind is defined at the top of a module."""
    found: dict[str, list[str]] = defaultdict(list)
    for path, tree in modules():
        for node in tree.body:
            if isinstance(node, kind):
                name = getattr(node, "name", "_")
                if not name.startswith("_"):
                    found[name].append(str(path))
    return found


def test_public_classes_have_names_of_their_own() -> None:
    twice = {name: where for name, where in public(ast.ClassDef).items() if len(where) > 1}
    assert twice == {}


def test_public_functions_have_names_of_their_own() -> None:
    functions = public((ast.FunctionDef, ast.AsyncFunctionDef))
    twice = {name: where for name, where in functions.items() if len(where) > 1}
    assert {name: where for name, where in twice.items() if name not in SHARED_FUNCTIONS} == {}
    assert SHARED_FUNCTIONS.keys() <= twice.keys(), "an exception that is no longer needed"


LOG_METHODS = {"debug", "info", "warning", "error", "exception"}
REASONS = {"error", "why", "text", "cause", "problem", "message", "detail"}
"""Fields that mean the reason, and must be called so."""


LOGGED_FOR_OTHERS = Path("sidecar/aio.py")
"""Logs failures as the event that its callers name."""


def log_calls() -> Iterator[tuple[str, ast.Call]]:
    for path, tree in modules():
        for node in ast.walk(tree):
            match node:
                case ast.Call(func=ast.Attribute(value=ast.Name(id="log"), attr=method)):
                    if method in LOG_METHODS and path != LOGGED_FOR_OTHERS:
                        yield f"{path}:{node.lineno}", node
                case ast.Call(func=ast.Name(id="Contained" | "log_failure")):
                    if path != LOGGED_FOR_OTHERS:
                        yield f"{path}:{node.lineno}", node


def test_the_reason_of_a_log_event_is_called_reason() -> None:
    assert sum(1 for _ in log_calls()) > 40, "this test no longer sees what it looks for"
    wrong = [
        f"{where}: {keyword.arg}="
        for where, call in log_calls()
        for keyword in call.keywords
        if keyword.arg in REASONS
    ]
    assert wrong == []


def test_a_log_event_is_a_constant_phrase() -> None:
    def constant(call: ast.Call) -> bool:
        return bool(call.args) and isinstance(call.args[0], ast.Constant)

    assert [where for where, call in log_calls() if not constant(call)] == []


TEXTS = sorted(
    path.relative_to(ROOT)
    for pattern in ("*.py", "*.md", "*.js", "*.html", "*.toml")
    for folder in (*PACKAGES, "docs", "bench", "tests")
    for path in (ROOT / folder).rglob(pattern)
    if path.name not in {"style.md", "glossary.md", Path(__file__).name}
)
TOP = sorted(
    path.relative_to(ROOT)
    for path in (*ROOT.glob("*.md"), *(ROOT / ".ci").iterdir())
    if path.is_file() and path.suffix in {"", ".md", ".py"}
)


@pytest.mark.parametrize(
    "path", [*TEXTS, *TOP, Path("Makefile"), Path("Dockerfile"), Path("pyproject.toml")], ids=str
)
def test_texts_keep_to_plain_words(path: Path) -> None:
    lines = (ROOT / path).read_text(encoding="utf-8").splitlines()
    found = [
        f"{number}: {line.strip()}"
        for number, line in enumerate(lines, 1)
        if FORBIDDEN.search(line)
    ]
    assert found == []


def test_every_module_and_package_says_what_it_holds() -> None:
    assert [str(path) for path, tree in modules() if not ast.get_docstring(tree)] == []


def is_limit(name: str) -> bool:
    return bool(re.match(r"_?(MAX|MOST|LONGEST|LARGEST|SMALLEST)(_|$)", name))


def explained(body: list[ast.stmt]) -> Iterator[tuple[ast.expr, bool]]:
    """Each assigned name of a module, and whether a docstring follows it, or the next ones."""
    for index, node in enumerate(body):
        if isinstance(node, ast.AnnAssign | ast.Assign):
            group = body[index + 1 : index + 3]
            yield (
                node.target if isinstance(node, ast.AnnAssign) else node.targets[0],
                any(isinstance(one, ast.Expr) for one in group),
            )


def test_a_limit_says_what_it_counts() -> None:
    silent = [
        f"{path}: {target.id}"
        for path, tree in modules()
        for target, says in explained(tree.body)
        if isinstance(target, ast.Name) and is_limit(target.id) and not says
    ]
    assert silent == []
