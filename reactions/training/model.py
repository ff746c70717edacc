"""The hand classifier as numpy sees it: small perceptrons side by side, averaged in the end.

All perceptrons of a training run learn from the same hands: those that are shipped, and for each
fold those that must not see its people. Matrices this small are multiplied
four times faster by numpy than by Keras, which only writes the LiteRT file.
"""

import contextlib
import io
import os
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from itertools import pairwise
from pathlib import Path
from typing import Any, Self

import numpy as np
import numpy.typing as npt

from reactions.gestures.features import FEATURES, Features
from reactions.gestures.hand_classes import CLASSES
from reactions.training.adamw import AdamW
from reactions.training.checkpoints import Checkpoints
from reactions.training.joint_distances import WIDE, WideFeatures, widened, widened_in_keras
from reactions.training.member_calibration import Calibration, Logits, softmax
from reactions.training.training_set import Epoch

Array = npt.NDArray[np.float32]

ALL_HANDS = -2
"""No fold: such a member is trained on all hands."""
_WIDTHS = (WIDE, 192, 96, len(CLASSES))
_BATCH = 512
_RATE = 2e-3
_DROPOUT = 0.2
_NOISE = 0.03
_SMOOTHING = 0.05
_ROBUST = 0.3
"""Zhang & Sabuncu, Generalized Cross Entropy Loss, 2018: 0 is cross entropy, 1 the mean absolute
error. Hands that the model finds hopeless pull less, since some labels are wrong."""
_MIXED = 0.2
"""Zhang et al., mixup: Beyond Empirical Risk Minimization, 2018: each hand is learnt from mixed
with another one, at shares drawn from Beta(0.2, 0.2): most are nearly pure."""
_POOL = 8
"""Noise and dropout are cut at random places out of so many batches of random numbers."""
_READ = 8192
"""Hands that are read at a time."""


@dataclass(frozen=True, slots=True, eq=False)
class Member:
    """One perceptron: views into one row of its network's ``values``."""

    weights: tuple[Array, ...]
    """(in, out) a layer; the first one's are those of what the member reads."""
    biases: tuple[Array, ...]
    """(out,) a layer."""

    @classmethod
    def of(cls, row: Array, reads: int = WIDE) -> Self:
        """The member whose numbers ``row`` holds, layer by layer.

        It ``reads`` so many of a hand's widened features, from the first on.
        """
        weights, biases, at = [], [], 0
        for before, after in pairwise(_WIDTHS):
            weights.append(row[at : at + before * after].reshape(before, after))
            at += before * after
            biases.append(row[at : at + after])
            at += after
        weights[0] = weights[0][:reads]
        return cls(tuple(weights), tuple(biases))


@dataclass(frozen=True, slots=True, eq=False)
class Network:
    """Perceptrons that read the same features."""

    values: Array
    """(members, numbers): weights and biases of each; weights of what it does not read are 0."""
    center: Array
    """(WIDE,): what is subtracted from widened features …"""
    scale: Array
    """(WIDE,): … and what they are then divided by."""

    @property
    def members(self) -> tuple[Member, ...]:
        return tuple(Member.of(row) for row in self.values)

    @classmethod
    def drawn(cls, reads: Sequence[int], features: WideFeatures, rng: np.random.Generator) -> Self:
        """A random member for each of ``reads`` and such ``features`` (He et al. 2015)."""
        size = sum((a + 1) * b for a, b in pairwise(_WIDTHS))
        values = np.zeros((len(reads), size), np.float32)
        for row, read in zip(values, reads, strict=True):
            for weights in Member.of(row, read).weights:
                weights[:] = rng.normal(0, (2 / len(weights)) ** 0.5, weights.shape)
        return cls(values, features.mean(axis=0), features.std(axis=0) + np.float32(1e-6))


def _reads(kept_out: Sequence[int]) -> tuple[int, ...]:
    """What each member reads: of those that learn from the same hands, every second one looks at
    the joints' distances, too. Members that see a hand differently err differently."""
    earlier = [list(kept_out[:k]).count(fold) for k, fold in enumerate(kept_out)]
    return tuple(WIDE if each % 2 else FEATURES for each in earlier)


def fit(
    drawn: Iterator[Epoch],
    *,
    epochs: int,
    rounds: int,
    kept_out: Sequence[int],
    seed: int,
    threads: int = 1,
    checkpoints: Checkpoints | None = None,
) -> Network:
    """Perceptrons trained ``rounds`` times on each of ``epochs`` epochs of ``drawn``.

    ``kept_out`` has a row for each member: the fold whose hands it must not see, or ALL_HANDS. Each
    member has its own random numbers, so the number of ``threads`` changes nothing but the time.
    ``checkpoints`` keeps each member after each epoch, and what it has kept is where a member goes
    on: the result is that of a training that nothing interrupted, bit by bit.
    """
    hands = [
        replace(epoch, features=widened(epoch.features))
        for _, epoch in zip(range(epochs), drawn, strict=False)
    ]
    reads = _reads(kept_out)
    network = Network.drawn(reads, hands[0].features, np.random.default_rng([seed, 2]))
    with ThreadPoolExecutor(max_workers=threads) as pool:
        rows = [
            pool.submit(_fit_member, network, k, read, hands * rounds, fold, seed, checkpoints)
            for k, (fold, read) in enumerate(zip(kept_out, reads, strict=True))
        ]
        for row in rows:
            row.result()
    return network


def _fit_member(
    network: Network,
    k: int,
    reads: int,
    epochs: Sequence[Epoch],
    fold: int,
    seed: int,
    checkpoints: Checkpoints | None,
) -> None:
    """Train the ``k``-th member (in place) on what ``fold`` does not hold out of ``epochs``, whose
    features are widened."""
    rng = np.random.default_rng([seed, 3, k])
    values = network.values[k]
    member, shaking = Member.of(values, reads), _Shaking.of(rng)
    steps = sum(int((epoch.fold != fold).sum()) // _BATCH for epoch in epochs)
    optimiser = AdamW.of(values, steps, _RATE)
    state = None if checkpoints is None else checkpoints.load(k)
    losses: list[float] = []
    held_out: list[float] = []
    if state is not None:
        values[:] = state.values
        optimiser.go_on(state)
        rng.bit_generator.state = state.random
        losses, held_out = list(state.losses), list(state.held_out)
    for epoch in epochs[len(losses) :]:
        losses.append(_fit_epoch(network, member, values, optimiser, epoch, fold, shaking, rng))
        if checkpoints is not None:
            held_out.append(_named_right(network, k, epoch, fold))
            random = rng.bit_generator.state
            checkpoints.save(k, optimiser.state(values, random, losses, held_out))


def _fit_epoch(
    network: Network,
    member: Member,
    values: Array,
    optimiser: AdamW,
    epoch: Epoch,
    fold: int,
    shaking: "_Shaking",
    rng: np.random.Generator,
) -> float:
    """Learn (in place) from ``epoch`` once; the mean loss of its batches."""
    order = rng.permutation(np.flatnonzero(epoch.fold != fold))
    reads = len(member.weights[0])
    center, scale = network.center[:reads], network.scale[:reads]
    losses = []
    for start in range(0, len(order) - _BATCH + 1, _BATCH):
        picked = order[start : start + _BATCH]
        features = (epoch.features[picked, :reads] - center) / scale
        share = rng.beta(_MIXED, _MIXED, (_BATCH, 1)).astype(np.float32)
        share = np.maximum(share, 1 - share)
        partner = rng.permutation(_BATCH)
        features = share * features + (1 - share) * features[partner]
        features += shaking.noise(features.shape, rng)
        right = epoch.right[picked].astype(np.float32)
        parts = ((share, right), (1 - share, right[partner]))
        losses.append(_descend(member, optimiser.slopes, features, parts, shaking, rng))
        optimiser.step(values)
    return float(np.mean(losses)) if losses else 0.0


def _named_right(network: Network, k: int, epoch: Epoch, fold: int) -> float:
    """The share of the hands of ``fold`` that the ``k``-th member names right; 0 of none."""
    out = np.flatnonzero(epoch.fold == fold)[:_READ]
    if not len(out):
        return 0.0
    alone = Network(network.values[k : k + 1], network.center, network.scale)
    best = _answers(alone, epoch.features[out])[:, 0].argmax(axis=1)
    return float(epoch.right[out, best].mean())


@dataclass(frozen=True, slots=True, eq=False)
class _Shaking:
    """Random numbers that are drawn once and cut anywhere: drawing takes longer than learning."""

    normal: Array
    kept: Array
    """Zero, or what makes up for the zeros."""

    @classmethod
    def of(cls, rng: np.random.Generator) -> Self:
        size = _POOL * _BATCH
        kept = rng.random(size * max(_WIDTHS[1:]), np.float32) >= _DROPOUT
        normal = rng.standard_normal(size * WIDE, np.float32) * np.float32(_NOISE)
        return cls(normal, kept * np.float32(1 / (1 - _DROPOUT)))

    def noise(self, shape: tuple[int, ...], rng: np.random.Generator) -> Array:
        return _cut(self.normal, shape, rng)

    def dropout(self, shape: tuple[int, ...], rng: np.random.Generator) -> Array:
        return _cut(self.kept, shape, rng)


def _cut(pool: Array, shape: tuple[int, ...], rng: np.random.Generator) -> Array:
    size = int(np.prod(shape))
    start = int(rng.integers(0, len(pool) - size))
    return pool[start : start + size].reshape(shape)


def _descend(
    member: Member,
    slopes: Array,
    values: Array,
    parts: Sequence[tuple[Array, Array]],
    shaking: _Shaking,
    rng: np.random.Generator,
) -> float:
    """The loss's ``slopes`` (numbers,) for ``member`` by back-propagation, and the mean logarithmic
    loss.

    ``parts`` are the hands that are mixed in ``values``: the share (n, 1) of each, and its right
    classes (n, classes). Any right class will do: what counts is the sum of their probabilities.
    """
    reached, gates = [values], []
    for weights, bias in zip(member.weights[:-1], member.biases, strict=False):
        value = reached[-1] @ weights + bias
        gates.append((value > 0) * shaking.dropout(value.shape, rng))
        reached.append(value * gates[-1])
    shares = softmax(reached[-1] @ member.weights[-1] + member.biases[-1])
    slope, loss = np.zeros_like(shares), 0.0
    for part, right in parts:
        hit = shares * right
        found = np.clip(hit.sum(axis=1, keepdims=True), 1e-7, 1)
        wanted = np.float32(1 - _SMOOTHING) * hit / found + np.float32(_SMOOTHING / len(CLASSES))
        slope += part * (shares - wanted) * found ** np.float32(_ROBUST)
        loss -= float((part * np.log(found)).mean())
    slope /= np.float32(len(values))
    out = Member.of(slopes, len(member.weights[0]))
    for i in range(len(member.weights) - 1, -1, -1):
        np.matmul(reached[i].T, slope, out=out.weights[i])
        out.biases[i][:] = slope.sum(axis=0)
        if i:
            slope = (slope @ member.weights[i].T) * gates[i - 1]
    return loss


def logits(network: Network, features: Features) -> Logits:
    """What the members of ``network`` give for ``features`` (n, FEATURES)."""
    out = np.zeros((len(features), len(network.values), len(CLASSES)), np.float32)
    for start in range(0, len(features), _READ):
        rows = slice(start, start + _READ)
        out[rows] = _answers(network, widened(features[rows]))
    return out


def _answers(network: Network, features: WideFeatures) -> Logits:
    scaled = (features - network.center) / network.scale
    out = np.zeros((len(features), len(network.values), len(CLASSES)), np.float32)
    for i, member in enumerate(network.members):
        value = scaled
        for weights, bias in zip(member.weights[:-1], member.biases, strict=False):
            value = np.maximum(value @ weights + bias, 0)
        out[:, i] = value @ member.weights[-1] + member.biases[-1]
    return out


def export(network: Network, members: Sequence[int], calibration: Calibration, path: Path) -> None:
    """Write the mean of ``members`` as a LiteRT file for one hand at a time.

    It widens features by itself; the first layer scales them, the last one calibrates answers.
    TensorFlow is imported here: it takes seconds and half a gigabyte.
    """
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
    import keras
    import tensorflow as tf

    entry = keras.Input((FEATURES,))
    wide = widened_in_keras(entry)
    answers = [
        keras.layers.Softmax()(_as_keras(wide, network, network.members[k], calibration))
        for k in members
    ]
    mean = keras.layers.Average()(answers) if len(answers) > 1 else answers[0]
    converter = tf.lite.TFLiteConverter.from_keras_model(keras.Model(entry, mean))
    path.parent.mkdir(parents=True, exist_ok=True)
    # Keras prints what it hands to the converter.
    with contextlib.redirect_stdout(io.StringIO()):
        path.write_bytes(converter.convert())


def _as_keras(value: Any, network: Network, member: Member, calibration: Calibration) -> Any:
    from keras import layers

    weights = [each.astype(np.float64) for each in member.weights]
    biases = [each.astype(np.float64) for each in member.biases]
    weights[0] = weights[0] / network.scale[:, None]
    biases[0] = biases[0] - network.center @ weights[0]
    weights[-1] = weights[-1] / calibration.temperature
    biases[-1] = biases[-1] / calibration.temperature + np.array(calibration.bias)
    for i, (matrix, bias) in enumerate(zip(weights, biases, strict=True)):
        layer = layers.Dense(len(bias), activation=None if i == len(weights) - 1 else "relu")
        value = layer(value)
        layer.set_weights([matrix.astype(np.float32), bias.astype(np.float32)])
    return value
