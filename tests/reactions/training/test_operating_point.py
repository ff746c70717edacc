import numpy as np
import pytest

from config.reaction_rule import ReactionRule
from reactions.gestures.hand_classes import CLASSES, NONE, SHAPES
from reactions.training.hands_report import HandsReport, report_hands
from reactions.training.member_calibration import Calibration, Logits, probabilities
from reactions.training.operating_point import (
    HIGHEST,
    LOWEST,
    OperatingPoint,
    choose_operating_point,
)
from reactions.training.recorded_hands import RecordedHands
from tests.reactions.training.recorded import Row, recorded

VICTORY, ROCK, ILY = (CLASSES.index(name) for name in ("victory", "rock", "ily"))


def rows(label: str, count: int, near: str = "") -> list[Row]:
    """Hands of five people."""
    return [(label, near, person) for person in "abcde" for _ in range(count)]


def read_as(shares: list[dict[int, float]]) -> Logits:
    """Logits of one member that gives these shares, the rest to ``none``."""
    values = np.full((len(shares), 1, len(CLASSES)), 1e-6)
    for row, each in zip(values[:, 0], shares, strict=True):
        for column, share in each.items():
            row[column] = max(share, 1e-6)
        row[CLASSES.index(NONE)] = max(1 - sum(each.values()), 1e-6)
    return np.asarray(np.log(values), np.float32)


def judged(hands: RecordedHands, values: Logits, point: OperatingPoint) -> HandsReport:
    scores = probabilities(values, point.calibration)[:, : len(SHAPES)]
    thresholds = point.thresholds.items()
    table = {name: ReactionRule(sticker="", threshold=value) for name, value in thresholds}
    return report_hands(hands, scores, table)


def victories(*look_alikes: float, near: str = "") -> tuple[RecordedHands, Logits]:
    """Ten victories of each of five people, and other hands that look like them so much."""
    hands = recorded(*rows("victory", 10), *rows("three", len(look_alikes), near))
    shown = [0.45, 0.55, *[0.7] * 3, *[0.9] * 5]
    return hands, read_as([{VICTORY: share} for share in (*shown * 5, *look_alikes * 5)])


@pytest.mark.parametrize("budget", [0.0, 0.1, 0.2])
def test_fires_keep_the_budget(budget: float) -> None:
    hands, values = victories(0.75, 0.6, *[0.1] * 8)
    point = choose_operating_point(budget, hands, values, Calibration())
    fires = judged(hands, values, point).other_hands.mean_over_people
    assert fires is not None
    assert fires <= budget


def test_a_larger_budget_names_more() -> None:
    hands, values = victories(0.75, 0.6, *[0.1] * 8)
    points = [choose_operating_point(b, hands, values, Calibration()) for b in (0.0, 0.1, 0.2)]
    recalls = [judged(hands, values, point).shapes["victory"].pooled or 0 for point in points]
    assert recalls == sorted(recalls)
    assert recalls[0] == pytest.approx(0.5)
    assert recalls[-1] == 1


def test_a_bias_tells_shapes_apart_that_thresholds_cannot() -> None:
    hands = recorded(*rows("rock", 10), *rows("ily", 10), *rows("three", 10))
    rock, ily = {ROCK: 0.6, ILY: 0.38}, {ROCK: 0.02, ILY: 0.96}
    # As sure to be a rock as a rock is: no threshold parts the two, less of ily does.
    values = read_as([*[rock] * 50, *[ily] * 50, *[{ROCK: 0.6}] * 50])
    report = judged(hands, values, choose_operating_point(0.0, hands, values, Calibration()))
    assert report.shapes["rock"].pooled == report.shapes["ily"].pooled == 1


def test_thresholds_stay_between_release_and_what_photos_bear() -> None:
    hands, values = victories(*[0.65] * 10)
    point = choose_operating_point(0.0, hands, values, Calibration())
    assert set(point.thresholds) == set(SHAPES)
    assert all(LOWEST <= value <= HIGHEST for value in point.thresholds.values())


def test_shapes_that_photos_lose_first_pay_for_no_other() -> None:
    hands = recorded(*rows("open_palm", 10), *rows("three", 10))
    palm = CLASSES.index("open_palm")
    values = read_as([*[{palm: 0.6}] * 50, *[{palm: 0.65}] * 50])
    point = choose_operating_point(0.0, hands, values, Calibration())
    assert judged(hands, values, point).shapes["open_palm"].pooled == 1


def test_a_budget_that_nothing_keeps_leaves_calibration_as_it_is() -> None:
    hands, values = victories(*[0.999] * 10)
    calibration = Calibration(2.0, (0.5, -0.5, *[0.0] * (len(CLASSES) - 2)))
    point = choose_operating_point(0.01, hands, values, calibration)
    assert point.calibration == calibration
    assert max(point.thresholds.values()) == HIGHEST


def test_hands_near_a_shape_may_fire_it() -> None:
    hands, values = victories(*[0.8] * 10, near="victory")
    point = choose_operating_point(0.0, hands, values, Calibration())
    assert judged(hands, values, point).shapes["victory"].pooled == 1


def test_a_shape_of_few_people_keeps_its_bias() -> None:
    hands = recorded(*[("victory", "", "a")] * 10, *rows("three", 10))
    values = read_as([*[{VICTORY: 0.6}] * 10, *[{}] * 50])
    point = choose_operating_point(0.5, hands, values, Calibration())
    assert point.calibration == Calibration()
    assert point.thresholds["victory"] == HIGHEST


def test_many_hands_of_a_person_are_thinned_without_moving_the_budget() -> None:
    hands = recorded(*rows("victory", 200), *rows("three", 200))
    shown = [{VICTORY: 0.95 - 0.004 * k} for k in range(200)]
    others = [{VICTORY: 0.9 * (k / 200) ** 4} for k in range(200)]
    values = read_as([*shown * 5, *others * 5])
    report = judged(hands, values, choose_operating_point(0.1, hands, values, Calibration()))
    fires = report.other_hands.mean_over_people
    assert fires is not None
    assert 0.05 <= fires <= 0.1
