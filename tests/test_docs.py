"""Links, commands, modules and files that README and docs name exist."""

import ast
import re
import shlex
import tomllib
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import typer
import typer.main

from config import reference
from sidecar.cli.app import app

ROOT = Path(__file__).parent.parent
PAGES = [
    *(ROOT / name for name in ("README.md", "CONTRIBUTING.md", "SECURITY.md", "CHANGELOG.md")),
    *sorted((ROOT / "docs").rglob("*.md")),
]
PACKAGES = ("bench", "config", "docs", "gifs", "reactions", "sidecar", "tests")
ABBREVIATED = (ROOT, ROOT / "sidecar", ROOT / "reactions", ROOT / "config")
"""Folders that a page may leave out of a path that it names."""
COMMANDS = {command.name or "" for command in app.registered_commands} | {
    group.name or "" for group in app.registered_groups
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


def command_lines(page: Path) -> list[str]:
    """The lines of code blocks that run ``sidecar``, without comments, continuations and ``&``."""
    text = page.read_text(encoding="utf-8").replace("\\\n", " ")
    blocks = re.findall(r"^ *```[a-z]*\n(.*?)^ *```", text, re.MULTILINE | re.DOTALL)
    lines = [line.strip() for block in blocks for line in block.splitlines()]
    found = [
        re.match(r"(?:\$ )?(?:\.venv/bin/)?sidecar (.+?)(?:\s+#\s.*|\s+&)?$", line)
        for line in lines
    ]
    return [match[1] for match in found if match]


def parse(arguments: list[str]) -> None:
    """Parse a command's arguments as the program does. Raises TyperException."""
    name, *rest = arguments
    command: Any = typer.main.get_command(app)
    command = command.commands[name]
    if hasattr(command, "commands"):
        name, *rest = rest
        command = command.commands[name]
    command.make_context(name, rest)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_command_line_is_accepted_by_the_parser(page: Path) -> None:
    for line in command_lines(page):
        parse(shlex.split(line))


def test_command_lines_are_found() -> None:
    lines = [line for page in PAGES for line in command_lines(page)]
    assert {shlex.split(line)[0] for line in lines} >= {"join", "doctor", "replay", "annotate"}
    with pytest.raises(typer.TyperException, match="--bogus"):
        parse(["join", "--bogus"])


@pytest.mark.parametrize("name", sorted(COMMANDS - {"models", "config"}))
def test_the_usage_of_a_command_names_all_its_options(name: str) -> None:
    text = (ROOT / "docs" / "command-line.md").read_text(encoding="utf-8")
    section = text.partition(f"\n## sidecar {name}\n")[2].partition("\n## ")[0]
    usage = section.strip().partition("\n\n")[0]
    root: Any = typer.main.get_command(app)
    options = {option for one in root.commands[name].params for option in one.opts}
    options = {option for option in options if option.startswith("--")}
    assert set(re.findall(r"--[a-z-]+", usage)) == options - {"--config", "--reactions"}


def linked(text: str) -> set[Path]:
    """The pages under docs that README's ``text`` links to."""
    return {ROOT / link for link in re.findall(r"\]\((docs/[^)#]+\.md)", text)}


def test_readme_links_to_every_page() -> None:
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    top = set((ROOT / "docs").glob("*.md"))
    rooms = set((ROOT / "docs" / "rooms").glob("*.md"))
    more = readme.partition("\n## More\n")[2]
    assert sorted(page.name for page in top - linked(more)) == []
    assert sorted(page.name for page in rooms - linked(readme)) == []


@pytest.mark.parametrize("page", ["README.md", "docs/architecture.md"])
def test_the_map_names_every_package(page: str) -> None:
    text = (ROOT / page).read_text(encoding="utf-8")
    cells = re.findall(r"^\| (`.+?) \|", text, re.MULTILINE)
    named = {
        name.strip("/").split("/")[-1] for cell in cells for name in re.findall(r"`([^`]+)`", cell)
    }
    packages = {path.parent.name for path in (ROOT / "sidecar").glob("*/__init__.py")} | {
        "config",
        "gifs",
        "reactions",
    }
    assert sorted(packages.difference(named)) == []


def test_architecture_names_every_module_at_the_top_of_sidecar() -> None:
    text = (ROOT / "docs" / "architecture.md").read_text(encoding="utf-8")
    modules = {path.name for path in (ROOT / "sidecar").glob("[a-z]*.py")}
    assert sorted(modules - set(re.findall(r"`([a-z_]+\.py)`", text))) == []


def test_the_page_of_libraries_names_every_dependency() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    extras = project["optional-dependencies"]
    wanted = [*project["dependencies"]]
    wanted += [
        one for name, extra in extras.items() if name not in {"dev", "train"} for one in extra
    ]
    names = {re.split(r"[<>=; \[]", one)[0].lower() for one in wanted}
    text = (ROOT / "docs" / "libraries.md").read_text(encoding="utf-8").lower()
    assert sorted(name for name in names if name not in text) == []


def test_every_target_of_make_is_explained() -> None:
    page = (ROOT / "docs" / "development.md").read_text(encoding="utf-8")
    recipe = (ROOT / "Makefile").read_text(encoding="utf-8")
    targets = set(re.findall(r"^([a-z]+):.*## ", recipe, re.MULTILINE)) - {"help"}
    assert sorted(targets - set(re.findall(r"^\| `make ([a-z]+)`", page, re.MULTILINE))) == []


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


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_module_and_file_that_is_named_exists(page: Path) -> None:
    spans = code_spans(page)
    files = {span for span in spans if re.fullmatch(r"[a-z_0-9/]+\.py", span)}
    assert sorted(name for name in files if not is_file_of_ours(name)) == []
    dotted = rf"\b((?:{'|'.join(PACKAGES)})(?:\.[A-Za-z_][A-Za-z_0-9]*)+)\b"
    text = page.read_text(encoding="utf-8")
    modules = set(re.findall(rf"(?:python -m |from |import |`){dotted}", text))
    modules -= {name for name in modules if name.endswith((".toml", ".py", ".db"))}
    assert sorted(name for name in modules if not is_module(name)) == []


HEADERS = {"Allow", "ETag", "Host", "Link", "Location"}
EXTERNAL = HEADERS | {"Ada", "Dockerfile", "Reactions", "RoomService", "TaskGroup"}
"""Capitalised words between backticks that are no names of ours: headers, files, examples."""


@cache
def defined_names() -> frozenset[str]:
    """All classes, functions, methods and assigned names of the repository's Python."""
    found: set[str] = set()
    for path in (path for package in PACKAGES for path in (ROOT / package).rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            match node:
                case ast.ClassDef(name=name) | ast.FunctionDef(name=name):
                    found.add(name)
                case ast.AsyncFunctionDef(name=name):
                    found.add(name)
                case ast.Name(id=name, ctx=ast.Store()):
                    found.add(name)
    return frozenset(found)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_class_and_method_that_is_named_exists(page: Path) -> None:
    spans = (re.match(r"([A-Z]\w*[a-z]\w*)(?:\.(\w+))?(?:\(|$)", one) for one in code_spans(page))
    named = {name for match in spans if match for name in match.groups() if name}
    assert sorted(named - defined_names() - EXTERNAL) == []


def test_pre_commit_runs_what_make_lint_runs() -> None:
    hooks = (ROOT / ".pre-commit-config.yaml").read_text(encoding="utf-8")
    recipe = (ROOT / "Makefile").read_text(encoding="utf-8").partition("\nlint:")[2]
    lines = re.findall(r"^\t\$\(VENV\)/(.+)$", recipe.partition("\n\n")[0], re.MULTILINE)
    assert re.findall(r"entry: \.venv/(.+)", hooks) == lines
    assert re.findall(r"repo: (.+)", hooks) == ["local"]
