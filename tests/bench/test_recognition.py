"""The sweep over mannequins: landmarks that are kept give what detection gives."""

from pathlib import Path

import pytest

from bench import recognition
from bench.recognition import Cell, KeptWatch, cells_in_turn, watch
from config.reaction_table import load_reaction_table
from reactions.labels import LABELS
from reactions.landmark_types import RgbImage
from reactions.landmarks.model_store import ModelStore
from reactions.mannequin import MEDIUM
from reactions.pipeline import RecognitionPipeline


@pytest.mark.models
def test_landmarks_that_are_kept_give_the_counts_of_the_pipeline(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    where = [Cell(3, MEDIUM, 0.0)]
    detector = RecognitionPipeline(ModelStore(), list(LABELS))
    detected = watch(detector, load_reaction_table(LABELS), "thumbs_up", where)
    assert KeptWatch(tmp_path).tally("thumbs_up", where) == detected

    def drawn(*_: object, **__: object) -> RgbImage:
        raise AssertionError("drawn again")

    monkeypatch.setattr(recognition, "render", drawn)
    assert KeptWatch(tmp_path).tally("thumbs_up", where) == detected


def test_each_tone_is_seen_from_every_distance_and_yaw() -> None:
    cells = list(cells_in_turn())
    assert len(set(cells)) == 30
    assert {(cell.tone, cell.distance) for cell in cells[:10]} == {
        (tone, cells[0].distance) for tone in range(10)
    }
    for tone in range(10):
        mine = [cell for cell in cells if cell.tone == tone]
        assert len({cell.distance for cell in mine}) == 3
        assert len({cell.yaw for cell in mine}) == 3
