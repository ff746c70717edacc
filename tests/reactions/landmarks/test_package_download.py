import sys
from pathlib import Path

import pytest

from config.errors import ModelError
from reactions.landmarks import package_download
from reactions.landmarks.package_download import download
from tests.reactions.landmarks.registries import TARBALL, WHEEL, Registries, tarball, wheel


def test_pip_gives_a_wheel(tmp_path: Path, registries: Registries) -> None:
    registries.serve_wheel(wheel(model=b"content"))
    archive = download(WHEEL, tmp_path / "scratch", lambda _: None)
    assert archive.read_bytes() == wheel(model=b"content")


@pytest.fixture(autouse=True)
def scratch(tmp_path: Path) -> None:
    (tmp_path / "scratch").mkdir()


def test_npm_gives_a_tarball(tmp_path: Path, registries: Registries) -> None:
    registries.serve_tarball(tarball(model=b"content"))
    assert download(TARBALL, tmp_path / "scratch", lambda _: None).name == "served.tgz"


def test_without_npm_the_error_says_so_and_nothing_else_is_fetched(
    tmp_path: Path, registries: Registries, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("shutil.which", lambda _: None)
    with pytest.raises(ModelError, match="npm is not here") as caught:
        download(TARBALL, tmp_path / "scratch", lambda _: None)
    assert caught.value.where == "more-weights@2.0"
    assert registries.calls == []


def test_what_the_client_says_last_is_in_the_error(tmp_path: Path, registries: Registries) -> None:
    with pytest.raises(ModelError, match="npm error network request failed"):
        download(TARBALL, tmp_path / "scratch", lambda _: None)


def test_a_client_that_takes_too_long_is_stopped(
    tmp_path: Path, registries: Registries, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(package_download, "TIME_LIMIT", 0.0)
    (registries.folder / "pip" / "__main__.py").write_text("import time; time.sleep(60)")
    with pytest.raises(ModelError, match="too long"):
        download(WHEEL, tmp_path / "scratch", lambda _: None)


def test_a_client_that_writes_too_much_is_stopped(
    tmp_path: Path, registries: Registries, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(package_download, "SIZE_LIMIT", 100)
    (registries.folder / "pip" / "__main__.py").write_text(
        "import time; open('big', 'w').write('x' * 200); time.sleep(60)"
    )
    with pytest.raises(ModelError, match="too many bytes"):
        download(WHEEL, tmp_path / "scratch", lambda _: None)


def test_a_python_without_pip_is_an_error(
    tmp_path: Path, registries: Registries, monkeypatch: pytest.MonkeyPatch
) -> None:
    program = tmp_path / "python"
    program.write_text("#!/bin/sh\necho No module named pip\nexit 1\n")
    program.chmod(0o700)
    monkeypatch.setattr(sys, "executable", str(program))
    with pytest.raises(ModelError, match="No module named pip"):
        download(WHEEL, tmp_path / "scratch", lambda _: None)
