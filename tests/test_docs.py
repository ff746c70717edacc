"""Links, commands, modules and files that README and docs name exist."""

import re
from pathlib import Path

import pytest

from config import reference
from sidecar.cli.app import app

ROOT = Path(__file__).parent.parent
PAGES = [
    *(ROOT / name for name in ("README.md", "CONTRIBUTING.md", "SECURITY.md", "CHANGELOG.md")),
    *sorted((ROOT / "docs").rglob("*.md")),
]
CURRENT = [page for page in PAGES if page.stem not in {"training", "model-card-hand-classifier"}]
"""Without the pages that still name modules of a former version."""
PACKAGES = ("bench", "config", "docs", "gifs", "reactions", "sidecar", "tests")
ABBREVIATED = (ROOT, ROOT / "sidecar", ROOT / "reactions", ROOT / "config")
"""Folders that a page may leave out of a path that it names."""
COMMANDS = {command.name for command in app.registered_commands} | {
    group.name for group in app.registered_groups
}
TARGETS = set(re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_relative_link_leads_somewhere(page: Path) -> None:
    links = re.findall(r"\]\((?!https?:)([^)#]+)", page.read_text(encoding="utf-8"))
    assert [link for link in links if not (page.parent / link).exists()] == []


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_command_and_target_that_is_named_exists(page: Path) -> None:
    text = page.read_text(encoding="utf-8")
    assert set(re.findall(r"(?:`|bin/)sidecar ([a-z]+)", text)) <= COMMANDS
    assert set(re.findall(r"(?:`|^)make ([a-z]+)", text, re.MULTILINE)) <= TARGETS


def test_the_reference_of_settings_is_as_it_is_made() -> None:
    text = reference.PAGE.read_text(encoding="utf-8")
    assert reference.page(text) == text, "run python -m config.reference"


def code_spans(page: Path) -> set[str]:
    """What a page puts between backticks, on one line."""
    return set(re.findall(r"`([^`\n]+)`", page.read_text(encoding="utf-8")))


def is_file_of_ours(name: str) -> bool:
    """``name`` ends the path of a module: ``recognizer.py``, ``session/session.py``."""
    if any((root / name).exists() for root in ABBREVIATED):
        return True
    return any(any((ROOT / package).rglob(name)) for package in PACKAGES)


def is_module(name: str) -> bool:
    """``name`` is a module or package, or one with a name that its source mentions."""
    parts = name.split(".")
    for count in range(len(parts), 0, -1):
        path = ROOT.joinpath(*parts[:count])
        source = path.with_suffix(".py")
        if not source.exists() and (path / "__init__.py").exists():
            source = path / "__init__.py"
        if source.exists() or path.is_dir():
            rest = parts[count:]
            text = source.read_text(encoding="utf-8") if source.exists() else ""
            return all(re.search(rf"\b{re.escape(part)}\b", text) for part in rest)
    return False


@pytest.mark.parametrize("page", CURRENT, ids=lambda page: page.name)
def test_every_module_and_file_that_is_named_exists(page: Path) -> None:
    spans = code_spans(page)
    files = {span for span in spans if re.fullmatch(r"[a-z_0-9/]+\.py", span)}
    assert sorted(name for name in files if not is_file_of_ours(name)) == []
    dotted = rf"\b((?:{'|'.join(PACKAGES)})(?:\.[A-Za-z_][A-Za-z_0-9]*)+)\b"
    text = page.read_text(encoding="utf-8")
    modules = set(re.findall(rf"(?:python -m |from |import |`){dotted}", text))
    modules -= {name for name in modules if name.endswith((".toml", ".py", ".db"))}
    assert sorted(name for name in modules if not is_module(name)) == []


def test_pre_commit_runs_what_make_lint_runs() -> None:
    hooks = (ROOT / ".pre-commit-config.yaml").read_text(encoding="utf-8")
    recipe = (ROOT / "Makefile").read_text(encoding="utf-8").partition("\nlint:")[2]
    lines = re.findall(r"^\t\$\(VENV\)/(.+)$", recipe.partition("\n\n")[0], re.MULTILINE)
    assert re.findall(r"entry: \.venv/(.+)", hooks) == lines
    assert re.findall(r"repo: (.+)", hooks) == ["local"]
