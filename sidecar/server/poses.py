"""Draws the legend's "how to pose" pictures: ``python -m sidecar.server.poses``.

Run it again when the mannequins look different; the pictures are checked in, so that serving the
page draws nothing.
"""

from pathlib import Path

from PIL import Image

from reactions.labels import LABELS
from reactions.mannequin import CAST, NEAR, POSES, Background, Scene, render
from sidecar.server.pages import WEB

SIZE = (320, 180)
_BACKGROUNDS = tuple(Background)


def draw(label: str, turn: int) -> Image.Image:
    """``label``'s pose; ``turn`` picks the mannequin and what is behind them."""
    people = list(CAST.values())
    scene = Scene(distance=NEAR, background=_BACKGROUNDS[turn % len(_BACKGROUNDS)], noise=0)
    picture = render(people[turn % len(people)], POSES[label], scene, SIZE[0] * 2, SIZE[1] * 2)
    return Image.fromarray(picture).resize(SIZE, Image.Resampling.LANCZOS)


def main(folder: Path = WEB / "poses") -> None:
    """Write one WebP picture for every label of the vocabulary."""
    folder.mkdir(exist_ok=True)
    for turn, label in enumerate(LABELS):
        draw(label, turn).save(folder / f"{label}.webp", quality=82, method=6)


if __name__ == "__main__":
    main()
