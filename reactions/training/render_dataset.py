"""``python -m reactions.training.render_dataset``: landmarks that the models find on mannequins.

The landmarks of synthetic hands lack the errors of the landmark model. Those found on mannequins
have them, and their labels are known. Each picture has another person, camera and light, and its
fingers and wrists differ a little from the catalogue's poses.
"""

import argparse
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from reactions.gestures.hand_classes import CLASSES, NONE, SHAPES
from reactions.landmark_types import Hand, ModelFamily, Points, Side
from reactions.landmarks.model_store import ModelStore
from reactions.landmarks.scheduler import LandmarkScheduler
from reactions.mannequin import (
    CAST,
    LOOKALIKES,
    MONK,
    POSES,
    Pose,
    landmarks,
    render,
)
from reactions.mannequin.variation import draw_scene, vary_arm
from reactions.training.dataset import MANNEQUINS, RENDERED_HANDS, RealHands
from reactions.training.exit_status import exits_on_errors
from reactions.training.sightings import look_twice

_SIZE = (640, 360)
_MISREAD = {True: 0.22, False: 0.45}
"""A fingertip this far from the truth, in extents of the hand, makes the reading a wrong one: for a
look-alike, and for a shape, which should be named though a finger of it is misread."""
_TIPS = [4, 8, 12, 16, 20]


def draw_poses(
    rng: np.random.Generator, labels: Sequence[str] = SHAPES
) -> Iterator[tuple[str, Pose]]:
    """Endless poses with the class that the posing hand shows: ``labels`` and look-alikes in turn.

    Of some labels only, no look-alikes are drawn between them.
    """
    shown = [(name, POSES[name]) for name in labels]
    if set(labels) != set(SHAPES):
        while True:
            label, pose = shown[rng.integers(len(shown))]
            varied = replace(pose, right=vary_arm(pose.right, rng))
            yield label, varied if rng.random() < 0.5 else varied.mirrored()
    shown.append(("open_palm", POSES["raised_hand"]))
    # A hand at the chin shows nothing, however its fingers lie.
    alike = [(NONE, pose) for pose in (*LOOKALIKES.values(), POSES["thinking"])]
    # What the catalogue shows from the front is no sign from the back.
    back = LOOKALIKES["back_of_hand"].right.turn
    for name in ("three_fingers", "four_fingers", "two_together"):
        pose = LOOKALIKES[name]
        alike.append((NONE, replace(pose, right=replace(pose.right, turn=back))))
    while True:
        for group in (shown, alike):
            label, pose = group[rng.integers(len(group))]
            varied = replace(pose, right=vary_arm(pose.right, rng))
            yield label, varied if rng.random() < 0.5 else varied.mirrored()


def collect(
    pictures: int, seed: int, store: ModelStore, labels: Sequence[str] = SHAPES
) -> RealHands:
    """The hands that the models find in so many pictures of mannequins, each looked at twice."""
    rng = np.random.default_rng(seed)
    scheduler = LandmarkScheduler(store, frozenset({ModelFamily.HANDS, ModelFamily.FACE}))
    cast = list(CAST.values())
    found: list[tuple[Hand, str]] = []
    for _, (label, pose) in zip(range(pictures), draw_poses(rng, labels), strict=False):
        person = replace(cast[rng.integers(len(cast))], skin=MONK[rng.integers(len(MONK))])
        scene = draw_scene(rng)
        picture = render(person, pose, scene, *_SIZE, seed=int(rng.integers(1000)))
        truth = landmarks(person, pose, scene, *_SIZE)
        posing = min(Side, key=lambda side: float(truth[side][:, 1].mean()))
        found.extend(
            (hand, label if hand.side is posing else NONE)
            for observation in look_twice(scheduler, picture)
            for hand in observation.hands
            if _well_read(hand, truth[hand.side], label == NONE or hand.side is not posing)
        )
    return RealHands(
        np.array([hand.points for hand, _ in found], np.float32).reshape(-1, 21, 3),
        np.array([hand.side is Side.LEFT for hand, _ in found], np.bool_),
        np.array([CLASSES.index(label) for _, label in found], np.int64),
        np.full(len(found), MANNEQUINS),
    )


def _well_read(hand: Hand, truth: Points, look_alike: bool) -> bool:
    """Whether the model read the true joints: what it misreads teaches the wrong lesson.

    A back that is taken for the other hand's palm has that palm's landmarks, and four fingers whose
    hidden thumb the model puts beside them have an open hand's.
    """
    extent = float(np.ptp(truth[:, :2], axis=0).max())
    away = np.linalg.norm(truth[_TIPS, :2] - hand.points[_TIPS, :2], axis=1)
    return float(away.max()) < _MISREAD[look_alike] * extent


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, prog="reactions.training.render_dataset")
    parser.add_argument("--pictures", type=int, default=2000)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--only", nargs="+", choices=SHAPES, default=SHAPES, metavar="LABEL")
    parser.add_argument("--add", action="store_true", help="to the hands that are there")
    parser.add_argument("--out", type=Path, default=RENDERED_HANDS)
    options = parser.parse_args()
    with exits_on_errors():
        known = RealHands.load(options.out) if options.add else None
        hands = collect(options.pictures, options.seed, ModelStore(), options.only)
        hands = hands if known is None else known.joined(hands)
    hands.save(options.out)
    counts = np.bincount(hands.classes, minlength=len(CLASSES))
    for name, count in zip(CLASSES, counts, strict=True):
        print(f"{name:12} {count:4}")


if __name__ == "__main__":
    main()
