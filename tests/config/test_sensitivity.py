"""How a sensitivity moves the table."""

from itertools import pairwise

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from config.reaction_rule import ReactionRule
from config.reaction_table import load_reaction_table
from config.sensitivity import LONG_HOLD, Sensitivity, with_sensitivity
from reactions.gestures.calibration import ramp
from reactions.labels import LABELS

FROM_CALM = (Sensitivity.CALM, Sensitivity.NORMAL, Sensitivity.PLAYFUL)
TABLE = load_reaction_table(LABELS, environ={})


def test_normal_is_the_table_itself() -> None:
    assert with_sensitivity(TABLE, Sensitivity.NORMAL) == TABLE


@pytest.mark.parametrize("label", LABELS)
def test_each_step_towards_playful_asks_for_less(label: str) -> None:
    rules = [with_sensitivity(TABLE, sensitivity)[label] for sensitivity in FROM_CALM]
    for calmer, easier in pairwise(rules):
        assert calmer.threshold > easier.threshold
        assert calmer.release > easier.release
        assert calmer.hold >= easier.hold
        assert calmer.sticker == easier.sticker


@example(1.0, 5e-324, 0.0, Sensitivity.PLAYFUL)
@given(st.floats(0.01, 1.0), st.floats(0.0, 1.0), st.floats(0, 10), st.sampled_from(FROM_CALM))
def test_a_moved_rule_is_still_one(
    threshold: float, share: float, hold: float, sensitivity: Sensitivity
) -> None:
    rule = ReactionRule(threshold=threshold, release=share * threshold, hold=hold)
    moved = with_sensitivity({"fist": rule}, sensitivity)["fist"]
    assert 0 <= moved.release <= moved.threshold <= 1
    assert moved.hold >= min(hold, 0.2)


def test_a_step_is_the_same_step_of_a_measure_from_any_threshold() -> None:
    def measured(score: float) -> float:
        """The measure, of a ramp from 1 to 2, that has ``score``."""
        low, high = -20.0, 20.0
        for _ in range(60):
            middle = (low + high) / 2
            low, high = (middle, high) if ramp(middle, at=1, sure=2) < score else (low, middle)
        return low

    steps = []
    for threshold in (0.5, 0.7, 0.9):
        table = {"fist": ReactionRule(threshold=threshold, release=0.4)}
        calm = with_sensitivity(table, Sensitivity.CALM)["fist"]
        steps.append(measured(calm.threshold) - measured(threshold))
    assert steps == pytest.approx([steps[0]] * 3, abs=1e-6)


def test_a_hold_against_what_people_do_by_the_way_is_never_shortened() -> None:
    playful = with_sensitivity(TABLE, Sensitivity.PLAYFUL)
    for label, rule in TABLE.items():
        if rule.hold >= LONG_HOLD:
            assert playful[label].hold == rule.hold
