from dataclasses import replace

import pytest

from config.reaction_rule import Kind
from config.reaction_table import load_reaction_table
from reactions.bundle import SHIPPED_BUNDLE
from reactions.labels import LABELS
from reactions.landmark_types import Observation, Side
from reactions.taught_labels import TaughtLabel
from sidecar.modelling.evaluation import JudgedBundle
from sidecar.supervisor.bundle_rows import with_bundle
from tests.reactions.test_taught_labels import hand
from tests.taught import taught_label

TABLE = load_reaction_table(LABELS, environ={})
BUNDLE = replace(SHIPPED_BUNDLE, thresholds={"fist": 0.9})


def judged_with(label: TaughtLabel) -> JudgedBundle:
    bundle = replace(BUNDLE, taught=(label,))
    return JudgedBundle(bundle, with_bundle(TABLE, bundle))


@pytest.mark.parametrize(("threshold", "fires"), [(None, False), (0.8, True), (0.95, False)])
def test_a_user_s_threshold_counts_before_the_bundle_s(
    threshold: float | None, fires: bool
) -> None:
    changes = {} if threshold is None else {"threshold": threshold}
    table = {**TABLE, "fist": TABLE["fist"].model_copy(update=changes)}
    assert bool(JudgedBundle(BUNDLE, with_bundle(table, BUNDLE)).fires({"fist": 0.85})) is fires


def test_a_taught_label_counts_at_its_own_threshold() -> None:
    label = taught_label("vulcan", threshold=0.6, outranks=("open_palm",))
    judged = judged_with(label)
    assert judged.fires({"vulcan": 0.65, "open_palm": 0.99}) == {"vulcan"}
    assert judged.fires({"vulcan": 0.55, "open_palm": 0.99}) == {"open_palm"}


def test_a_taught_label_that_is_off_is_not_measured() -> None:
    label = taught_label("vulcan", kind=Kind.OFF)
    judged = judged_with(label)
    seen = Observation(640, 480, 0.0, hands=(hand(Side.RIGHT),))
    scores, _ = judged.recognizer.recognize(seen, None)
    assert "vulcan" not in {score.label for score in scores} | judged.known
