"""Stickers and effects as layers of SVG text that move, and the SVG of any frame of them."""

from dataclasses import dataclass, field
from typing import Final

from gifs.art.keyframes import Keyframes

SIZE: Final = 240
"""Width and height of a sticker in its own units, and in pixels of its GIF."""

WIDTH: Final = 480
HEIGHT: Final = 270
"""Size of an effect in its own units: 16:9, like most tiles."""

_MARGIN: Final = 11
"""Room around a sticker, in its units, for the border that is cut around it."""

_SMALLEST: Final = 0.33
"""A part of a sticker that is scaled below this would be nothing but border: it is left out."""


@dataclass(frozen=True, slots=True)
class SvgLayer:
    """SVG text that moves as one; ``layers`` inside move with it."""

    svg: str = ""
    motion: Keyframes = field(default_factory=Keyframes)
    layers: tuple["SvgLayer", ...] = ()

    def draw(self, moment: float, smallest: float = 0.0) -> str:
        """SVG text at ``moment`` in 0–1 of the loop; empty if it is scaled below ``smallest``."""
        visibility = self.motion.visibility(moment)
        if visibility == 0 or self.motion.smallness(moment) < smallest:
            return ""
        fade = f' opacity="{visibility:.3f}"' if visibility < 1 else ""
        inner = "".join(layer.draw(moment, smallest) for layer in self.layers)
        return f'<g transform="{self.motion.transform(moment)}"{fade}>{self.svg}{inner}</g>'


@dataclass(frozen=True, slots=True)
class Sticker:
    """A looping drawing on a square of 240 units; a border is cut around it later."""

    layers: tuple[SvgLayer, ...]
    frames: int = 24
    delay: float = 0.05
    """Seconds that each frame stays."""

    def draw(self, frame: int) -> str:
        """A whole SVG document."""
        moment = frame / self.frames
        side = SIZE + 2 * _MARGIN
        inner = "".join(layer.draw(moment, _SMALLEST) for layer in self.layers)
        return _document(f"{-_MARGIN} {-_MARGIN} {side} {side}", inner)


@dataclass(frozen=True, slots=True)
class Effect:
    """A looping drawing that fills a tile, on 480 x 270 units; half-transparent where it likes."""

    layers: tuple[SvgLayer, ...]
    frames: int = 40
    delay: float = 0.06
    """Seconds that each frame stays."""
    size: tuple[int, int] = (WIDTH, HEIGHT)
    """Pixels of its WebP; soft drawings need fewer."""
    quality: int = 80
    """Of its WebP, colours and alpha alike, 0–100."""

    def draw(self, frame: int) -> str:
        """A whole SVG document."""
        moment = frame / self.frames
        return _document(
            f"0 0 {WIDTH} {HEIGHT}", "".join(layer.draw(moment) for layer in self.layers)
        )


def _document(view: str, inner: str) -> str:
    return f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="{view}">{inner}</svg>'
