"""How the parts of a sticker move: values at keys, eased between them, that loop without a jump."""

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final, TypeAlias

Key: TypeAlias = tuple[float, float] | tuple[float, float, str]
"""Moment in 0–1 of the loop, value there, and the easing that leads from it to the next key."""


def _drop(x: float) -> float:
    return x * x


def _land(x: float) -> float:
    return 1 - (1 - x) ** 3


def _smooth(x: float) -> float:
    return 0.5 - 0.5 * math.cos(math.pi * x)


def _spring(x: float) -> float:
    """Overshoot by a tenth and settle (the "back" curve, with the usual 1.70158)."""
    return 1 + 2.70158 * (x - 1) ** 3 + 1.70158 * (x - 1) ** 2


EASINGS: Final[Mapping[str, Callable[[float], float]]] = {
    "smooth": _smooth,
    "linear": lambda x: x,
    "drop": _drop,
    "land": _land,
    "spring": _spring,
    "hold": lambda x: 0.0,
    "sine_out": lambda x: math.sin(math.pi / 2 * x),
    "sine_in": lambda x: 1 - math.cos(math.pi / 2 * x),
}


@dataclass(frozen=True, slots=True)
class Keys:
    """A value over one loop; after the last key it returns to the first."""

    keys: tuple[Key, ...]

    def at(self, moment: float) -> float:
        """The value at ``moment`` in 0–1."""
        moment %= 1
        first = self.keys[0]
        before = max((key for key in self.keys if key[0] <= moment), default=self.keys[-1])
        after = min((key for key in self.keys if key[0] > moment), default=(first[0] + 1, first[1]))
        start = before[0] if before[0] <= moment else before[0] - 1
        ease = EASINGS[before[2] if len(before) == 3 else "smooth"]
        return before[1] + (after[1] - before[1]) * ease((moment - start) / (after[0] - start))


Value: TypeAlias = float | Keys


def keys(*items: Key) -> Keys:
    """Keys in the order of their moments."""
    return Keys(tuple(sorted(items)))


def swing(middle: float, amplitude: float, *, times: int = 1, phase: float = 0.0) -> Keys:
    """A sine around ``middle``, ``times`` a loop, shifted by ``phase`` of a swing."""
    quarters = (0.0, 1.0, 0.0, -1.0)
    return keys(
        *(
            (
                ((step / 4 - phase) / times) % 1,
                middle + amplitude * quarters[step % 4],
                "sine_in" if step % 2 else "sine_out",
            )
            for step in range(4 * times)
        )
    )


@dataclass(frozen=True, slots=True)
class Keyframes:
    """How one layer moves: lengths in the sticker's 240 units, angles in degrees clockwise."""

    x: Value = 0.0
    y: Value = 0.0
    rotate: Value = 0.0
    skew: Value = 0.0
    """Leaning of what is above the pivot, in degrees to the right."""
    scale: Value = 1.0
    wide: Value = 1.0
    tall: Value = 1.0
    opacity: Value = 1.0
    pivot: tuple[float, float] = (120.0, 120.0)
    """The point that turning, leaning and scaling leave in place."""

    def transform(self, moment: float) -> str:
        """The SVG ``transform`` at ``moment``."""
        scale = _at(self.scale, moment)
        wide, tall = scale * _at(self.wide, moment), scale * _at(self.tall, moment)
        x, y = self.pivot
        steps = [f"translate({_at(self.x, moment) + x:.2f} {_at(self.y, moment) + y:.2f})"]
        if (angle := _at(self.rotate, moment)) != 0:
            steps.append(f"rotate({angle:.2f})")
        if (lean := _at(self.skew, moment)) != 0:
            steps.append(f"skewX({-lean:.2f})")
        steps += [f"scale({wide:.4f} {tall:.4f})", f"translate({-x:.2f} {-y:.2f})"]
        return " ".join(steps)

    def visibility(self, moment: float) -> float:
        """Opacity at ``moment``, 0–1."""
        return min(max(_at(self.opacity, moment), 0.0), 1.0)

    def smallness(self, moment: float) -> float:
        """The least that either direction is scaled by at ``moment``."""
        across, down = abs(_at(self.wide, moment)), abs(_at(self.tall, moment))
        return abs(_at(self.scale, moment)) * min(across, down)


def _at(value: Value, moment: float) -> float:
    return value.at(moment) if isinstance(value, Keys) else value
