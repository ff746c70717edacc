import shutil
from pathlib import Path

import pytest

from config.errors import NotFoundError
from sidecar.supervisor.model_store import MAX_BUNDLES, BundleStore
from tests.taught import taught_bundle


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """The folder of bundles, with one called ``zz``."""
    taught_bundle(tmp_path / "models" / "zz")
    return tmp_path / "models"


def test_a_bundle_beyond_those_that_are_listed_can_be_used(folder: Path) -> None:
    for number in range(MAX_BUNDLES):
        (folder / f"a{number}").mkdir()
    store = BundleStore(folder)
    assert len(store.bundles().bundles) == 1 + MAX_BUNDLES
    store.keep(store.get("zz").name)
    assert BundleStore(folder).at_start().name == "zz"


def test_what_a_killed_program_left_half_written_is_no_bundle(folder: Path) -> None:
    for number in range(MAX_BUNDLES):
        shutil.copytree(folder / "zz", folder / f".{number:016}.partial")
    store = BundleStore(folder)
    assert [one.name for one in store.bundles().bundles] == ["shipped", "zz"]
    with pytest.raises(NotFoundError):
        store.get(f".{0:016}.partial")


@pytest.mark.parametrize("name", ["../models/zz", "zz/", "ZZ", "zz\n", "", "..", "active.json"])
def test_what_is_no_name_of_a_bundle_is_not_looked_for(folder: Path, name: str) -> None:
    store = BundleStore(folder)
    store.keep("zz")
    with pytest.raises(NotFoundError, match="there is no such bundle"):
        store.get(name)
