"""The trained hand classifier: the probability of each hand shape.

The model is the mean of a few small perceptrons, in one ``.tflite`` beside this module. It is
trained by ``python -m reactions.training.train_hand_classifier`` and is described in
docs/model-card-hand-classifier.md.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Self

import numpy as np
import numpy.typing as npt
from ai_edge_litert.interpreter import Interpreter

from config.errors import ModelError
from reactions.gestures.features import FEATURES
from reactions.gestures.hand_classes import CLASSES, NONE
from reactions.landmark_types import Hand
from reactions.landmarks.stderr_filter import without_notices

SHIPPED = Path(__file__).with_name("hand_classifier.tflite")
_NONE = CLASSES.index(NONE)
_REPAIR = "train it again with python -m reactions.training.train_hand_classifier, or reinstall"


@dataclass(frozen=True, slots=True)
class HeadCard:
    """What the JSON beside a head says about it."""

    classes: tuple[str, ...]
    features: int
    seed: int

    @classmethod
    def read(cls, path: Path) -> Self:
        """The card at ``path``. Raises ModelError where it is missing or says something else."""
        try:
            card = json.loads(path.read_text(encoding="utf-8"))
            return cls(tuple(card["classes"]), int(card["features"]), int(card["seed"]))
        except (OSError, ValueError, KeyError, TypeError, RecursionError) as error:
            raise ModelError(
                "not the card of a hand classifier", where=str(path), do=_REPAIR
            ) from error


class HandShapeClassifier:
    """Classifies the shape of one hand at a time. Not thread-safe: one a worker."""

    def __init__(self, path: Path = SHIPPED) -> None:
        """Load the classifier at ``path`` (default: the shipped one).

        Raises ModelError where it, or the JSON beside it, is missing, damaged or made for other
        features or classes than this version has.
        """
        card = HeadCard.read(path.with_suffix(".json"))
        if card.classes != CLASSES or card.features != FEATURES:
            raise ModelError("trained for other classes or features", where=str(path), do=_REPAIR)
        try:
            with without_notices():
                self._model = Interpreter(model_path=str(path), num_threads=1)
                self._model.allocate_tensors()
        except (OSError, ValueError, RuntimeError) as error:
            raise ModelError("can't be loaded", where=str(path), do=_REPAIR) from error
        read, said = self._model.get_input_details()[0], self._model.get_output_details()[0]
        for details, numbers in ((read, FEATURES), (said, len(CLASSES))):
            if details["dtype"] is not np.float32 or details["shape"].tolist() != [1, numbers]:
                what = "has other inputs or answers than its card says"
                raise ModelError(what, where=str(path), do=_REPAIR)
        self._input, self._output = read["index"], said["index"]

    def shapes(self, hand: Hand, features: npt.NDArray[np.float32]) -> Mapping[str, float]:
        """The probability of each class for ``hand``, whose ``features_of`` are ``features``; they
        sum to 1.

        What the landmark model doubts to be a hand is ``none`` by as much.
        """
        self._model.set_tensor(self._input, features[None])
        self._model.invoke()
        shares = self._model.get_tensor(self._output)[0] * np.float32(hand.presence)
        shares[_NONE] += 1 - shares.sum()
        return dict(zip(CLASSES, shares.tolist(), strict=True))
