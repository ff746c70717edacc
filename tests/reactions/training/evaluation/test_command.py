"""All of it, on mannequins in place of photos."""

import json
from pathlib import Path

import pytest
from PIL import Image

from config.errors import ConfigError
from config.reaction_table import load_reaction_table
from reactions.labels import LABELS
from reactions.mannequin import CAST, POSES, Scene, render
from reactions.training.evaluation.cases import Case, CaseKind
from reactions.training.evaluation.command import StreamOptions, report_streams
from reactions.training.evaluation.conditions import Condition
from reactions.training.evaluation.run import Workplace
from reactions.training.evaluation.verdicts import Judge

pytestmark = pytest.mark.models
TABLE = load_reaction_table(LABELS, environ={})


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Two photos and their index."""
    rows = ["source,label,file,kind"]
    for name, label in (("victory", "victory"), ("neutral", "negative")):
        picture = render(CAST["Amara"], POSES[name], Scene(), 640, 360)
        Image.fromarray(picture).save(tmp_path / f"{name}.png")
        rows.append(f"drawn,{label},{name}.png,image")
    (tmp_path / "index.csv").write_text("\n".join(rows))
    return tmp_path


def test_a_photo_is_named_as_a_still_and_as_a_stream(folder: Path) -> None:
    judge = Judge(folder, TABLE, folder / "cache")
    case = Case("drawn", "victory", CaseKind.PHOTO, "victory.png")
    (first,), (again,) = judge.judge([case]), judge.judge([case])
    assert first.named_still
    assert first.named_stream
    assert not first.wrong_started
    assert again == first


def test_a_near_hand_is_cut_out_of_the_photo(folder: Path) -> None:
    judge = Judge(folder, TABLE, None)
    near = Case("drawn", "victory", CaseKind.PHOTO, "victory.png", Condition.NEAR)
    assert judge.reader.picture(near).shape == (360, 640, 3)
    nothing = Case("drawn", "victory", CaseKind.PHOTO, "neutral.png", Condition.NEAR)
    assert judge.judge([nothing]) == []


def test_a_mannequin_acts_its_label(folder: Path) -> None:
    wave = Case("mannequins", "wave", CaseKind.MANNEQUIN, tone=2)
    (verdict,) = Workplace(folder, TABLE).judge([wave])
    assert verdict.named_stream
    assert verdict.seconds > 2


def test_a_report_is_json_and_a_page(
    folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "out"
    # One process, one case: the sample leaves out the mannequins or the photos.
    report_streams(StreamOptions(folder, out, sample=1), TABLE)
    assert json.loads((out / "recognition.json").read_text())["cases"] == 1
    assert (out / "recognition.html").read_text().startswith("<!doctype html>")
    printed = capsys.readouterr()
    assert "### False reactions an hour" in printed.out
    assert "1 of 1 cases" in printed.err


def test_a_folder_that_cannot_be_made_is_named_before_any_work(folder: Path) -> None:
    with pytest.raises(ConfigError, match=r"index\.csv"):
        report_streams(StreamOptions(folder, folder / "index.csv", sample=1), TABLE)
