from reactions.training.evaluation.breakdowns import label_rows, source_rows
from reactions.training.evaluation.cases import MANNEQUINS, CaseKind
from reactions.training.evaluation.intervals import Share
from tests.reactions.training.evaluation.judged import verdict


def test_photos_and_mannequins_of_a_label_are_kept_apart() -> None:
    (row,) = label_rows(
        [
            verdict("fist", "fist", source="one"),
            verdict("fist", source="two"),
            verdict("fist", source="two", file="b.jpg"),
            verdict("fist", "fist", source=MANNEQUINS, kind=CaseKind.MANNEQUIN, file=""),
        ]
    )
    assert (row.sources, row.stream, row.mean_stream) == (2, Share(1, 3), 0.5)
    assert row.drawn_stream == Share(1, 1)
    assert not row.moves


def test_labels_begin_with_the_worst_in_photos() -> None:
    rows = label_rows([verdict("fist", "fist"), verdict("rock"), verdict("wave", "wave")])
    assert [row.label for row in rows] == ["rock", "fist", "wave"]
    assert rows[-1].moves


def test_a_source_is_compared_with_the_mean_of_all_others() -> None:
    rows = source_rows(
        [
            verdict("fist", source="one"),
            verdict("fist", "fist", source="two"),
            verdict("fist", "fist", source="emre_hand"),
        ]
    )
    one = rows[0]
    assert (one.source, one.stream, one.others_stream) == ("one", Share(0, 1), 1.0)
    assert {row.source: row.others_stream for row in rows}["two"] == 0.5
    assert {row.source: row.trained_on for row in rows} == {
        "one": False,
        "two": False,
        "emre_hand": True,
    }
    (trained,) = (row for row in rows if row.trained_on)
    assert trained.held_out is not None
    assert 0 < trained.held_out <= 1
