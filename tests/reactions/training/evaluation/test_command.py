"""All of it, on mannequins in place of photos."""

import json
from pathlib import Path

import pytest
from PIL import Image

from config.errors import ConfigError
from config.reaction_rule import Kind
from config.reaction_table import load_reaction_table
from reactions.labels import LABELS
from reactions.mannequin import CAST, POSES, Scene, render
from reactions.training.evaluation.cases import Case, CaseKind
from reactions.training.evaluation.command import StreamOptions, measured_page, report_streams
from reactions.training.evaluation.conditions import Condition
from reactions.training.evaluation.run import Workplace, judge_all
from reactions.training.evaluation.tables import TextTable
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
    assert "1 of 1 cases" in (out / "recognition.md").read_text()
    assert "1 of 1 cases" in printed.err


def test_a_folder_that_cannot_be_made_is_named_before_any_work(folder: Path) -> None:
    with pytest.raises(ConfigError, match=r"index\.csv"):
        report_streams(StreamOptions(folder, folder / "index.csv", sample=1), TABLE)


def test_a_label_that_is_off_is_judged_as_if_it_were_on_and_fires_nowhere_else(
    folder: Path,
) -> None:
    off = TABLE["victory"].model_copy(update={"kind": Kind.OFF})
    judge = Judge(folder, {**TABLE, "victory": off}, None)
    shown = Case("drawn", "victory", CaseKind.PHOTO, "victory.png")
    alike = Case("drawn", "neg_victory", CaseKind.PHOTO, "victory.png")
    named, other = judge.judge([shown, alike])
    assert named.named_still
    assert named.named_stream
    assert "victory" not in other.fired | other.started.keys()


def test_what_is_not_judged_in_time_is_left_out(folder: Path) -> None:
    work = Workplace(folder, TABLE)
    cases = [Case("drawn", "victory", CaseKind.PHOTO, "victory.png")]
    assert judge_all(work, cases, workers=1, minutes=1e-9) == []


def test_the_page_for_the_documents_says_how_much_of_it_was_run() -> None:
    table = TextTable("Aims", ("what", "aim"), [("fists", "95 %")])
    page = "\n".join(measured_page([table], judged=3, of=1200))
    assert "3 of 1,200 cases" in page
    assert "The rest was not run" in page
    assert "## Aims\n\n| what | aim |\n| --- | --- |\n| fists | 95 % |" in page
