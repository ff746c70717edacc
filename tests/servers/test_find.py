"""Where servers are looked for, and what is believed of what is found there."""

from pathlib import Path

import pytest

from tests.servers import find as finding
from tests.servers.find import SERVERS, MissingError, Server, cached, digest, find, need

TOY = Server("toy", "toy-server", module="example.org/toy", version="v1", shared="unknown")


@pytest.fixture(autouse=True)
def empty_machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing is on PATH, in the cache or in the shared folder."""
    monkeypatch.setenv("PATH", str(tmp_path / "bin"))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setattr(finding, "SHARED", tmp_path / "shared")
    for server in (TOY, *SERVERS.values()):
        monkeypatch.delenv(server.variable, raising=False)


def put(path: Path, content: str = "program") -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(content)
    path.chmod(0o755)
    return path


def put_in_cache() -> Path:
    executable = put(cached(TOY) / TOY.executable)
    put(cached(TOY) / finding.CHECKSUM, digest(cached(TOY)) + "\n")
    return executable


def test_the_environment_comes_first(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    put(tmp_path / "bin" / "toy-server")
    monkeypatch.setenv("SIDECAR_TEST_TOY", str(put(tmp_path / "mine")))
    assert find(TOY) == tmp_path / "mine"


def test_a_variable_that_names_no_file_is_reported(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SIDECAR_TEST_TOY", "/nowhere/toy")
    with pytest.raises(MissingError, match="SIDECAR_TEST_TOY names no file"):
        find(TOY)


def test_path_comes_before_the_cache(tmp_path: Path) -> None:
    put_in_cache()
    assert find(TOY) == cached(TOY) / "toy-server"
    on_path = put(tmp_path / "bin" / "toy-server")
    assert find(TOY) == on_path


def test_a_changed_program_in_the_cache_is_not_used() -> None:
    put_in_cache().write_text("something else")
    with pytest.raises(MissingError, match="not what was put there"):
        find(TOY)


def test_a_shared_program_is_used_only_if_it_is_the_pinned_one(tmp_path: Path) -> None:
    executable = put(tmp_path / "shared" / "toy" / "toy-server")
    with pytest.raises(MissingError, match="not what was put there"):
        find(TOY)
    pinned = Server("toy", "toy-server", shared=digest(executable.parent))
    assert find(pinned) == executable


def test_a_digest_covers_names_and_contents(tmp_path: Path) -> None:
    one = put(tmp_path / "one" / "a" / "b").parents[1]
    renamed = put(tmp_path / "two" / "a" / "c").parents[1]
    changed = put(tmp_path / "three" / "a" / "b", "other").parents[1]
    assert len({digest(one), digest(renamed), digest(changed)}) == 3


@pytest.mark.parametrize("name", SERVERS)
def test_a_missing_server_skips_the_test_and_says_what_to_do(name: str) -> None:
    with pytest.raises(pytest.skip.Exception, match=f"{name}.*(let|run)") as skipped:
        need(name)
    only_shared = SERVERS[name].shared != ""
    assert ("shared" in str(skipped.value)) is only_shared
