"""Files that appear whole or not at all."""

import os
import stat
from pathlib import Path

import pytest

from config.errors import PictureError
from sidecar.media.new_file import new_file


def test_a_file_appears_when_it_is_whole(tmp_path: Path) -> None:
    path = tmp_path / "out.txt"
    path.write_text("older")
    with new_file(path) as partial:
        partial.write_text("newer")
        assert path.read_text() == "older"
    assert path.read_text() == "newer"
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize("failure", [RuntimeError, KeyboardInterrupt, GeneratorExit])
def test_a_failure_leaves_nothing_behind(tmp_path: Path, failure: type[BaseException]) -> None:
    def fail() -> None:
        with new_file(tmp_path / "out.txt") as partial:
            partial.write_text("half")
            raise failure

    with pytest.raises(failure):
        fail()
    assert not list(tmp_path.iterdir())


def test_a_link_is_written_through(tmp_path: Path) -> None:
    real, link = tmp_path / "real.txt", tmp_path / "link.txt"
    real.write_text("older")
    link.symlink_to(real)
    with new_file(link) as partial:
        partial.write_text("newer")
    assert link.is_symlink()
    assert real.read_text() == "newer"


def test_the_permissions_are_the_usual_ones(tmp_path: Path) -> None:
    (tmp_path / "usual").touch()
    with new_file(tmp_path / "out") as partial:
        partial.write_text("newer")
    usual, ours = ((tmp_path / name).stat().st_mode for name in ("usual", "out"))
    assert stat.S_IMODE(ours) == stat.S_IMODE(usual)


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("", "is a folder"),
        ("nowhere/out.txt", "No such file"),
        ("n" * 300, "name too long"),
        ("file/out.txt", "Not a directory"),
        ("pipe", "is not a regular file"),
        ("a\0b", "null"),
    ],
)
def test_what_can_t_be_written_is_refused_before_the_work(
    tmp_path: Path, name: str, reason: str
) -> None:
    (tmp_path / "file").touch()
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(PictureError, match=reason), new_file(tmp_path / name):
        pytest.fail("entered")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["file", "pipe"]
