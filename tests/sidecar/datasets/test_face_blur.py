"""Faces are found by the real models, and blurred."""

from pathlib import Path

import numpy as np
import pytest

from config.reaction_table import load_reaction_table, only_labels
from config.settings import Settings
from reactions.datasets.records import Origin
from reactions.datasets.store import changing_dataset
from reactions.datasets.synthesizing import Synthesis, synthesize_pictures
from reactions.labels import LABELS
from reactions.landmark_types import RgbImage, Sample
from reactions.mannequin.pose_file import PoseRecipe
from sidecar.datasets.face_blur import LABELS_NEEDED, FaceBlur
from sidecar.media.pictures import read_picture
from sidecar.session.factories import make_store, pipeline_config

pytestmark = pytest.mark.models


def portrait(folder: Path) -> RgbImage:
    """A picture of a mannequin."""
    with changing_dataset(folder, create=True) as dataset:
        work = Synthesis(PoseRecipe(like="fist"), "fist", 1)
        synthesize_pictures(work, dataset, Origin(), lambda *_: None)
        (record,) = dataset.records.values()
        return read_picture(dataset.path(record)).pixels


def test_a_face_is_blurred_and_a_picture_without_one_is_refused(tmp_path: Path) -> None:
    settings = Settings()
    table = only_labels(load_reaction_table(LABELS, None), LABELS_NEEDED)
    config = pipeline_config(make_store(settings), table, settings)
    pixels = portrait(tmp_path / "set")
    face = config.load().detect(Sample(pixels, 0.0), None).face
    assert face is not None
    shown = FaceBlur(config).blurred(pixels)
    assert shown is not None
    height, width = pixels.shape[:2]
    rows = slice(int(face.y * height), int((face.y + face.height) * height))
    columns = slice(int(face.x * width), int((face.x + face.width) * width))
    before, after = (
        np.abs(np.diff(each[rows, columns].astype(int), axis=1)).mean() for each in (pixels, shown)
    )
    assert after < before / 3
    assert config.load().detect(Sample(shown, 0.0), None).face is None
    assert FaceBlur(config).blurred(np.full((90, 120, 3), 90, np.uint8)) is None
