import json

from reactions.training.evaluation.cases import MANNEQUINS, CaseKind
from reactions.training.evaluation.conditions import Condition
from reactions.training.evaluation.skin_tone import ApparentTone
from reactions.training.evaluation.summary import summarize, to_json
from reactions.training.evaluation.tables import text_tables
from tests.reactions.training.evaluation.judged import verdict


def test_every_source_counts_the_same_in_the_mean() -> None:
    judged = [
        verdict("fist", "fist", source="one"),
        *[verdict("fist", source="two", file=f"{i}.jpg") for i in range(9)],
    ]
    photos, _ = summarize(judged).means
    assert (photos.people, photos.stream) == (2, 0.5)


def test_the_json_gives_shares_with_their_intervals() -> None:
    read = json.loads(to_json(summarize([verdict("fist", "fist"), verdict("negative")])))
    assert read["recall"][0]["stream"] == {
        "hits": 1,
        "of": 1,
        "share": 1.0,
        "low": 0.2065,
        "high": 1.0,
    }
    assert read["footage"][0]["rate"]["per_hour"] == 0.0


def test_the_json_says_which_reactions_were_false() -> None:
    read = json.loads(to_json(summarize([verdict("neg_one", wrong={"fist": 2})])))
    assert read["fires"][0]["which"] == {"fist": 2}


def test_tables_begin_with_what_fires_most() -> None:
    judged = [verdict("neg_one"), verdict("neg_two", wrong={"fist": 1}), verdict("fist")]
    tables = {table.title: table for table in text_tables(summarize(judged))}
    fires = tables["What must set nothing off"]
    assert fires.rows[0][1] == "neg_two"
    lines = list(fires.markdown())
    assert lines[0].startswith("### ")
    assert lines[4].count("|") == len(fires.columns) + 1


def test_photos_are_grouped_by_apparent_tone() -> None:
    judged = [
        verdict("fist", "fist", tone=ApparentTone.LIGHT),
        verdict("fist", tone=ApparentTone.DARK),
        verdict("negative", wrong={"fist": 1}, tone=ApparentTone.DARK),
        verdict("fist"),
    ]
    summary = summarize(judged)
    named = {row.group: row.stream.value for row in summary.tones}
    assert named == {
        "photos, light (ITA above 41°)": 1.0,
        "photos, brown and dark (below 10°)": 0.0,
    }
    (fires,) = summary.tone_fires
    assert (fires.source, fires.name) == ("photos, brown and dark (below 10°)", "ordinary people")


def test_every_row_of_every_table_has_a_cell_for_each_column() -> None:
    judged = [
        verdict("fist", "fist"),
        verdict("fist", "fist", condition=Condition.DARK),
        verdict("fist", "fist", condition=Condition.NEAR),
        verdict("wave", "wave", source=MANNEQUINS, kind=CaseKind.MANNEQUIN, file=""),
        verdict("neg_one", wrong={"fist": 1}, tone=ApparentTone.TAN),
        verdict("neg_talking_face", kind=CaseKind.CLIP, file="a.mp4"),
    ]
    for table in text_tables(summarize(judged)):
        assert all(len(row) == len(table.columns) for row in table.rows), table.title
