import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from config.reaction_rule import ReactionRule
from reactions.gestures.calibration import DECISION, ramp

measures = st.floats(-1e6, 1e6)


def test_the_decision_point_is_the_default_threshold() -> None:
    assert ReactionRule(sticker="x").threshold == DECISION
    assert ramp(0.3, at=0.3, sure=0.5) == pytest.approx(DECISION)


def test_a_sure_measure_scores_95_percent_whichever_way_the_ramp_goes() -> None:
    assert ramp(0.5, at=0.3, sure=0.5) == pytest.approx(0.95)
    assert ramp(0.1, at=0.3, sure=0.1) == pytest.approx(0.95)


@settings(deadline=None)
@given(measures, measures)
def test_a_ramp_never_falls_and_stays_within_0_and_1(one: float, other: float) -> None:
    low, high = ramp(min(one, other), at=0, sure=1), ramp(max(one, other), at=0, sure=1)
    assert 0 <= low <= high <= 1
