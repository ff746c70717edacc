"""What heads learn from, read with the real models."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from reactions.datasets.records import LabelledBox
from reactions.datasets.store import changing_dataset
from reactions.landmarks.model_store import ModelStore
from reactions.mannequin import CAST, POSES, Scene, render
from reactions.trained_heads import HEAD_LABELS, HEAD_SIZES, HeadKind
from reactions.training.head_network import HeadPlan
from sidecar.modelling import head_readings
from tests.reactions.datasets.pictures import record_of

pytestmark = pytest.mark.models


def test_mannequins_and_data_sets_are_read_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "mine"
    with changing_dataset(folder, create=True) as dataset:
        pixels = render(next(iter(CAST.values())), POSES["arms_raised"], Scene(), 640, 360, seed=1)
        path = tmp_path / "ada.png"
        Image.fromarray(pixels).save(path)
        dataset.put(record_of(path, (LabelledBox("arms_raised", 0, 0, 640, 360),)), path)
        dataset.save()
    plan = HeadPlan(HeadKind.BODY, pictures=1)
    found = head_readings.read_head_examples(plan, [folder], ModelStore(), tmp_path / "readings")
    assert found.vectors.shape[1] == HEAD_SIZES[HeadKind.BODY]
    mine = np.char.startswith(found.people, "mine/")
    raised = HEAD_LABELS[HeadKind.BODY].index("arms_raised")
    assert mine.any()
    assert (found.classes[mine] == raised).all()
    assert found.rules[mine, raised].min() > 0.6
    assert len(np.unique(found.people)) > 2
    monkeypatch.setattr(head_readings.HeadReader, "rows", None)
    again = head_readings.read_head_examples(plan, [folder], ModelStore(), tmp_path / "readings")
    assert (again.vectors == found.vectors).all()
    assert (again.people == found.people).all()
