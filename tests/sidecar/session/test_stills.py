"""Single pictures, judged without a hold; the recogniser is the test's own."""

import pytest

from config.reaction_rule import Kind, ReactionRule
from reactions.geometry import Box
from reactions.labels import LabelScore
from reactions.landmark_types import Side
from reactions.pipeline import Care, Detection, first_memory
from sidecar.session.stills import StillPolicy, label_reports

TABLE = {
    "thumbs_up": ReactionRule(threshold=0.7, release=0.5),
    "face": ReactionRule(kind=Kind.EVENT, threshold=0.5, release=0.4),
    "fist": ReactionRule(kind=Kind.OFF),
}
BOX = Box(0.1, 0.2, 0.3, 0.4)


@pytest.mark.parametrize(
    ("label", "score", "fires"),
    [
        ("thumbs_up", 0.7, True),
        ("thumbs_up", 0.699, False),
        ("face", 0.5, True),
        ("fist", 1.0, False),
    ],
)
def test_a_label_fires_at_its_threshold_unless_it_is_off(
    label: str, score: float, fires: bool
) -> None:
    policy, seen = StillPolicy(TABLE), LabelScore(label, score, BOX, Side.LEFT)
    assert policy.fires(seen) is fires
    assert len(policy.observe("ada", [seen], 0.0)) == fires


def test_a_reaction_of_a_still_keeps_score_box_and_hand() -> None:
    [start] = StillPolicy(TABLE).observe("ada", [LabelScore("face", 0.9, BOX, Side.RIGHT)], 0.0)
    assert (start.score, start.box, start.hand, start.progress) == (0.9, BOX, Side.RIGHT, 1.0)


def test_a_report_has_no_label_that_is_off() -> None:
    seen = (LabelScore("fist", 0.9, BOX), LabelScore("face", 0.8, BOX))
    memory = first_memory(Care.NONE, 640, 360)
    assert memory is not None
    reports = label_reports(Detection(seen, None, memory, 1.0), TABLE)
    assert [one.label for one in reports] == ["face"]
