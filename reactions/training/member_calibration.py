"""How sure the members of a network may be: one temperature, and a bias a class."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from reactions.gestures.hand_classes import CLASSES
from reactions.training.training_set import Classes

Array = npt.NDArray[np.float32]
Logits = npt.NDArray[np.float32]
"""(n, members, classes)"""
Probabilities = npt.NDArray[np.float32]
"""(n, classes)"""

_CALIBRATING_STEPS = 300
_CALIBRATING_RATE = 0.05


@dataclass(frozen=True, slots=True)
class Calibration:
    """How sure the members may be (Guo et al., On Calibration of Modern Neural Networks, 2017)."""

    temperature: float = 1.0
    """Logits are divided by it …"""
    bias: tuple[float, ...] = (0.0,) * len(CLASSES)
    """… and then moved by this, a number a class."""

    def apply(self, values: Logits) -> Logits:
        """The members' logits, calibrated."""
        moved = values / np.float32(self.temperature) + np.array(self.bias, np.float32)
        return np.asarray(moved, np.float32)


def probabilities(values: Logits, calibration: Calibration | None = None) -> Probabilities:
    """The members' mean probability of each class, from their logits."""
    scaled = values if calibration is None else calibration.apply(values)
    return np.asarray(softmax(scaled).mean(axis=1), np.float32)


def softmax(values: Array) -> Array:
    """Shares of the last axis, which add up to 1."""
    grown = np.exp(values - values.max(axis=-1, keepdims=True))
    return np.asarray(grown / grown.sum(axis=-1, keepdims=True), np.float32)


def calibrate(values: Logits, right: Classes, weights: npt.NDArray[np.float64]) -> Calibration:
    """What makes held-out ``values`` least surprised by the ``right`` classes.

    One temperature and a bias a class ("vector scaling" with one scale), by gradient descent on the
    logarithmic loss of the members' mean, where hands count as ``weights`` (n,) say.
    """
    share = (weights / weights.sum()).astype(np.float32)
    marks = right.astype(np.float32)
    sharp, bias = 1.0, np.zeros(len(CLASSES), np.float32)
    moved = np.zeros(len(CLASSES) + 1, np.float32)
    pace = np.zeros_like(moved)
    for step in range(1, _CALIBRATING_STEPS + 1):
        shares = softmax(values * np.float32(sharp) + bias)
        hit = shares * marks[:, None]
        each = hit.sum(axis=2, keepdims=True)
        found = np.maximum(each.mean(axis=1, keepdims=True), 1e-9)
        # The loss is -log of the members' mean share of the right classes.
        slope = (shares * each - hit) * (share[:, None, None] / found / values.shape[1])
        down = np.append(slope.sum(axis=(0, 1)), (slope * values).sum()).astype(np.float32)
        moved = np.float32(0.9) * moved + np.float32(0.1) * down
        pace = np.float32(0.99) * pace + np.float32(0.01) * down * down
        rise = _CALIBRATING_RATE * (1 - step / _CALIBRATING_STEPS)
        go = rise * (moved / (1 - 0.9**step)) / (np.sqrt(pace / (1 - 0.99**step)) + 1e-8)
        bias = (bias - go[:-1]).astype(np.float32)
        sharp = max(sharp - float(go[-1]), 0.1)
    bias -= bias.mean()
    return Calibration(round(1 / sharp, 4), tuple(round(float(each), 4) for each in bias))
