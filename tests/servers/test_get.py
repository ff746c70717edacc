"""Servers that are installed or built, by stand-ins for ``apt-get`` and ``go``."""

import os
import stat
from dataclasses import replace
from pathlib import Path

import pytest

from tests.servers import find as finding
from tests.servers import get as getting
from tests.servers.find import CHECKSUM, MissingError, Server, cached, digest, find
from tests.servers.get import get

BUILT = Server("toy", "toy-server", module="example.org/toy/cmd/server", version="v1")
WITH_FILES = Server("toy", "toy-server", module="example.org/toy", version="v2", files=("static",))
PACKAGED = Server("toy", "toy-server", package="toy")

GO = """#!/bin/sh
case "$1" in
install)
    [ -e "$BROKEN" ] && { echo "no such module: $4" >&2; exit 1; }
    mkdir -p "$GOBIN"; echo "built from $4" > "$GOBIN/server"; chmod +x "$GOBIN/server" ;;
mod) printf '{"Dir": "%s"}' "$SOURCE" ;;
esac
"""
APT = """#!/bin/sh
[ "$1" = install ] || exit 0
"$POLICY" toy start && echo "a service was started" > "$STARTED"
cp "$SOURCE/program" "$BIN/toy-server"
"""


def put(path: Path, content: str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(content)
    path.chmod(0o755)
    return path


@pytest.fixture(autouse=True)
def machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A machine without the server, whose tools pretend; its folder."""
    put(tmp_path / "bin" / "go", GO)
    put(tmp_path / "bin" / "apt-get", APT)
    put(tmp_path / "source" / "program", "installed")
    put(tmp_path / "source" / "static" / "page.html", "page")
    for name, value in {
        "PATH": f"{tmp_path / 'bin'}:{os.environ['PATH']}",
        "BIN": str(tmp_path / "bin"),
        "SOURCE": str(tmp_path / "source"),
        "BROKEN": str(tmp_path / "broken"),
        "STARTED": str(tmp_path / "started"),
        "POLICY": str(tmp_path / "policy-rc.d"),
        "XDG_CACHE_HOME": str(tmp_path / "cache"),
    }.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr(finding, "SHARED", tmp_path / "shared")
    monkeypatch.setattr(getting, "POLICY", tmp_path / "policy-rc.d")
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    return tmp_path


def test_a_module_is_built_once_and_its_checksum_kept(machine: Path) -> None:
    executable = get(BUILT)
    assert executable == cached(BUILT) / "toy-server"
    assert executable.read_text() == "built from example.org/toy/cmd/server@v1\n"
    assert executable.stat().st_mode & stat.S_IXUSR
    assert (cached(BUILT) / CHECKSUM).is_file()
    put(machine / "broken", "")
    assert get(BUILT) == find(BUILT) == executable


def test_what_a_server_needs_beside_it_is_copied() -> None:
    assert get(WITH_FILES).with_name("static").joinpath("page.html").read_text() == "page"


def test_a_failing_build_is_reported_and_leaves_nothing(machine: Path) -> None:
    put(machine / "broken", "")
    with pytest.raises(MissingError, match="no such module"):
        get(BUILT)
    assert [path.name for path in cached(BUILT).parent.iterdir()] == ["lock"]


def test_the_teams_folder_comes_last(machine: Path) -> None:
    shared = put(machine / "shared" / "toy" / "toy-server", "shared")
    server = replace(BUILT, shared=digest(shared.parent))
    assert find(server) == shared
    put(machine / "broken", "")
    assert get(server) == shared
    (machine / "broken").unlink()
    assert get(server) == find(server) == cached(server) / "toy-server"


def test_a_changed_program_is_built_again() -> None:
    executable = get(BUILT)
    executable.write_text("something else")
    assert get(BUILT).read_text().startswith("built from")


def test_a_package_is_installed_and_starts_no_service(machine: Path) -> None:
    assert get(PACKAGED) == machine / "bin" / "toy-server"
    assert not (machine / "started").exists()
    assert not (machine / "policy-rc.d").exists()


def test_only_root_installs(machine: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    with pytest.raises(MissingError, match="can't be had here"):
        get(PACKAGED)
