from pathlib import Path

import pytest
from PIL import Image

from config.errors import PictureError
from config.reaction_table import load_reaction_table
from reactions.labels import LABELS
from reactions.landmark_types import Hand, Observation, Side
from reactions.landmarks.model_store import ModelStore
from reactions.mannequin import CAST, POSES, Scene, landmarks
from reactions.pipeline import RecognitionPipeline
from reactions.training.photos import Photo
from reactions.training.report import (
    Judged,
    confusion_plot,
    fires_table,
    judge,
    react,
    recall_table,
)

TABLE = load_reaction_table(LABELS, environ={})


def seen(label: str, *fired: str, found: bool = True, source: str = "one") -> Judged:
    return Judged(Photo(source, label, "a.jpg", "image"), found, frozenset(fired))


def test_recall_counts_hands_that_were_not_found() -> None:
    judged = [seen("fist", "fist"), seen("fist", found=False), seen("ok", "ok_hand", "open_palm")]
    lines = list(recall_table(judged))
    assert "| one | fist | 2 | 1 | 1 | 50.0% | – |" in lines
    assert "| one | ok_hand | 1 | 1 | 1 | 100.0% | open_palm 1 |" in lines
    assert "| **one** | **all** | 3 | 2 | 2 | 66.7% | open_palm 1 |" in lines


def test_labels_that_are_no_hand_shape_are_counted_too() -> None:
    judged = [seen("yawning", "yawn", found=False), seen("smiling", "laugh", found=False)]
    lines = list(recall_table(judged))
    assert "| one | yawn | 1 | 0 | 1 | 100.0% | – |" in lines
    assert "| one | smile | 1 | 0 | 1 | 100.0% | – |" in lines


def test_sources_are_reported_apart() -> None:
    judged = [seen("fist", "fist"), seen("fist", source="two")]
    lines = list(recall_table(judged))
    assert "| **one** | **all** | 1 | 1 | 1 | 100.0% | – |" in lines
    assert "| **two** | **all** | 1 | 1 | 0 | 0.0% | – |" in lines


def test_a_look_alike_that_sets_a_shape_off_is_counted_once() -> None:
    judged = [seen("neg_fidget", "fist", "thumbs_up"), seen("neg_fidget", "smile", "face")]
    lines = list(fires_table(judged, TABLE))
    assert "| one | neg_fidget | 2 | 2 | 1 | 50.0% | fist 1, thumbs_up 1 | smile 1 |" in lines


def test_photos_are_judged_at_the_tables_thresholds() -> None:
    joints = landmarks(CAST["Amara"], POSES["victory"], Scene())[Side.RIGHT]
    hand = Hand(joints, Side.RIGHT, 0.99, 0.99)
    photos = [Photo("one", "victory", "a.jpg", "image")]
    found = [Observation(640, 360, 0.0, (hand,))]
    (normal,) = judge(photos, found, TABLE)
    assert normal.found
    assert "victory" in normal.fired
    strict = {name: rule.model_copy(update={"threshold": 1.0}) for name, rule in TABLE.items()}
    (never,) = judge(photos, found, strict)
    assert never.fired == frozenset()


def test_the_plot_of_confusions_is_a_picture(tmp_path: Path) -> None:
    pytest.importorskip("matplotlib", reason="plots need the extra 'train'")
    confusion_plot([seen("fist", "fist"), seen("neg_thumb_sideways")], tmp_path / "plot.png")
    with Image.open(tmp_path / "plot.png") as picture:
        assert picture.width > 500


@pytest.mark.models
def test_what_is_no_clip_is_refused_by_name(tmp_path: Path) -> None:
    (tmp_path / "a.mp4").write_bytes(b"not a clip")
    with pytest.raises(PictureError, match=r"a\.mp4"):
        react(tmp_path / "a.mp4", RecognitionPipeline(ModelStore(), ["fist"]), TABLE)
