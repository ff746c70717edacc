import numpy as np

from config.errors import PictureError
from reactions.landmark_types import RgbImage
from reactions.training.evaluation.cases import Case
from reactions.training.evaluation.report_page import contact_sheets, report_page
from reactions.training.evaluation.summary import summarize
from reactions.training.evaluation.tables import text_tables
from reactions.training.evaluation.verdicts import CaseVerdict
from tests.reactions.training.evaluation.judged import verdict


def grey(case: Case) -> RgbImage:
    if case.file == "gone.jpg":
        raise PictureError("not a picture", where=case.file)
    return np.full((360, 640, 3), 120, np.uint8)


def written(*verdicts: CaseVerdict) -> str:
    return "\n".join(report_page(text_tables(summarize(verdicts)), contact_sheets(verdicts), grey))


def test_mistakes_are_sorted_by_kind() -> None:
    titles = {
        sheet.title: [each.case.name for each in sheet.verdicts]
        for sheet in contact_sheets(
            [
                verdict("neg_one", wrong={"fist": 1}),
                verdict("fist", "fist"),
                verdict("rock", "rock", started={}),
                verdict("ily", found=False),
                verdict("ok"),
            ]
        )
    }
    assert titles == {
        "Reactions to what shows none": ["neg_one"],
        "Named in the single frame, missed in the stream": ["rock"],
        "Missed in both, though a hand was found": ["ok"],
        "Missed in both, and no hand found": ["ily"],
    }


def test_the_page_holds_the_pictures_itself() -> None:
    text = written(verdict("neg_one", wrong={"fist": 1}))
    assert 'src="data:image/jpeg;base64,' in text
    assert "http" not in text.replace("http-equiv", "")


def test_names_from_the_index_are_escaped() -> None:
    text = written(verdict("neg_<script>", wrong={"fist": 1}, source="<b>", file='"><i>'))
    assert "<script>" not in text
    assert "<i>" not in text
    assert "neg_&lt;script&gt;" in text


def test_a_picture_that_is_gone_leaves_its_text() -> None:
    text = written(verdict("neg_one", wrong={"fist": 1}, file="gone.jpg"))
    assert "<img" not in text
    assert "gone.jpg" in text
