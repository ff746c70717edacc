"""Taught labels and bundles of them for tests."""

import shutil
from pathlib import Path
from typing import Any

from reactions.bundle import CLASSIFIER_CARD, TAUGHT, WEIGHTS, write_card
from reactions.gestures.hand_classifier import SHIPPED
from reactions.taught_labels import (
    VIEW_SIZES,
    LandmarkView,
    TaughtLabel,
    TaughtNetwork,
    write_taught,
)


def taught_label(
    name: str, view: LandmarkView = LandmarkView.HAND, answer: float = 5.0, **more: Any
) -> TaughtLabel:
    """A label that all hands show (or, with a negative ``answer``, none)."""
    hidden = tuple((0.0,) for _ in range(VIEW_SIZES[view] + 1))
    network = TaughtNetwork(hidden=hidden, out=(0.0, answer))
    values = {"how": "as shown", "threshold": 0.6, **more}
    return TaughtLabel(name=name, view=view, network=network, **values)


def taught_bundle(folder: Path, *labels: TaughtLabel, parent: str = "shipped") -> Path:
    """A bundle of the shipped classifier and ``labels``, with the stickers that they name."""
    folder.mkdir(parents=True)
    shutil.copy(SHIPPED, folder / WEIGHTS)
    shutil.copy(SHIPPED.with_suffix(".json"), folder / CLASSIFIER_CARD)
    write_taught(labels, folder / TAUGHT)
    for label in labels:
        if label.sticker and "." in label.sticker:
            (folder / label.sticker).write_bytes(b"GIF89a")
    write_card(folder, parent=parent)
    return folder
