"""Train and export the hand classifier.

``python -m reactions.training.train_hand_classifier --seed N --out FOLDER``

First in folds: classifiers that have not seen a fold's people read their hands, which gives the
temperature, the thresholds and the figures of the card. Then on all hands. The same seed on the
same machine with the same versions gives the same file.
"""

import argparse
import json
import os
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from importlib.metadata import version
from pathlib import Path

import numpy as np
import numpy.typing as npt

from config.reaction_rule import ReactionRule
from reactions.gestures.features import FEATURES, hand_features
from reactions.gestures.hand_classes import CLASSES, SHAPES
from reactions.gestures.hand_classifier import SHIPPED
from reactions.training.checkpoints import Checkpoints
from reactions.training.corrections import corrected
from reactions.training.exit_status import exits_on_errors
from reactions.training.hands_report import HandsReport, recall_by_source, report_hands
from reactions.training.member_calibration import (
    Calibration,
    Logits,
    calibrate,
    probabilities,
)
from reactions.training.model import ALL_HANDS, Network, export, fit, logits
from reactions.training.operating_point import choose_operating_point
from reactions.training.recorded_hands import RecordedHands
from reactions.training.reliability import Bin, bins
from reactions.training.training_set import TrainingHands, draw_epochs, right_classes

_CALIBRATED = 4
"""One hand in so many calibrates: consecutive ones are alike."""
_OTHERS = 0.6
"""Weight of the hands that show no shape in calibration. The thresholds that a budget of 2 % asks
for then lie between 0.5 and 0.7."""
_VERSIONS = ("keras", "tensorflow-cpu", "tensorflow", "numpy")


@dataclass(frozen=True, slots=True)
class TrainingPlan:
    """How a classifier is trained; the defaults are those of the shipped one."""

    seed: int = 0
    hands: int = 96_000
    """In each epoch."""
    epochs: int = 5
    rounds: int = 2
    """Each epoch's hands are learnt from so often."""
    members: int = 2
    folds: int = 8
    budget: float = 0.02
    """Share of other people's other hands that may set something off, as a mean over people."""


@dataclass(frozen=True, slots=True)
class HeldOut:
    """What classifiers made of people whom they had not seen."""

    calibration: Calibration
    thresholds: Mapping[str, float]
    report: HandsReport
    """Of the people, at these thresholds."""
    fires_as_corrected: float | None
    """Fires on other hands, as a mean over people, were recordings labelled as ``CORRECTIONS``."""
    by_source: Mapping[str, Mapping[str, tuple[int, int]]]
    """By person and label: hands, and how many of them fire."""
    reliability: Mapping[str, Sequence[Bin]]
    """By shape, of the people."""
    photos: Mapping[str, float]
    """By group of photo sources: the share of its hands named right, ``none`` included."""


@dataclass(frozen=True, slots=True)
class Trained:
    """A classifier, and what its training found out."""

    network: Network
    shipped: Sequence[int]
    """Members of ``network`` that saw all hands."""
    held_out: HeldOut


def train(
    plan: TrainingPlan,
    hands: TrainingHands,
    threads: int = 1,
    checkpoints: Checkpoints | None = None,
) -> Trained:
    """The members on all hands, made as sure as those deserve that have not seen the people."""
    kept_out = np.repeat([*range(plan.folds), ALL_HANDS], plan.members)
    network = fit(
        draw_epochs(hands, plan.hands, np.random.default_rng([plan.seed, 1])),
        epochs=plan.epochs,
        rounds=plan.rounds,
        kept_out=kept_out.tolist(),
        seed=plan.seed,
        threads=threads,
        checkpoints=checkpoints,
    )
    held_out = _hold_out(plan, hands, network, kept_out)
    shipped = np.flatnonzero(kept_out == ALL_HANDS).tolist()
    return Trained(network, shipped, held_out)


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
    right = right_classes(people)
    weights = _weights(people)
    some = slice(None, None, _CALIBRATED)
    honest = calibrate(values[some], right[some], weights[some])
    point = choose_operating_point(plan.budget, people, values, honest)
    scores = probabilities(values, point.calibration)[:, : len(SHAPES)]
    thresholds = point.thresholds
    table = {name: ReactionRule(sticker="", threshold=value) for name, value in thresholds.items()}
    return HeldOut(
        point.calibration,
        thresholds,
        report_hands(people, scores, table),
        report_hands(corrected(people), scores, table).other_hands.mean_over_people,
        recall_by_source(people, scores, thresholds),
        {name: bins(scores[:, i], right[:, i], weights) for i, name in enumerate(SHAPES)},
        photos,
    )


def _weights(people: RecordedHands) -> npt.NDArray[np.float64]:
    """What each hand counts in calibration: most of all weight is that of other hands, each shape
    has as much of the rest as any, and so has each person of a shape."""
    names = np.array(people.labels)
    shape = np.array([SHAPES.index(name) if name in SHAPES else -1 for name in names])[people.label]
    kind = np.where(shape < 0, len(SHAPES), shape)
    pair = people.source * (len(SHAPES) + 1) + kind
    _, index, sizes = np.unique(pair, return_inverse=True, return_counts=True)
    weights = 1.0 / sizes[index]
    totals = np.bincount(kind, weights=weights, minlength=len(SHAPES) + 1)
    shown = max(int((totals[:-1] > 0).sum()), 1)
    each = np.append(np.full(len(SHAPES), (1 - _OTHERS) / shown), _OTHERS) / np.maximum(
        totals, 1e-9
    )
    return np.asarray(weights * each[kind])


def write(trained: Trained, plan: TrainingPlan, hands: TrainingHands, folder: Path) -> Path:
    """The classifier and its card in ``folder``; returns where the classifier is."""
    path = folder / SHIPPED.name
    held_out = trained.held_out
    export(trained.network, trained.shipped, held_out.calibration, path)
    card = {
        "classes": CLASSES,
        "features": FEATURES,
        "temperature": held_out.calibration.temperature,
        "bias": dict(zip(CLASSES, held_out.calibration.bias, strict=True)),
        "thresholds": dict(held_out.thresholds),
        **asdict(plan),
        "people": len(np.unique(hands.people.source)),
        "recorded_hands": len(hands.people.points),
        "photo_hands": _counts(hands.photos.sources),
        "mannequin_hands": len(hands.mannequins.points),
        "held_out_people": _summary(held_out.report),
        "fires_as_corrected": held_out.fires_as_corrected,
        "held_out_photos": dict(held_out.photos),
        "held_out_by_source": held_out.by_source,
        "reliability": {
            name: [[each.score, each.right, each.share] for each in found]
            for name, found in held_out.reliability.items()
        },
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
        "fires_interval": report.other_hands.interval,
        "recall": {name: each.mean_over_people for name, each in report.shapes.items()},
        "intervals": {name: each.interval for name, each in report.shapes.items()},
        "in_definition": asdict(report.in_definition),
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
    parser.add_argument("--rounds", type=int, default=default.rounds, help="on each epoch")
    parser.add_argument("--members", type=int, default=default.members)
    parser.add_argument("--folds", type=int, default=default.folds)
    parser.add_argument("--budget", type=float, default=default.budget, help="of false fires, 0–1")
    parser.add_argument("--threads", type=int, default=os.cpu_count() or 1)
    parser.add_argument("--out", type=Path, default=SHIPPED.parent)
    options = vars(parser.parse_args())
    folder, threads = options.pop("out"), options.pop("threads")
    plan = TrainingPlan(**options)
    with exits_on_errors():
        hands = TrainingHands.load(plan.seed, plan.folds)
        trained = train(plan, hands, threads)
        path = write(trained, plan, hands, folder)
    summary = _summary(trained.held_out.report)
    print(f"{path}: {path.stat().st_size} bytes")
    print(f"people not seen: {json.dumps(summary, indent=2)}")
    print(f"thresholds: {json.dumps(dict(trained.held_out.thresholds))}")


if __name__ == "__main__":
    main()
