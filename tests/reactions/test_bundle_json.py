"""Files of a bundle: each fault is one line."""

from pathlib import Path

import pytest
from pydantic import TypeAdapter

from config.errors import ModelError
from reactions.bundle_json import read_bundle_json

NUMBERS = TypeAdapter(dict[str, int])


def fault(path: Path, limit: int = 100) -> str:
    with pytest.raises(ModelError) as refusal:
        read_bundle_json(NUMBERS, path, limit=limit, do="make it again")
    assert refusal.value.where == str(path)
    assert refusal.value.do == "make it again"
    assert "\n" not in str(refusal.value)
    return refusal.value.what


def test_a_file_that_fits_is_read(tmp_path: Path) -> None:
    (tmp_path / "a.json").write_text('{"one": 1}')
    path = tmp_path / "a.json"
    assert read_bundle_json(NUMBERS, path, limit=100, do="") == {"one": 1}


def test_a_file_that_is_missing_damaged_or_too_large_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "a.json"
    assert "can't be read: No such file" in fault(path)
    path.write_text('{"one": "x"}')
    assert fault(path).startswith("one:")
    path.write_text('{"one": 1}')
    assert "Invalid JSON" in fault(path, limit=5)
