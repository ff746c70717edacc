"""Fits heads: small networks from numbers to the labels of one kind, by folds over people.

The members of a training are a network a fold, which has not seen the fold's people, and one that
has seen all of them. The folds' networks set thresholds and give the figures.
"""

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from reactions.trained_heads import (
    BLINKS_READ,
    HEAD_LABELS,
    HEAD_SIZES,
    HeadKind,
    HeadMode,
    TrainedHead,
    Vectors,
    head_classes,
)
from reactions.training.adamw import AdamW
from reactions.training.checkpoints import Checkpoints

UNITS: Final = 32
_BATCH: Final = 256
_STEPS: Final = 60
"""Of an epoch."""
_RATE: Final = 3e-3
_NOISE: Final = 0.15
"""Standard deviation of what is added to standardised inputs."""
_DROPOUT: Final = 0.2
_SMOOTHING: Final = 0.05
_NONE_SHARE: Final = 0.4
"""Of each batch shows none of the labels."""
_UNREAD: Final = 0.4
"""Share of faces whose blendshapes are hidden: where eyes are not enabled none are read."""
_DIGITS: Final = 6
ALL: Final = -1
"""No fold: the member that has seen all people."""


@dataclass(frozen=True, slots=True, eq=False)
class HeadExamples:
    """Readings (n) of one kind, with what they show and whose they are."""

    kind: HeadKind
    vectors: Vectors
    classes: npt.NDArray[np.int64]
    """(n,): by index into ``head_classes`` of the kind."""
    people: npt.NDArray[np.str_]
    """(n,)"""
    rules: npt.NDArray[np.float32]
    """(n, labels): what the rules gave."""


@dataclass(frozen=True, slots=True)
class HeadPlan:
    """How a head is trained."""

    kind: HeadKind
    seed: int = 0
    epochs: int = 20
    folds: int = 4
    pictures: int = 60
    """Of mannequins, of each label."""
    mode: HeadMode = HeadMode.REPLACE
    fires: float = 0.01
    """Share of readings without a label that may fire it."""


@dataclass(frozen=True, slots=True, eq=False)
class _Layers:
    """Views into one row of numbers."""

    hidden: npt.NDArray[np.float32]
    """(inputs + 1, units)"""
    out: npt.NDArray[np.float32]
    """(units + 1, classes)"""

    @classmethod
    def of(cls, row: npt.NDArray[np.float32], kind: HeadKind) -> "_Layers":
        inputs, classes = HEAD_SIZES[kind], len(head_classes(kind))
        cut = (inputs + 1) * UNITS
        return cls(row[:cut].reshape(-1, UNITS), row[cut:].reshape(-1, classes))


@dataclass(frozen=True, slots=True, eq=False)
class HeadNetworks:
    """What a training came to: ``values`` (folds + 1, numbers), the last member of all people."""

    kind: HeadKind
    values: npt.NDArray[np.float32]
    center: npt.NDArray[np.float32]
    scale: npt.NDArray[np.float32]

    def scores(self, member: int, vectors: Vectors) -> Vectors:
        """(n, classes), 0–1."""
        layers = _Layers.of(self.values[member], self.kind)
        standard = (vectors - self.center) / self.scale
        reached = np.maximum(standard @ layers.hidden[:-1] + layers.hidden[-1], 0)
        return _softmax(reached @ layers.out[:-1] + layers.out[-1])

    def head(self, mode: HeadMode, thresholds: dict[str, float]) -> TrainedHead:
        """The member of all people; inputs are scaled by its first layer."""
        layers = _Layers.of(self.values[-1], self.kind)
        weights = layers.hidden[:-1].astype(np.float64) / self.scale[:, None]
        biases = layers.hidden[-1] - self.center @ weights
        return TrainedHead(
            kind=self.kind,
            mode=mode,
            labels=HEAD_LABELS[self.kind],
            thresholds=thresholds,
            hidden=_plain([*weights.tolist(), biases.tolist()]),
            out=_plain(layers.out.tolist()),
        )


def _plain(rows: Sequence[Sequence[float]]) -> tuple[tuple[float, ...], ...]:
    return tuple(tuple(float(f"{number:.{_DIGITS}g}") for number in row) for row in rows)


def fold_of(people: npt.NDArray[np.str_], folds: int) -> npt.NDArray[np.int64]:
    """(n,): the fold of each reading; those of one person are in one."""
    names, index, counts = np.unique(people, return_inverse=True, return_counts=True)
    sizes, fold = [0] * folds, np.zeros(len(names), np.int64)
    for person in np.argsort(-counts, kind="stable").tolist():
        fold[person] = int(np.argmin(sizes))
        sizes[fold[person]] += int(counts[person])
    return fold[index]


def fit_heads(
    plan: HeadPlan,
    examples: HeadExamples,
    *,
    threads: int = 1,
    checkpoints: Checkpoints | None = None,
) -> HeadNetworks:
    """The networks of ``plan``; each goes on where ``checkpoints`` has kept it, so that the result
    is that of a training that nothing interrupted, bit by bit."""
    size = (HEAD_SIZES[plan.kind] + 1) * UNITS + (UNITS + 1) * len(head_classes(plan.kind))
    vectors = examples.vectors
    center, scale = vectors.mean(axis=0), vectors.std(axis=0) + np.float32(1e-3)
    networks = HeadNetworks(plan.kind, np.zeros((plan.folds + 1, size), np.float32), center, scale)
    fold = fold_of(examples.people, plan.folds)
    with ThreadPoolExecutor(max_workers=threads) as pool:
        members = [
            pool.submit(_fit_member, plan, examples, networks, fold, member, checkpoints)
            for member in range(plan.folds + 1)
        ]
        for member in members:
            member.result()
    return networks


def _fit_member(
    plan: HeadPlan,
    examples: HeadExamples,
    networks: HeadNetworks,
    fold: npt.NDArray[np.int64],
    member: int,
    checkpoints: Checkpoints | None,
) -> None:
    """Train the member (in place) on what its fold does not hold out; the last one on all."""
    values = networks.values[member]
    layers = _Layers.of(values, plan.kind)
    rng = np.random.default_rng([plan.seed, 7, member])
    for weights in (layers.hidden, layers.out):
        weights[:-1] = rng.normal(0, (2 / len(weights)) ** 0.5, weights[:-1].shape)
    optimiser = AdamW.of(values, plan.epochs * _STEPS, _RATE)
    losses: list[float] = []
    held_out: list[float] = []
    state = None if checkpoints is None else checkpoints.load(member)
    if state is not None:
        values[:] = state.values
        optimiser.go_on(state)
        rng.bit_generator.state = state.random
        losses, held_out = list(state.losses), list(state.held_out)
    learnt = np.flatnonzero(fold != member) if member < plan.folds else np.arange(len(fold))
    out = np.flatnonzero(fold == member)
    parts = [learnt[examples.classes[learnt] == k] for k in range(len(head_classes(plan.kind)))]
    for _ in range(len(losses), plan.epochs):
        losses.append(_fit_epoch(layers, values, optimiser, examples, networks, parts, rng))
        if checkpoints is not None:
            right = networks.scores(member, examples.vectors[out]).argmax(axis=1)
            share = float((right == examples.classes[out]).mean()) if len(out) else 0.0
            held_out.append(share)
            random = rng.bit_generator.state
            checkpoints.save(member, optimiser.state(values, random, losses, held_out))


def _fit_epoch(
    layers: _Layers,
    values: npt.NDArray[np.float32],
    optimiser: AdamW,
    examples: HeadExamples,
    networks: HeadNetworks,
    parts: Sequence[npt.NDArray[np.int64]],
    rng: np.random.Generator,
) -> float:
    """Learn (in place) from batches in which all labels are as frequent; the mean loss."""
    there = [k for k, part in enumerate(parts) if len(part)]
    shares = np.array([_NONE_SHARE if k == len(parts) - 1 else 1.0 for k in there])
    shares[shares == 1.0] = (1 - _NONE_SHARE) / max(1, int((shares == 1.0).sum()))
    slopes, losses = _Layers.of(optimiser.slopes, examples.kind), []
    for _ in range(_STEPS):
        drawn = rng.choice(len(there), _BATCH, p=shares / shares.sum())
        picked = np.array([rng.choice(parts[there[k]]) for k in drawn])
        vectors = examples.vectors[picked].copy()
        if examples.kind is HeadKind.FACE:
            vectors[rng.random(_BATCH) < _UNREAD, BLINKS_READ] = 0
        batch = (vectors - networks.center) / networks.scale
        batch += rng.normal(0, _NOISE, batch.shape).astype(np.float32)
        losses.append(_descend(layers, slopes, batch, examples.classes[picked], rng))
        optimiser.step(values)
    return float(np.mean(losses))


def _descend(
    layers: _Layers,
    slopes: _Layers,
    batch: Vectors,
    classes: npt.NDArray[np.int64],
    rng: np.random.Generator,
) -> float:
    """The loss's ``slopes`` for ``layers`` by back-propagation; the mean logarithmic loss."""
    value = batch @ layers.hidden[:-1] + layers.hidden[-1]
    kept = (rng.random(value.shape) >= _DROPOUT) / (1 - _DROPOUT)
    gates = ((value > 0) * kept).astype(np.float32)
    reached = value * gates
    shares = _softmax(reached @ layers.out[:-1] + layers.out[-1])
    count = shares.shape[1]
    right = np.full_like(shares, _SMOOTHING / count)
    right[np.arange(len(classes)), classes] += 1 - _SMOOTHING
    slope = (shares - right) / np.float32(len(batch))
    slopes.out[:-1], slopes.out[-1] = reached.T @ slope, slope.sum(axis=0)
    below = (slope @ layers.out[:-1].T) * gates
    slopes.hidden[:-1], slopes.hidden[-1] = batch.T @ below, below.sum(axis=0)
    found = shares[np.arange(len(classes)), classes]
    return float(-np.log(np.clip(found, 1e-7, 1)).mean())


def _softmax(values: Vectors) -> Vectors:
    grown = np.exp(values - values.max(axis=1, keepdims=True))
    return np.asarray(grown / grown.sum(axis=1, keepdims=True), np.float32)
