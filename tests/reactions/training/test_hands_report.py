import json
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pytest

from config.reaction_table import load_reaction_table
from reactions.gestures.hand_classes import SHAPES
from reactions.gestures.hand_classifier import HandShapeClassifier
from reactions.labels import LABELS
from reactions.training.hands_report import Scores, read_shapes, recall_by_source, report_hands
from reactions.training.recorded_hands import RecordedHands
from reactions.training.report import hands_json
from tests.reactions.training.recorded import Row, recorded, save

TABLE = load_reaction_table(LABELS, environ={})


def scores_of(hands: RecordedHands, *fired: str) -> Scores:
    """Full probability for the shape that each hand fires; '' for none."""
    rows = [[float(shape == name) for shape in SHAPES] for name in fired]
    assert len(rows) == len(hands.points)
    return np.array(rows, np.float32)


def many(count: int, *row: str) -> list[Row]:
    label, near, person = row
    return [(label, near, person)] * count


def five_people(label: str, each: int = 5) -> list[Row]:
    return [row for person in "abcde" for row in many(each, label, "", person)]


def test_recall_is_pooled_and_averaged_over_people() -> None:
    hands = recorded(*many(30, "fist", "", "a"), *many(10, "fist", "", "b"))
    report = report_hands(hands, scores_of(hands, *["fist"] * 30, *[""] * 10), TABLE)
    fist = report.shapes["fist"]
    assert (fist.hands, fist.people) == (40, 2)
    assert (fist.pooled, fist.mean_over_people, fist.worst_person) == (0.75, 0.5, 0.0)


def test_people_who_differ_make_the_interval_wide() -> None:
    hands = recorded(*many(10, "fist", "", "a"), *many(10, "fist", "", "b"))
    report = report_hands(hands, scores_of(hands, *["fist"] * 10, *[""] * 10), TABLE)
    assert report.shapes["fist"].interval == (0.0, 1.0)
    alike = report_hands(hands, scores_of(hands, *["fist", ""] * 10), TABLE)
    assert alike.shapes["fist"].interval == (0.5, 0.5)


def test_each_source_has_its_own_counts() -> None:
    hands = recorded(*many(2, "fist", "", "a"), *many(3, "three", "", "b"))
    scores = scores_of(hands, "fist", "", "rock", "", "")
    rows = recall_by_source(hands, scores, dict.fromkeys(SHAPES, 0.5))
    assert rows == {"a": {"fist": (2, 1)}, "b": {"other": (3, 1)}}


def test_a_person_with_few_hands_of_a_shape_has_no_mean() -> None:
    hands = recorded(*many(4, "fist", "", "a"), *many(5, "fist", "", "b"))
    report = report_hands(hands, scores_of(hands, *[""] * 4, *["fist"] * 5), TABLE)
    assert report.shapes["fist"].people == 1
    assert report.shapes["fist"].mean_over_people == 1.0


def test_only_shapes_of_five_people_count() -> None:
    hands = recorded(*five_people("fist"), *many(10, "rock", "", "a"))
    report = report_hands(hands, scores_of(hands, *["fist"] * 25, *[""] * 10), TABLE)
    assert report.mean_over_shapes == 1.0
    assert report.worst_shape == "fist"
    assert not report.shapes["rock"].counted
    assert report.shapes["rock"].pooled == 0.0


def test_a_shape_that_no_rule_reads_neither_counts_nor_fires() -> None:
    table = {name: rule for name, rule in TABLE.items() if name != "fist"}
    hands = recorded(*five_people("fist"), *five_people("victory"))
    report = report_hands(hands, scores_of(hands, *["fist"] * 50), table)
    assert report.mean_over_shapes == 0.0
    assert not report.shapes["fist"].counted
    assert report.shapes["fist"].pooled == 1.0
    assert report.wrong_shape == 0.0
    assert report.other_hands.hands == 25
    assert report.other_hands.fired == 0


def test_a_wrong_shape_is_counted_apart_from_a_miss() -> None:
    hands = recorded(*many(4, "fist", "", "a"))
    report = report_hands(hands, scores_of(hands, "fist", "rock", "", "fist"), TABLE)
    assert report.wrong_shape == 0.25


def test_fires_on_other_hands_are_pooled_averaged_and_listed() -> None:
    hands = recorded(*many(15, "other:salute", "", "a"), *many(5, "three", "", "b"))
    report = report_hands(hands, scores_of(hands, *["open_palm"] * 3, *[""] * 17), TABLE)
    others = report.other_hands
    assert (others.hands, others.fired) == (20, 3)
    assert (others.pooled, others.mean_over_people) == (0.15, 0.1)
    assert list(others.by_label) == ["other:salute"]
    assert others.by_label["other:salute"].by == {"open_palm": 3}


@pytest.mark.parametrize(
    ("near", "fires", "fired"),
    [
        ("victory", "victory", 0),
        ("victory", "rock", 1),
        ("rock", "ily", 0),
        ("ily", "rock", 1),
        ("", "victory", 1),
    ],
)
def test_the_shape_that_a_hand_is_near_may_fire(near: str, fires: str, fired: int) -> None:
    hands = recorded(("other:some", near, "a"))
    assert report_hands(hands, scores_of(hands, fires), TABLE).other_hands.fired == fired


def test_no_hands_give_a_report_without_figures() -> None:
    hands = recorded(("fist", "", "a")).pick(np.zeros(1, np.bool_))
    report = report_hands(hands, np.zeros((0, len(SHAPES)), np.float32), TABLE)
    assert report.mean_over_shapes is None
    assert report.other_hands.pooled is None


def test_a_hand_is_read_on_the_side_that_its_palm_shows() -> None:
    hands = recorded(("victory", "", "a"), ("victory", "", "a"))
    hands.points[1, :, 0] *= -1
    scores = read_shapes(HandShapeClassifier(), hands)
    assert scores[:, SHAPES.index("victory")].min() > 0.8
    np.testing.assert_allclose(scores[0], scores[1], atol=1e-3)


def test_a_file_is_reported_as_json(tmp_path: Path) -> None:
    save(recorded(*five_people("victory")), tmp_path / "hands.npz")
    report_: Mapping[str, object] = json.loads(hands_json(tmp_path / "hands.npz"))
    assert report_["hands"] == 25
    assert report_["mean_over_shapes"] == 1.0
    assert report_["worst_shape"] == "victory"


def test_hands_that_contradict_their_label_are_left_out_of_the_figures_in_definition_alone() -> (
    None
):
    # Every hand of ``recorded`` is a victory.
    hands = recorded(*many(10, "victory", "", "a"), *many(10, "fist", "", "a"))
    report = report_hands(hands, scores_of(hands, *["victory"] * 10, *[""] * 10), TABLE)
    assert report.shapes["fist"].mean_over_people == 0.0
    fist, victory = (report.in_definition.shapes[name] for name in ("fist", "victory"))
    assert (fist.left_out, fist.left_out_people, fist.people) == (10, 1, 0)
    assert fist.mean_over_people is None
    assert (victory.left_out, victory.mean_over_people) == (0, 1.0)


def test_shapes_that_count_in_the_plain_figure_count_in_definition() -> None:
    hands = recorded(*five_people("victory"), *five_people("fist"))
    report = report_hands(hands, scores_of(hands, *["victory"] * 20, *[""] * 30), TABLE)
    assert report.mean_over_shapes == 0.4
    assert report.in_definition.mean_over_shapes == 0.8
    assert report.in_definition.worst_shape == "victory"
