"""Recorded hands for tests: made in code, in the format that ``report --hands`` reads."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from reactions.mannequin import POSES, hand_joints
from reactions.training.recorded_hands import RecordedHands

Row = tuple[str, str, str]
"""Label, the shape that it is near ('' for none), person."""


def recorded(*rows: Row, pose: str = "victory") -> RecordedHands:
    """One hand a row; every hand's joints are those of the mannequin's ``pose``."""
    labels, nears, people = (_names(column) for column in zip(*rows, strict=True))
    joints = hand_joints(POSES[pose].right.shape)[:, :2].astype(np.float32)
    return RecordedHands(
        np.repeat((joints - joints[0])[None], len(rows), axis=0),
        np.array([labels.index(row[0]) for row in rows]),
        np.array([nears.index(row[1]) for row in rows]),
        np.array([people.index(row[2]) for row in rows]),
        labels,
        nears,
        people,
    )


def _names(column: Sequence[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(column))


def save(hands: RecordedHands, path: Path) -> None:
    """Write ``hands`` as the published files are written."""
    np.savez_compressed(
        path,
        points=hands.points.astype(np.float16),
        label=hands.label.astype(np.int16),
        labels=np.array(hands.labels),
        near=hands.near.astype(np.int8),
        nears=np.array(hands.nears),
        source=hands.source.astype(np.int16),
        sources=np.array(hands.sources),
    )
