"""Commands that follow the bundle in use: ``annotate``, ``replay`` and ``join``."""

import json
from pathlib import Path

import pytest
from PIL import Image

from config.reaction_rule import Kind
from reactions.mannequin import CAST, POSES, Scene, render
from sidecar.supervisor.model_store import BundleStore
from tests.sidecar.cli.conftest import Run
from tests.taught import taught_bundle, taught_label


@pytest.fixture
def bundles(tmp_path: Path) -> BundleStore:
    """With a bundle whose label ``vulcan`` all hands show, which is in use."""
    store = BundleStore(tmp_path / "data" / "models")
    taught_bundle(store.folder / "mine", taught_label("vulcan", kind=Kind.EVENT))
    store.keep("mine")
    return store


@pytest.fixture
def picture(tmp_path: Path) -> str:
    shown = render(CAST["Mei"], POSES["open_palm"], Scene(), 640, 360)
    Image.fromarray(shown).save(tmp_path / "palm.png")
    return "palm.png"


def fired(line: str) -> set[str]:
    return {one["label"] for one in json.loads(line)["labels"] if one["fires"]}


@pytest.mark.models
def test_annotate_follows_the_bundle_in_use_or_takes_another(
    run: Run, bundles: BundleStore, picture: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert "vulcan" in fired(run("annotate", picture)[1])
    assert "vulcan" not in fired(run("annotate", picture, "--bundle", "shipped")[1])
    monkeypatch.setenv("SIDECAR_RECOGNITION__BUNDLE", "shipped")
    assert "vulcan" not in fired(run("annotate", picture)[1])
    assert "vulcan" in fired(run("annotate", picture, "--bundle", "mine")[1])


@pytest.mark.models
def test_a_row_of_a_taught_label_counts_where_its_bundle_is_in_use(
    run: Run, bundles: BundleStore, picture: str, tmp_path: Path
) -> None:
    (tmp_path / "reactions.toml").write_text('[vulcan]\nkind = "off"\n')
    assert "vulcan" not in fired(run("annotate", picture)[1])
    status, out, _ = run("annotate", picture, "--bundle", "shipped")
    assert (status, "vulcan" in out) == (0, False)
    (tmp_path / "reactions.toml").write_text("[vulcan]\nthreshold = 2\n")
    status, _, error = run("annotate", picture)
    assert status == 2
    assert "vulcan.threshold: 2 is refused" in error
    assert error.count("\n") == 1


@pytest.mark.models
def test_replay_writes_reactions_of_a_taught_label(
    run: Run, bundles: BundleStore, picture: str, tmp_path: Path
) -> None:
    for name, expected in (("mine", True), ("shipped", False)):
        events = tmp_path / f"{name}.jsonl"
        wanted = ("--bundle", name, "--events", events.name)
        assert run("replay", picture, f"{name}.png", *wanted)[0] == 0
        assert ('"vulcan"' in events.read_text()) is expected


def test_the_table_that_is_printed_has_taught_labels(
    run: Run, bundles: BundleStore, tmp_path: Path
) -> None:
    (tmp_path / "reactions.toml").write_text("[vulcan]\nhold = 2.5\n")
    _, out, _ = run("config", "--table")
    assert "[vulcan]" in out
    assert "hold = 2.5" in out


@pytest.mark.parametrize("command", [["annotate", "x.png"], ["join", "ws://h#r"]])
def test_a_bundle_that_is_not_there_is_one_line(
    run: Run, bundles: BundleStore, command: list[str]
) -> None:
    status, _, error = run(*command, "--bundle", "other")
    assert status == 2
    assert "'other': there is no such bundle (sidecar model list shows all)" in error
    assert error.count("\n") == 1
