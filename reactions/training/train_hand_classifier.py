"""Train and export the hand classifier.

``python -m reactions.training.train_hand_classifier --seed N --out FOLDER``

First in folds: classifiers that have not seen a fold's people read their hands, which gives the
temperature, the thresholds and the figures of the card. Then on all hands. The same seed on the
same machine with the same versions gives the same file.
"""

import argparse
import json
import sys
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from importlib.metadata import version
from pathlib import Path

import numpy as np
import numpy.typing as npt

from config.errors import SidecarError
from config.reaction_rule import ReactionRule
from reactions.gestures.features import FEATURES, hand_features
from reactions.gestures.hand_classes import CLASSES, SHAPES
from reactions.gestures.hand_classifier import SHIPPED
from reactions.training.hands_report import HandsReport, report_hands
from reactions.training.model import (
    ALL_HANDS,
    Logits,
    Network,
    best_temperature,
    export,
    fit,
    join_members,
    logits,
    probabilities,
)
from reactions.training.recorded_hands import RecordedHands
from reactions.training.thresholds import thresholds_within
from reactions.training.training_set import TrainingHands, draw_epochs, right_classes

_VERSIONS = ("keras", "tensorflow-cpu", "tensorflow", "numpy")


@dataclass(frozen=True, slots=True)
class TrainingPlan:
    """How a classifier is trained; the defaults are those of the shipped one."""

    seed: int = 0
    hands: int = 96_000
    """In each epoch."""
    epochs: int = 10
    members: int = 2
    folds: int = 4
    budget: float = 0.025
    """Share of other people's other hands that may set something off, as a mean over people."""


@dataclass(frozen=True, slots=True)
class HeldOut:
    """What classifiers made of people whom they had not seen."""

    temperature: float
    thresholds: Mapping[str, float]
    report: HandsReport
    """Of the people, at these thresholds."""
    photos: Mapping[str, float]
    """By group of photo sources: the share of its hands named right, ``none`` included."""


@dataclass(frozen=True, slots=True)
class Trained:
    """A classifier, and what its training found out."""

    network: Network
    held_out: HeldOut


def train(plan: TrainingPlan, hands: TrainingHands) -> Trained:
    """The members on all hands, made as sure as those deserve that have not seen the people."""
    kept_out = np.repeat([*range(plan.folds), ALL_HANDS], plan.members)
    network = fit(
        draw_epochs(hands, plan.hands, np.random.default_rng([plan.seed, 1])),
        epochs=plan.epochs,
        kept_out=kept_out.tolist(),
        seed=plan.seed,
    )
    held_out = _hold_out(plan, hands, network, kept_out)
    shipped = np.flatnonzero(kept_out == ALL_HANDS).tolist()
    return Trained(join_members(network, shipped, held_out.temperature), held_out)


def _hold_out(
    plan: TrainingPlan, hands: TrainingHands, network: Network, kept_out: npt.NDArray[np.int64]
) -> HeldOut:
    people, photos = hands.people, hands.photos
    values = np.zeros((len(people.points), plan.members, len(CLASSES)), np.float32)
    named = np.zeros(len(photos.points), np.bool_)
    for fold in range(plan.folds):
        out = hands.people_fold == fold
        seen = logits(network, hand_features(people.points[out], people.left[out]))
        values[out] = seen[:, kept_out == fold]
        out = hands.photo_fold == fold
        if out.any():
            seen = logits(network, hand_features(photos.points[out], photos.left[out]))
            shares = probabilities(seen[:, kept_out == fold])
            named[out] = shares.argmax(axis=1) == photos.classes[out]
    groups = np.unique(photos.groups)
    right = {str(group): round(float(named[photos.groups == group].mean()), 4) for group in groups}
    return _judge(plan, people, values, right)


def _judge(
    plan: TrainingPlan, people: RecordedHands, values: Logits, photos: Mapping[str, float]
) -> HeldOut:
    sizes = np.bincount(people.source, minlength=len(people.sources))
    # Every person counts the same, however many hands are theirs.
    temperature = best_temperature(values, right_classes(people), 1.0 / sizes[people.source])
    scores = probabilities(values, temperature)[:, : len(SHAPES)]
    thresholds = thresholds_within(plan.budget, people, scores)
    table = {name: ReactionRule(sticker="", threshold=value) for name, value in thresholds.items()}
    return HeldOut(temperature, thresholds, report_hands(people, scores, table), photos)


def write(trained: Trained, plan: TrainingPlan, hands: TrainingHands, folder: Path) -> Path:
    """The classifier and its card in ``folder``; returns where the classifier is."""
    path = folder / SHIPPED.name
    held_out = trained.held_out
    export(trained.network, path)
    card = {
        "classes": CLASSES,
        "features": FEATURES,
        "temperature": round(held_out.temperature, 4),
        "thresholds": dict(held_out.thresholds),
        **asdict(plan),
        "people": len(np.unique(hands.people.source)),
        "recorded_hands": len(hands.people.points),
        "photo_hands": _counts(hands.photos.sources),
        "mannequin_hands": len(hands.mannequins.points),
        "held_out_people": _summary(held_out.report),
        "held_out_photos": dict(held_out.photos),
        "versions": {name: text for name in _VERSIONS if (text := _installed(name))},
    }
    path.with_suffix(".json").write_text(json.dumps(card, indent=2) + "\n", encoding="utf-8")
    return path


def _summary(report: HandsReport) -> Mapping[str, object]:
    return {
        "mean_over_shapes": report.mean_over_shapes,
        "worst_shape": report.worst_shape,
        "wrong_shape": report.wrong_shape,
        "fires_pooled": report.other_hands.pooled,
        "fires_mean_over_people": report.other_hands.mean_over_people,
        "recall": {name: each.mean_over_people for name, each in report.shapes.items()},
    }


def _counts(names: npt.NDArray[np.str_]) -> Mapping[str, int]:
    values, counts = np.unique(names, return_counts=True)
    return dict(zip(values.tolist(), counts.tolist(), strict=True))


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
    parser.add_argument("--hands", type=int, default=default.hands, help="in an epoch")
    parser.add_argument("--epochs", type=int, default=default.epochs)
    parser.add_argument("--members", type=int, default=default.members)
    parser.add_argument("--folds", type=int, default=default.folds)
    parser.add_argument("--budget", type=float, default=default.budget, help="of false fires, 0–1")
    parser.add_argument("--out", type=Path, default=SHIPPED.parent)
    options = vars(parser.parse_args())
    folder = options.pop("out")
    plan = TrainingPlan(**options)
    try:
        hands = TrainingHands.load(plan.seed, plan.folds)
        trained = train(plan, hands)
        path = write(trained, plan, hands, folder)
    except SidecarError as error:
        sys.exit(str(error))
    summary = _summary(trained.held_out.report)
    print(f"{path}: {path.stat().st_size} bytes, temperature {trained.held_out.temperature:.2f}")
    print(f"people not seen: {json.dumps(summary, indent=2)}")
    print(f"thresholds: {json.dumps(dict(trained.held_out.thresholds))}")


if __name__ == "__main__":
    main()
