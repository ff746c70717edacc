from reactions.training.evaluation.cases import CaseKind
from reactions.training.evaluation.clips import clip_rows
from tests.reactions.training.evaluation.judged import verdict


def test_a_clip_has_a_row_of_what_starts_but_presence() -> None:
    (row,) = clip_rows(
        [
            verdict("fist", "fist"),
            verdict(
                "neg_talking_face",
                kind=CaseKind.CLIP,
                started={"face": 1, "neutral": 2, "nod": 1, "wave": 1},
                seconds=8.0,
            ),
        ]
    )
    assert (row.name, row.shows, row.seconds) == (
        "neg_talking_face",
        "people who talk or listen",
        8.0,
    )
    assert row.started == {"nod": 1, "wave": 1}
