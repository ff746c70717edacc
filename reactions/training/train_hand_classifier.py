"""Train and export the hand classifier.

``python -m reactions.training.train_hand_classifier --seed N --out FOLDER``

The same seed on the same machine with the same versions gives the same file.
"""

import argparse
import json
import sys
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from importlib.metadata import version
from pathlib import Path

import numpy as np

from config.errors import SidecarError
from reactions.gestures.features import FEATURES, hand_features
from reactions.gestures.hand_classes import CLASSES
from reactions.gestures.hand_classifier import SHIPPED
from reactions.training.dataset import MANNEQUINS, RENDERED_HANDS, RealHands, prepare
from reactions.training.model import (
    Network,
    best_temperature,
    export,
    fit,
    join_networks,
    logits,
)

_VERSIONS = ("keras", "tensorflow-cpu", "tensorflow", "numpy")


@dataclass(frozen=True, slots=True)
class TrainingPlan:
    """How a head is trained; the defaults are those of the shipped one."""

    seed: int = 0
    hands: int = 60_000
    """Synthetic hands for each member."""
    epochs: int = 14
    members: int = 3


@dataclass(frozen=True, slots=True)
class Trained:
    """A head, and what its training found out."""

    network: Network
    temperature: float
    held_out: Mapping[str, float]
    """By group of sources: the share of its hands that a head without that group names right."""


def train(plan: TrainingPlan, real: RealHands) -> Trained:
    """The members on all hands, made as sure as heads deserve that never saw the people."""
    held_out, temperature = _hold_out(plan, real)
    members = [
        fit(
            prepare(real, plan.hands, np.random.default_rng([plan.seed, i])),
            epochs=plan.epochs,
            seed=plan.seed + i,
        )
        for i in range(plan.members)
    ]
    return Trained(join_networks(members, temperature), temperature, held_out)


def _hold_out(plan: TrainingPlan, real: RealHands) -> tuple[Mapping[str, float], float]:
    people = real.pick(real.sources != MANNEQUINS)
    features = hand_features(people.points, people.left)
    values = np.zeros((len(features), len(CLASSES)), np.float32)
    for i, group in enumerate(np.unique(people.groups)):
        rng = np.random.default_rng([plan.seed, 100 + i])
        lesson = prepare(real, plan.hands, rng, without=[str(group)])
        network = fit(lesson, epochs=plan.epochs, seed=plan.seed)
        out = people.groups == group
        values[out] = logits(network, features[out])
    right = values.argmax(axis=1) == people.classes
    names, group_of, sizes = np.unique(people.groups, return_inverse=True, return_counts=True)
    scores = {
        str(name): round(float(right[group_of == i].mean()), 4) for i, name in enumerate(names)
    }
    # Every group counts the same, however many photos it has.
    return scores, best_temperature(values, people.classes, 1.0 / sizes[group_of])


def write(trained: Trained, plan: TrainingPlan, real: RealHands, folder: Path) -> Path:
    """The head and its card in ``folder``; returns where the head is."""
    path = folder / SHIPPED.name
    export(trained.network, path)
    card = {
        "classes": CLASSES,
        "features": FEATURES,
        "temperature": round(trained.temperature, 4),
        **asdict(plan),
        "real_hands": {
            str(name): int(count)
            for name, count in zip(*np.unique(real.sources, return_counts=True), strict=True)
        },
        "held_out_accuracy": dict(trained.held_out),
        "versions": {name: text for name in _VERSIONS if (text := _installed(name))},
    }
    path.with_suffix(".json").write_text(json.dumps(card, indent=2) + "\n", encoding="utf-8")
    return path


def _installed(name: str) -> str | None:
    try:
        return version(name)
    except ImportError:
        return None


def main() -> None:
    default = TrainingPlan()
    parser = argparse.ArgumentParser(
        description=__doc__, prog="reactions.training.train_hand_classifier"
    )
    parser.add_argument("--seed", type=int, default=default.seed)
    parser.add_argument("--hands", type=int, default=default.hands, help="synthetic, a member")
    parser.add_argument("--epochs", type=int, default=default.epochs)
    parser.add_argument("--members", type=int, default=default.members)
    parser.add_argument("--out", type=Path, default=SHIPPED.parent)
    options = parser.parse_args()
    plan = TrainingPlan(options.seed, options.hands, options.epochs, options.members)
    try:
        real = RealHands.load().joined(RealHands.load(RENDERED_HANDS))
        trained = train(plan, real)
        path = write(trained, plan, real, options.out)
    except SidecarError as error:
        sys.exit(str(error))
    print(f"{path}: {path.stat().st_size} bytes, temperature {trained.temperature:.2f}")
    for name, share in trained.held_out.items():
        print(f"  right on {name} without having seen it: {share:.1%}")


if __name__ == "__main__":
    main()
