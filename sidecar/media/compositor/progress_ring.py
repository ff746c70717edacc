"""The ring that fills while a reaction builds up, drawn once a size and step."""

from functools import lru_cache

import numpy as np

from gifs.animation import YuvaFrame
from gifs.yuva import Rgb, straight_to_yuva

STEPS = 32
"""Pictures of the ring from empty to full: one a step is kept."""
TRACK: Rgb = (15, 23, 34)
ARC: Rgb = (255, 196, 66)


def step_of(progress: float) -> int:
    """``progress`` (0–1) as the nearest of the steps that are drawn, 0 to 32."""
    return round(min(max(progress, 0.0), 1.0) * STEPS)


@lru_cache(maxsize=256)
def ring(diameter: int, step: int) -> YuvaFrame:
    """A ring of even ``diameter`` pixels, filled clockwise from the top to ``step`` of 32."""
    thickness = max(4.0, diameter * 0.075)
    axis = np.arange(diameter, dtype=np.float32) + 0.5 - diameter / 2
    across, down = np.meshgrid(axis, axis)
    radius = np.hypot(across, down)
    middle = diameter / 2 - 1 - thickness / 2
    band = (thickness / 2 + 0.5 - abs(radius - middle)).clip(0, 1)
    turn = np.arctan2(across, -down) % (2 * np.pi)
    # Fading over half a pixel along the arc keeps its end as smooth as its sides.
    ahead = (turn - step / STEPS * 2 * np.pi) * radius
    lit = (0.5 - ahead).clip(0, 1) if 0 < step < STEPS else np.full_like(turn, step // STEPS)
    lit *= (thickness / 2 - 0.5 - abs(radius - middle)).clip(0, 1)
    colours = np.array(TRACK) + lit[..., None] * (np.array(ARC) - np.array(TRACK))
    alpha = band * (0.55 + 0.45 * lit)
    pixels = np.concatenate([colours, alpha[..., None] * 255], axis=-1)
    return straight_to_yuva(np.rint(pixels).astype(np.uint8))
