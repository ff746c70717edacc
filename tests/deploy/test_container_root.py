"""The image's root has what Python and its packages load, once, and nothing that was pruned."""

import re
import socket
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path, PurePosixPath
from threading import Thread

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from deploy.container import health
from deploy.container.assemble import below, copy_modules
from deploy.container.libraries import MissingLibraryError, closure, is_elf, parse_ldd
from deploy.container.pruning import PrunePattern, kept_files, parse_patterns

ROOT = Path(__file__).parents[2]
PRUNE = ROOT / "deploy/container/prune"
DOCKERFILE = (ROOT / "Dockerfile").read_text()
linux = pytest.mark.skipif(sys.platform != "linux", reason="this system has no such thing")


def pins(text: str) -> dict[str, str]:
    """The names, as one way of writing has them, and versions of ``NAME==VERSION`` lines."""
    found = re.findall(r"^([A-Za-z0-9._-]+)==([^\s;]+)", text, re.MULTILINE)
    return {re.sub(r"[-_.]+", "-", name).lower(): version for name, version in found}


def test_a_pattern_leaves_out_a_file_and_all_below_a_folder() -> None:
    pattern = PrunePattern("packages", "*/tests")
    assert pattern.matches(PurePosixPath("numpy/lib/tests/test_a.py"))
    assert pattern.matches(PurePosixPath("numpy/lib/tests"))
    assert not pattern.matches(PurePosixPath("numpy/lib/testsuite.py"))
    assert not pattern.matches(PurePosixPath("tests/test_a.py"))


@pytest.mark.parametrize("line", ["numpy/f2py", "package numpy", "python a b"])
def test_a_line_that_is_no_pattern_is_named(line: str) -> None:
    with pytest.raises(ValueError, match="line 2"):
        parse_patterns(f"# a comment\n{line}\n")


def test_only_patterns_of_the_part_count(tmp_path: Path) -> None:
    for name in ("a.py", "b.pyi", "deep/c.pyi", "deep/d.so"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).touch()
    patterns = parse_patterns("packages *.pyi\npython a.py")
    kept = [str(path.relative_to(tmp_path)) for path in kept_files(tmp_path, "packages", patterns)]
    assert kept == ["a.py", "deep/d.so"]


def test_a_library_that_is_not_here_is_named() -> None:
    with pytest.raises(MissingLibraryError, match=r"a\.so needs libgone\.so\.1"):
        parse_ldd("\tlibgone.so.1 => not found\n", Path("a.so"))


@linux
def test_the_libraries_of_a_program_are_its_loader_and_what_that_loads() -> None:
    found = closure([Path(sys.executable).resolve()])
    assert {"libc.so.6", "libm.so.6"} <= {path.name for path in found}
    assert any(path.name.startswith("ld-linux") for path in found)
    assert all(path.exists() and is_elf(path.resolve()) for path in found)


@pytest.fixture
def packages(tmp_path: Path) -> Path:
    """A folder of packages with one that fails in its third line, and has data and tests."""
    folder = tmp_path / "packages"
    (folder / "hello/tests").mkdir(parents=True)
    (folder / "hello/__init__.py").write_text("def fail():\n    # why\n    raise OSError\n")
    (folder / "hello/data.txt").write_text("data")
    (folder / "hello/tests/test_hello.py").write_text("no Python")
    return folder


def copy(packages: Path, root: Path) -> Path:
    """``packages`` in ``root``, as the image has them."""
    copy_modules(packages, "packages", parse_patterns(PRUNE.read_text()), root)
    return below(root, packages)


def test_modules_are_byte_code_alone_and_what_is_pruned_is_not_there(
    packages: Path, tmp_path: Path
) -> None:
    copied = copy(packages, tmp_path / "root")
    files = {str(path.relative_to(copied)) for path in copied.rglob("*") if path.is_file()}
    assert files == {"hello/__init__.pyc", "hello/data.txt"}


def test_byte_code_runs_without_its_source_and_names_the_line(
    packages: Path, tmp_path: Path
) -> None:
    copied = copy(packages, tmp_path / "root")
    command = [sys.executable, "-I", "-c", "import sys; sys.path.insert(0, sys.argv[1])\n"]
    command[-1] += "import hello; hello.fail()"
    run = subprocess.run([*command, str(copied)], capture_output=True, text=True, check=False)
    assert f'File "{packages}/hello/__init__.py", line 3, in fail' in run.stderr


def test_two_copies_are_alike(packages: Path, tmp_path: Path) -> None:
    one, other = (copy(packages, tmp_path / name) for name in ("one", "other"))
    names = [path.relative_to(one) for path in sorted(one.rglob("*")) if path.is_file()]
    assert [(one / name).read_bytes() for name in names] == [
        (other / name).read_bytes() for name in names
    ]


def test_the_requirements_are_the_versions_that_the_tests_passed_with() -> None:
    tested = pins((ROOT / "constraints.txt").read_text())
    for name in ("requirements.txt", "build-requirements.txt"):
        text = (ROOT / "deploy/container" / name).read_text()
        assert text.count("--hash=sha256:") >= len(pins(text))
        assert {one: tested.get(one, pin) for one, pin in pins(text).items()} == pins(text)


def test_each_dependency_is_among_the_requirements() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    wanted = {Requirement(text).name for text in project["dependencies"]}
    pinned = pins((ROOT / "deploy/container/requirements.txt").read_text())
    assert {canonicalize_name(name) for name in wanted} - pinned.keys() == set()


def test_the_image_says_the_version_of_the_project() -> None:
    version = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["version"]
    assert f"ARG VERSION={version}\n" in DOCKERFILE


def test_what_the_dockerfile_copies_is_in_its_context() -> None:
    lines = (ROOT / ".dockerignore").read_text().splitlines()
    allowed = [PurePosixPath(line[1:]) for line in lines if line.startswith("!")]
    words = [
        PurePosixPath(word)
        for line in re.findall(r"^COPY (?!--from)(.+) \S+$", DOCKERFILE, re.MULTILINE)
        for word in line.split()
    ]
    assert words
    assert [one for one in words if not any(one.is_relative_to(good) for good in allowed)] == []


class Answer(BaseHTTPRequestHandler):
    """Answers with the status that the server's ``status`` says."""

    def do_GET(self) -> None:
        assert isinstance(self.server, Answers)
        self.send_response(self.server.status if self.path == "/livez" else 404)
        self.end_headers()

    def log_message(self, *_: object) -> None:
        """Says nothing."""


class Answers(HTTPServer):
    """A server whose health is what the test says."""

    status = 200


@pytest.fixture
def server() -> Iterator[Answers]:
    with Answers(("127.0.0.1", 0), Answer) as server:
        Thread(target=server.serve_forever, daemon=True).start()
        yield server
        server.shutdown()


def test_the_health_check_passes_for_a_server_that_lives_alone(server: Answers) -> None:
    assert health.healthy(server.server_port)
    server.status = 503
    assert not health.healthy(server.server_port)


def test_the_health_check_fails_without_a_server() -> None:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        assert not health.healthy(unused.getsockname()[1])


def test_the_health_check_finds_the_port_as_the_settings_have_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("SIDECAR_SERVER__PORT", raising=False)
    assert health.port() == 8080
    (tmp_path / "sidecar.toml").write_text("[server]\nport = 9000\n")
    assert health.port() == 9000
    monkeypatch.setenv("SIDECAR_SERVER__PORT", "9001")
    assert health.port() == 9001
