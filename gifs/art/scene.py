"""A sticker as layers of SVG text that move, and the SVG of any moment of it."""

from dataclasses import dataclass, field

from gifs.art.motion import Motion

SIZE = 240
"""Width and height of a sticker in its own units, and in pixels of its GIF."""

_MARGIN = 11
"""Room around the drawing, in the same units, for the border that is cut around it."""


@dataclass(frozen=True, slots=True)
class Layer:
    """SVG text that moves as one; ``layers`` inside move with it."""

    svg: str = ""
    motion: Motion = field(default_factory=Motion)
    layers: tuple["Layer", ...] = ()

    def draw(self, moment: float) -> str:
        """SVG text at ``moment`` in 0–1 of the loop."""
        visibility = self.motion.visibility(moment)
        if visibility == 0:
            return ""
        fade = f' opacity="{visibility:.3f}"' if visibility < 1 else ""
        inner = "".join(layer.draw(moment) for layer in self.layers)
        return f'<g transform="{self.motion.transform(moment)}"{fade}>{self.svg}{inner}</g>'


@dataclass(frozen=True, slots=True)
class Sticker:
    """A looping drawing on a square of 240 units."""

    layers: tuple[Layer, ...]
    frames: int = 24
    delay: float = 0.05
    """Seconds that each frame stays."""

    def draw(self, frame: int) -> str:
        """A whole SVG document."""
        moment = frame / self.frames
        inner = "".join(layer.draw(moment) for layer in self.layers)
        side = SIZE + 2 * _MARGIN
        view = f"{-_MARGIN} {-_MARGIN} {side} {side}"
        return f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="{view}">{inner}</svg>'
