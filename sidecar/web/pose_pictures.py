"""Draws the legend's "how to pose" pictures: ``python -m sidecar.web.pose_pictures``.

Run it again when the mannequins look different; the pictures are checked in, so that serving the
page draws nothing.
"""

from pathlib import Path

from PIL import Image

from reactions.labels import LABELS
from reactions.mannequin.contact_sheet import legend_picture
from sidecar.server.pages import WEB


def main(folder: Path = WEB / "poses") -> None:
    """Write one WebP picture for every label of the vocabulary."""
    folder.mkdir(exist_ok=True)
    for label in LABELS:
        picture = Image.fromarray(legend_picture(label))
        picture.save(folder / f"{label}.webp", quality=82, method=6)


if __name__ == "__main__":
    main()
