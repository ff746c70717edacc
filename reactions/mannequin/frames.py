"""Frames of spectacles: shapes, sizes and lenses."""

from dataclasses import dataclass
from typing import Final, TypeAlias

import numpy as np
import numpy.typing as npt

_Colour: TypeAlias = tuple[float, float, float]
_Matrix: TypeAlias = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class SpectacleFrames:
    """Half width and height of a lens in the head's centimetres, how round it is, its wire."""

    wide: float = 2.55
    tall: float = 2.2
    bend: float = 0.8
    """Exponent of the outline: 1 is an ellipse, smaller is more of a rectangle."""
    wire: float = 0.34
    """Thickness, cm."""
    dark: float = 0.0
    """How dark the lenses are, 0–1: 0 is clear, sunglasses have 0.8."""


PLAIN_FRAMES: Final = SpectacleFrames()
_COLOURS: Final[tuple[_Colour, ...]] = (
    (52, 44, 42), (24, 24, 28), (120, 74, 48), (176, 82, 74), (188, 168, 120), (150, 156, 164),
    (44, 62, 110),
)  # fmt: skip


def random_frames(look: int) -> tuple[SpectacleFrames, _Colour]:
    """The plain ones, or some at random, and their colour."""
    if look == 0:
        return PLAIN_FRAMES, _COLOURS[0]
    rng = np.random.default_rng([look, 8])
    frames = SpectacleFrames(
        float(rng.uniform(2.2, 2.95)),
        float(rng.uniform(1.5, 2.6)),
        float(rng.uniform(0.5, 1.0)),
        float(rng.uniform(0.2, 0.5)),
        float(rng.uniform(0.7, 0.9)) if rng.random() < 0.25 else 0.0,
    )
    return frames, _COLOURS[rng.integers(len(_COLOURS))]


def lens_outline(frames: SpectacleFrames, side: float) -> _Matrix:
    """(25, 3): the outline of one lens, a superellipse 3.2 cm beside the bridge."""
    angle = np.linspace(0, 2 * np.pi, 25)
    x, y = np.cos(angle), np.sin(angle)
    return np.column_stack(
        [
            side * 3.2 + frames.wide * np.sign(x) * np.abs(x) ** frames.bend,
            0.1 + frames.tall * np.sign(y) * np.abs(y) ** frames.bend,
            np.zeros(25),
        ]
    )


def lens_tint(frames: SpectacleFrames) -> tuple[_Colour, float]:
    """Colour and strength of a lens."""
    return ((30, 32, 38), frames.dark) if frames.dark else ((214, 224, 230), 0.14)
