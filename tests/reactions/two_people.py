"""Two mannequins side by side in one picture."""

import numpy as np

from reactions.landmark_types import RgbImage
from reactions.mannequin import CAST, POSES, Scene, render

LEFT, RIGHT = "Amara", "Ingrid"


def side_by_side(left: str | None, right: str | None, seed: int = 0) -> RgbImage:
    """(360, 640, 3): a person in the pose ``left`` and one in ``right``; None leaves one out."""
    halves = [half(LEFT, left, seed), half(RIGHT, right, seed)]
    return np.ascontiguousarray(np.concatenate(halves, axis=1))


def half(name: str, pose: str | None, seed: int) -> RgbImage:
    """The middle half of a picture of ``name``; grey noise where there is no pose."""
    if pose is None:
        noise = np.random.default_rng(seed).normal(120, 4, (360, 320, 3))
        return np.asarray(noise.clip(0, 255), np.uint8)
    picture = render(CAST[name], POSES[pose], Scene(), seed=seed)
    return picture[:, 160:480]
