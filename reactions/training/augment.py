"""Real hands made more than they are: other bones, other angles, other slips of the landmark model.

Every change keeps what the hand shows, so how far each may go depends on where the hands are from
(``Variation``).
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from reactions.gestures.features import Landmarks
from reactions.training.synthetic import jitter

_FINGERS = ((1, 2, 3, 4), (5, 6, 7, 8), (9, 10, 11, 12), (13, 14, 15, 16), (17, 18, 19, 20))
_THUMB = 0
_KNUCKLE_SHARE = 0.5
"""The palm's rays differ from person to person by half as much as fingers do."""


@dataclass(frozen=True, slots=True)
class Variation:
    """How far hands are changed; all but ``squeeze`` are standard deviations."""

    turn: float
    """Degrees in the picture's plane."""
    bones: float
    """Share of the length: of a finger as a whole, and half as much of each bone."""
    squeeze: float
    """The hand is made narrower along a random direction by up to this share, and wider by up to
    three tenths of it, as a small turn out of the picture's plane makes it."""


def vary(points: Landmarks, rng: np.random.Generator, how: Variation) -> Landmarks:
    """``points`` (n, 21, ≥2) varied, with the wrist at the origin: (n, 21, 2)."""
    flat = (points[:, :, :2] - points[:, :1, :2]).astype(np.float64)
    varied = _squeeze(_stretch_bones(flat, rng, how.bones), rng, how.squeeze)
    varied = _turn(varied, rng.normal(0, np.radians(how.turn), len(points)))
    deep = np.concatenate([varied, np.zeros_like(varied[:, :, :1])], axis=2)
    return jitter(deep.astype(np.float32), rng)[:, :, :2]


def _stretch_bones(
    points: npt.NDArray[np.float64], rng: np.random.Generator, spread: float
) -> npt.NDArray[np.float64]:
    """Other people's bones: what a camera sees of a bone grows with the bone, at any angle."""
    n = len(points)
    finger = rng.normal(1, spread, (n, 5))
    bone = rng.normal(1, spread / 2, (n, 5, 4))
    out = np.zeros_like(points)
    for f, joints in enumerate(_FINGERS):
        before = 0
        for b, joint in enumerate(joints):
            scale = bone[:, f, b] * finger[:, f]
            if b == 0 and f != _THUMB:
                scale = 1 + (bone[:, f, b] - 1) * _KNUCKLE_SHARE
            way = points[:, joint] - points[:, before]
            out[:, joint] = out[:, before] + way * scale[:, None]
            before = joint
    return out


def _squeeze(
    points: npt.NDArray[np.float64], rng: np.random.Generator, share: float
) -> npt.NDArray[np.float64]:
    n = len(points)
    direction = rng.uniform(0, np.pi, n)
    turned = _turn(points, direction)
    turned[:, :, 0] *= rng.uniform(1 - share, 1 + 0.3 * share, n)[:, None]
    return _turn(turned, -direction)


def _turn(
    points: npt.NDArray[np.float64], angle: npt.NDArray[np.float64]
) -> npt.NDArray[np.float64]:
    cos, sin = np.cos(angle)[:, None], np.sin(angle)[:, None]
    x, y = points[:, :, 0], points[:, :, 1]
    return np.stack([cos * x - sin * y, sin * x + cos * y], axis=-1)
