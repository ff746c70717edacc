"""``sidecar annotate``: pictures from arguments and lists, one JSON line each."""

import io
import json
from pathlib import Path

import pytest
from PIL import Image

from config.errors import PictureError
from reactions.mannequin import CAST, POSES, Scene, render
from sidecar.cli.annotate import listed
from tests.sidecar.cli.conftest import Run


def test_list_has_a_path_a_line_and_may_have_empty_ones(tmp_path: Path) -> None:
    listing = tmp_path / "list"
    listing.write_bytes(b"a.png\r\n\n with space .png\nlast.png")
    assert list(listed(listing)) == [Path("a.png"), Path(" with space .png"), Path("last.png")]


def test_dash_reads_standard_input(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(b"a.png\nb.png\n")))
    assert list(listed(Path("-"))) == [Path("a.png"), Path("b.png")]


def test_list_that_is_missing_is_refused(tmp_path: Path) -> None:
    with pytest.raises(PictureError, match="No such file"):
        list(listed(tmp_path / "gone"))


@pytest.mark.models
def test_each_picture_is_one_line_in_order_and_a_bad_one_stops_nothing(
    run: Run, tmp_path: Path
) -> None:
    person = next(iter(CAST.values()))
    picture = tmp_path / "up.png"
    Image.fromarray(render(person, POSES["thumbs_up"], Scene(), 640, 360)).save(picture)
    (tmp_path / "broken.png").write_bytes(b"no picture")
    (tmp_path / "list").write_text(f"gone.png\n{picture}\nbroken.png\n")
    status, out, _ = run("annotate", "--list", "list")
    gone, up, broken = map(json.loads, out.splitlines())
    assert status == 0
    assert (gone["picture"], broken["picture"]) == ("gone.png", "broken.png")
    assert gone["labels"] == broken["labels"] == []
    assert gone["error"]
    assert broken["error"]
    assert (up["error"], up["width"], up["height"]) == (None, 640, 360)
    assert set(up["labels"][0]) == {"label", "score", "threshold", "fires", "box", "hand"}
    scores = [label["score"] for label in up["labels"]]
    assert scores == sorted(scores, reverse=True)
    assert {label["label"] for label in up["labels"][:3]} == {"face", "hand", "thumbs_up"}
    assert all(label["fires"] == (label["score"] >= label["threshold"]) for label in up["labels"])


@pytest.mark.models
def test_a_name_that_is_no_text_is_one_line_and_the_rest_goes_on(run: Run, tmp_path: Path) -> None:
    Image.new("RGB", (64, 36)).save(tmp_path / "fine.png")
    (tmp_path / "list").write_bytes(b"caf\xe9.png\n\xff\x00\nfine.png\n")
    status, out, _ = run("annotate", "--list", "list")
    assert status == 0
    *bad, fine = map(json.loads, out.splitlines())
    assert [line["error"] is None for line in (*bad, fine)] == [False, False, True]
    assert fine["picture"] == "fine.png"
