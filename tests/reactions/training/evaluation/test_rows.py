from reactions.training.evaluation.cases import CaseKind
from reactions.training.evaluation.conditions import Condition
from reactions.training.evaluation.intervals import Share
from reactions.training.evaluation.rows import (
    condition_rows,
    fire_rows,
    footage_rows,
    recall_rows,
)
from tests.reactions.training.evaluation.judged import verdict


def test_a_hand_that_is_not_found_is_a_miss() -> None:
    judged = [verdict("fist", "fist"), verdict("fist", found=False), verdict("ok", "ok_hand")]
    rows = {row.label: row for row in recall_rows(judged, lambda each: each.case.source)}
    assert rows["fist"].still == Share(1, 2)
    assert rows["fist"].found_still == Share(1, 2)
    assert rows["ok_hand"].stream == Share(1, 1)
    assert rows["all"].stream == Share(2, 3)


def test_still_and_stream_are_kept_apart() -> None:
    (row, _) = recall_rows([verdict("fist", "fist", started={})], lambda each: each.case.source)
    assert (row.still, row.stream) == (Share(1, 1), Share(0, 1))


def test_a_combination_counts_for_its_halves() -> None:
    (row, _) = recall_rows([verdict("thumbs_up", "double_thumbs_up")], lambda each: "people")
    assert row.still == Share(1, 1)


def test_a_look_alike_that_starts_twice_is_one_case_and_two_reactions() -> None:
    judged = [verdict("neg_fidget", wrong={"fist": 2}), verdict("neg_fidget")]
    (row,) = fire_rows(judged)
    assert row.stream == Share(1, 2)
    assert row.which == {"fist": 2}


def test_each_source_of_look_alikes_is_summed_up() -> None:
    rows = fire_rows([verdict("neg_fidget"), verdict("negative", wrong={"smile": 1})])
    assert [(row.name, row.stream) for row in rows] == [
        ("neg_fidget", Share(0, 1)),
        ("negative", Share(1, 1)),
        ("all", Share(1, 2)),
    ]


def test_false_reactions_are_counted_by_kind_of_footage() -> None:
    judged = [
        verdict("negative", wrong={"thinking": 1}, seconds=60.0),
        verdict("negative", seconds=60.0),
        verdict("neg_talking_face", kind=CaseKind.CLIP, seconds=30.0),
        verdict("mixed", kind=CaseKind.CLIP, seconds=30.0),
    ]
    rows = {row.footage: row for row in footage_rows(judged)}
    assert rows["streams of photos: ordinary people"].rate.per_hour == 30.0
    assert rows["clips: ordinary people"].rate.seconds == 30.0
    assert rows["all of people in which nothing is meant"].rate.seconds == 150.0
    assert len(rows) == 3


def test_a_condition_is_compared_with_the_same_photos_as_they_are() -> None:
    judged = [
        verdict("fist", "fist", file="a.jpg"),
        verdict("fist", file="b.jpg"),
        verdict("fist", file="a.jpg", condition=Condition.DARK),
        verdict("fist", "fist", file="not judged plain.jpg", condition=Condition.DARK),
    ]
    (row,) = condition_rows(judged)
    assert row.changed.group == "dark"
    assert row.changed.stream == Share(0, 1)
    assert row.plain_stream == Share(1, 1)
