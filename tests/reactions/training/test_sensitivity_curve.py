import numpy as np

from config.reaction_table import load_reaction_table
from reactions.gestures.hand_classes import SHAPES
from reactions.labels import LABELS
from reactions.training.sensitivity_curve import sensitivity_table
from tests.reactions.training.recorded import recorded


def test_a_score_at_the_threshold_counts_at_all_sensitivities_but_calm() -> None:
    table = load_reaction_table(LABELS, environ={})
    rows = [("fist", "", person) for person in "abcde" for _ in range(5)]
    hands = recorded(*rows, *[("three", "", "a")] * 5)
    scores = np.zeros((30, len(SHAPES)), np.float32)
    scores[:, SHAPES.index("fist")] = table["fist"].threshold
    by_step = {
        line.split("`")[1]: line for line in sensitivity_table(hands, scores, table) if "`" in line
    }
    assert "| 0.0% | 0.0% | 0.0% |" in by_step["calm"]
    assert "| 100.0% | 100.0% | 100.0% |" in by_step["normal"]
    assert "| 100.0% | 100.0% | 100.0% |" in by_step["playful"]
