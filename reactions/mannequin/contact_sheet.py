"""Pictures of the mannequins: a contact sheet, and how to make each pose.

python -m reactions.mannequin.contact_sheet OUT.png
"""

import sys
from collections.abc import Sequence
from pathlib import Path
from zlib import crc32

import numpy as np

from config.errors import PictureError
from reactions.landmark_types import RgbImage, Side
from reactions.mannequin.person import CAST
from reactions.mannequin.pose import Arm
from reactions.mannequin.poses import LOOKALIKES, POSES
from reactions.mannequin.render import landmarks, render
from reactions.mannequin.scene import FAR, MEDIUM, Background, Scene

LEGEND_SIZE = 288
_COLUMNS = 4
_GAP = 6
_PAPER = 250
_PEOPLE = tuple(CAST.values())
_ROOMS = (Background.STUDY, Background.LOUNGE, Background.WALL, Background.DARK)


def legend_picture(label: str, size: int = LEGEND_SIZE) -> RgbImage:
    """How to make ``label``: a square (size, size, 3) crop around head and hand, without noise.

    Raises KeyError for a label without a pose.
    """
    pose = POSES[label]
    # By the name, so that a new label changes no other label's picture.
    turn, who = divmod(crc32(label.encode()), len(_PEOPLE))
    person, room = _PEOPLE[who], _ROOMS[turn % len(_ROOMS)]
    # Both hands of a sign that takes two fit into the square only from farther off.
    distance = FAR if pose.left != Arm() else MEDIUM - 8
    scene = Scene(distance=distance, background=room, noise=0)
    # Twice the size, halved: finer edges than the renderer's own.
    height = 2 * size
    width = height * 16 // 9
    picture = render(person, pose, scene, width, height)
    left = _crop(label, scene, width, height)
    square = picture[:, left : left + height].astype(np.uint16)
    quarters = square.reshape(size, 2, size, 2, 3).sum(axis=(1, 3))
    legend: RgbImage = ((quarters + 2) // 4).astype(np.uint8)
    return legend


def _crop(label: str, scene: Scene, width: int, height: int) -> int:
    """Where a square begins that holds the head and, if it is up, the hand, or both hands."""
    if POSES[label].left != Arm():
        return (width - height) // 2
    hand = landmarks(_PEOPLE[0], POSES[label], scene, width, height)[Side.RIGHT]
    seen = [width * 0.5] if hand[:, 1].min() > height else [width * 0.56, float(hand[:, 0].min())]
    return int(np.clip(np.mean(seen) - height / 2, 0, width - height))


def contact_sheet(names: Sequence[str] = (), width: int = 400) -> RgbImage:
    """Every pose (or ``names``) with a different person, room and side each, row by row."""
    names = names or [*POSES, *LOOKALIKES]
    height = width * 9 // 16
    rows = -(-len(names) // _COLUMNS)
    shape = (rows * (height + _GAP) + _GAP, _COLUMNS * (width + _GAP) + _GAP, 3)
    sheet = np.full(shape, _PAPER, np.uint8)
    for i, name in enumerate(names):
        pose = POSES[name] if name in POSES else LOOKALIKES[name]
        row, column = divmod(i, _COLUMNS)
        scene = Scene(background=_ROOMS[(i + row) % len(_ROOMS)], yaw=(-14, 0, 12)[i % 3], noise=1)
        if i % 2:
            pose = pose.mirrored()
        top, left = _GAP + row * (height + _GAP), _GAP + column * (width + _GAP)
        picture = render(_PEOPLE[i % len(_PEOPLE)], pose, scene, width, height)
        sheet[top : top + height, left : left + width] = picture
    return sheet


def main(arguments: Sequence[str]) -> int:
    """Write the contact sheet; the exit status."""
    if len(arguments) != 1:
        print("usage: python -m reactions.mannequin.contact_sheet OUT.png", file=sys.stderr)
        return 2
    try:
        save(contact_sheet(), Path(arguments[0]))
    except PictureError as error:
        print(error, file=sys.stderr)
        return 2
    return 0


def save(picture: RgbImage, path: Path) -> None:
    """Write ``picture`` in the format of ``path``'s suffix; PictureError where that fails."""
    from PIL import Image

    try:
        Image.fromarray(picture).save(path)
    except (OSError, ValueError) as error:
        raise PictureError(str(error), where=str(path), do="name a .png, .jpg or .webp") from error


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
