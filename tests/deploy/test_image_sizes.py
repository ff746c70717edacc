"""The sizes that CI prints of the image add up, and a difference between two builds is named."""

import importlib
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[2]


@pytest.fixture
def sizes(monkeypatch: pytest.MonkeyPatch) -> Any:
    monkeypatch.syspath_prepend(ROOT / ".ci")
    return importlib.import_module("image_sizes")


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A small image: a package with its libraries, a small one, a model, and a link."""
    files = {
        "opt/sidecar/lib/python3.13/site-packages/big/core.pyc": 3_000_000,
        "opt/sidecar/lib/python3.13/site-packages/big.libs/libbig-1a2b.so": 2_000_000,
        "opt/sidecar/lib/python3.13/site-packages/big-1.0.dist-info/METADATA": 1_000,
        "opt/sidecar/lib/python3.13/site-packages/small.pyc": 500,
        "opt/models/hands.tflite": 4_000,
        "usr/local/lib/python3.13/os.pyc": 700,
        "usr/lib/x86_64-linux-gnu/libc.so.6": 9_000,
        "etc/passwd": 50,
    }
    for name, size in files.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_bytes(b"x" * size)
    (tmp_path / "bin").symlink_to("usr/bin")
    return tmp_path


def test_each_file_counts_once_with_its_part(sizes: Any, root: Path) -> None:
    assert sizes.sizes(list(sizes.files(root))) == {
        "package big": 5_001_000,
        "libraries of the system": 9_000,
        "models": 4_000,
        "Python and its standard library": 700,
        "1 smaller packages": 500,
        "everything else": 50 + len("usr/bin"),
    }


def test_all_parts_are_the_size_that_is_limited(sizes: Any, root: Path) -> None:
    assert sizes.report(root) == sum(sizes.sizes(list(sizes.files(root))).values())
    assert sizes.LIMIT == 315_000_000


def test_two_builds_that_differ_are_said_to(sizes: Any, root: Path, tmp_path: Path) -> None:
    assert sizes.differences(root, root) == []
    other = tmp_path.parent / "other"
    (other / "etc").mkdir(parents=True)
    (other / "etc/passwd").write_text("another")
    lines = sizes.differences(root / "etc", other / "etc")
    assert lines == ["passwd differs: 50 and 7 bytes"]
    assert "opt/models/hands.tflite is in one alone" in sizes.differences(root, other)
