"""Fits the network of a taught label: one hidden layer, by AdamW, in numpy."""

from dataclasses import dataclass
from math import cos, pi
from typing import Final

import numpy as np
import numpy.typing as npt

from reactions.taught_labels import TaughtNetwork

Vectors = npt.NDArray[np.float32]
"""(n, inputs)"""

_UNITS: Final = 32
_BATCH: Final = 256
_STEPS: Final = 800
_RATE: Final = 3e-3
_DECAY: Final = 0.01
_NOISE: Final = 0.1
"""Standard deviation of what is added to standardised inputs."""
_DROPOUT: Final = 0.2
_FIRST, _SECOND = 0.9, 0.999
"""Decay of the moments of AdamW (Loshchilov & Hutter 2019)."""
_POOL: Final = 16
"""Batches of random numbers that are drawn once and used again and again."""
_DIGITS: Final = 6
SHOWN_SHARE: Final = 0.3
"""Weight of the vectors that show the label."""


@dataclass(frozen=True, slots=True, eq=False)
class _Layers:
    weights: npt.NDArray[np.float32]
    biases: npt.NDArray[np.float32]
    out: npt.NDArray[np.float32]
    """(units + 1,): the bias last."""

    @property
    def parts(self) -> tuple[npt.NDArray[np.float32], ...]:
        return self.weights, self.biases, self.out


def fit_taught(shown: Vectors, other: Vectors, seed: int) -> TaughtNetwork:
    """The network that tells ``shown`` vectors from ``other`` ones; the same ``seed`` gives the
    same one."""
    rng = np.random.default_rng([seed, 17])
    both = np.concatenate([shown, other])
    center, scale = both.mean(axis=0), both.std(axis=0) + np.float32(1e-6)
    shown, other = (shown - center) / scale, (other - center) / scale
    inputs = both.shape[1]
    layers = _Layers(
        rng.normal(0, (2 / inputs) ** 0.5, (inputs, _UNITS)).astype(np.float32),
        np.zeros(_UNITS, np.float32),
        np.append(rng.normal(0, (2 / _UNITS) ** 0.5, _UNITS), 0).astype(np.float32),
    )
    _descend(layers, shown, other, rng)
    weights = layers.weights.astype(np.float64) / scale[:, None]
    biases = layers.biases - center @ weights
    return TaughtNetwork(
        hidden=tuple(tuple(map(_short, row)) for row in [*weights.tolist(), biases.tolist()]),
        out=tuple(map(_short, layers.out.tolist())),
    )


def _short(number: float) -> float:
    return float(f"{number:.{_DIGITS}g}")


def _descend(layers: _Layers, shown: Vectors, other: Vectors, rng: np.random.Generator) -> None:
    """Fit ``layers`` in place."""
    ours = round(_BATCH * SHOWN_SHARE)
    right = np.repeat(np.array([1, 0], np.float32), [ours, _BATCH - ours])
    noise = rng.standard_normal((_POOL, _BATCH, shown.shape[1]), np.float32) * np.float32(_NOISE)
    kept = (rng.random((_POOL, _BATCH, _UNITS), np.float32) >= _DROPOUT) / np.float32(1 - _DROPOUT)
    first = [np.zeros_like(part) for part in layers.parts]
    second = [np.zeros_like(part) for part in layers.parts]
    for step in range(1, _STEPS + 1):
        picked = (
            shown[rng.integers(0, len(shown), ours)],
            other[rng.integers(0, len(other), _BATCH - ours)],
        )
        batch = np.concatenate(picked) + noise[rng.integers(0, _POOL)]
        slopes = _slopes(layers, batch, right, kept[rng.integers(0, _POOL)])
        rate = _RATE * 0.5 * (1 + cos(pi * step / _STEPS))
        for part, slope, mean, square in zip(layers.parts, slopes, first, second, strict=True):
            mean += np.float32(1 - _FIRST) * (slope - mean)
            square += np.float32(1 - _SECOND) * (slope * slope - square)
            move = mean / (1 - _FIRST**step) / (np.sqrt(square / (1 - _SECOND**step)) + 1e-8)
            part *= np.float32(1 - rate * _DECAY)
            part -= np.float32(rate) * move.astype(np.float32)


def _slopes(
    layers: _Layers, batch: Vectors, right: npt.NDArray[np.float32], kept: npt.NDArray[np.float32]
) -> tuple[npt.NDArray[np.float32], ...]:
    """What the logarithmic loss falls along, part by part."""
    reached = batch @ layers.weights + layers.biases
    gates = (reached > 0) * kept
    reached = reached * gates
    value = np.clip(reached @ layers.out[:-1] + layers.out[-1], -60, 60)
    slope = (1 / (1 + np.exp(-value)) - right) / np.float32(len(batch))
    below = np.outer(slope, layers.out[:-1]) * gates
    return batch.T @ below, below.sum(axis=0), np.append(reached.T @ slope, slope.sum())
