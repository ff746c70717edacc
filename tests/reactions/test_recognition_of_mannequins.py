"""Drawn people through the whole recogniser: a frugal sample of ``python -m bench recognition``."""

import pytest

from bench.recognition import Cell, watch
from config.reaction_table import ReactionTable, load_reaction_table
from reactions.labels import LABELS
from reactions.landmarks.model_store import ModelStore
from reactions.mannequin import LOOKALIKES, MEDIUM, NEAR, POSES
from reactions.pipeline import RecognitionPipeline

pytestmark = pytest.mark.models

NAMED = 0.88
"""Least share of held frames that is named. There are nine: one may be lost on another machine."""
FIRED = 0.12
"""Largest share of frames that set something off: likewise one of nine."""

NOT_DRAWN = {"drinking": "the detector of mugs takes drawn ones for none"}
"""Labels that mannequins can't show to the models, with the reason."""

SEEN_FROM = (Cell(2, MEDIUM, 0.0), Cell(5, NEAR, 15.0), Cell(8, MEDIUM, -15.0))


@pytest.fixture(scope="module")
def detector() -> RecognitionPipeline:
    return RecognitionPipeline(ModelStore(), list(LABELS))


@pytest.fixture(scope="module")
def table() -> ReactionTable:
    return load_reaction_table(LABELS)


@pytest.mark.parametrize("label", sorted(POSES.keys() - NOT_DRAWN.keys()))
def test_a_held_pose_is_named(
    detector: RecognitionPipeline, table: ReactionTable, label: str
) -> None:
    tally = watch(detector, table, label, SEEN_FROM)
    others = f"others: {dict(tally.fired)}, {tally.handless} without a hand"
    assert tally.recall >= NAMED, others


@pytest.mark.parametrize("name", sorted(LOOKALIKES))
def test_a_lookalike_sets_nothing_off(
    detector: RecognitionPipeline, table: ReactionTable, name: str
) -> None:
    tally = watch(detector, table, name, SEEN_FROM)
    assert tally.alarms <= FIRED, f"fired: {dict(tally.fired)}"
