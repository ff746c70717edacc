"""``model evaluate`` with a bundle whose detector is a double: what it finds is known."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from config.reaction_table import load_reaction_table
from reactions.bundle import SHIPPED_BUNDLE
from reactions.detected_labels import DetectedLabel
from reactions.geometry import Box
from reactions.labels import LABELS
from reactions.landmark_types import FoundObject, Observation
from reactions.training.detector_pictures import BoxedPicture
from sidecar.modelling.evaluation import JudgedBundle
from sidecar.supervisor.bundle_rows import with_bundle

TABLE = load_reaction_table(LABELS, environ={})
PHONE = DetectedLabel(name="phone", how="hold it", threshold=0.5)


class FixedFinder:
    """Finds the same phone in each picture."""

    def find(self, picture: object) -> tuple[FoundObject, ...]:
        return (FoundObject("phone", 0.8, Box(0.1, 0.1, 0.2, 0.2)),)


def judged(monkeypatch: pytest.MonkeyPatch) -> JudgedBundle:
    with_phones = replace(SHIPPED_BUNDLE, detected=(PHONE,))
    bundle = JudgedBundle(with_phones, with_bundle(TABLE, with_phones))
    monkeypatch.setattr(bundle, "_detector", FixedFinder())
    return bundle


def test_boxes_are_measured_at_the_table_s_threshold(monkeypatch: pytest.MonkeyPatch) -> None:
    bundle = judged(monkeypatch)
    true = np.array([(0.1, 0.1, 0.3, 0.3)], np.float32)
    boxed = BoxedPicture(Path("x"), "x", true, np.zeros(1, np.int64))
    seen = bundle.look(Observation(64, 36, 0.0), np.zeros((36, 64, 3), np.uint8), boxed)
    scores, _ = bundle.recognizer.recognize(seen, None)
    assert {one.label: one.score for one in scores}["phone"] == 0.8
    assert bundle.fires({"phone": 0.8}) == {"phone"}
    report = bundle.report()
    assert report is not None
    assert report.figures["phone"].recall == 1.0


def test_a_bundle_without_a_detector_has_no_report_of_boxes() -> None:
    assert JudgedBundle(SHIPPED_BUNDLE, TABLE).report() is None
