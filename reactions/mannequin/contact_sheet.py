"""Pictures of the mannequins: a contact sheet, and how to make each pose.

python -m reactions.mannequin.contact_sheet OUT.png             # every pose
python -m reactions.mannequin.contact_sheet --objects OUT.png   # scenes with objects, and boxes
"""

import sys
from collections.abc import Sequence
from pathlib import Path
from zlib import crc32

import numpy as np

from config.errors import PictureError
from reactions.landmark_types import RgbImage, Side
from reactions.mannequin.object_scenes import draw_object_scene
from reactions.mannequin.person import CAST
from reactions.mannequin.pose import Arm
from reactions.mannequin.poses import LOOKALIKES, POSES
from reactions.mannequin.render import landmarks, render, render_objects
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
    pictures = []
    for i, name in enumerate(names):
        pose = POSES[name] if name in POSES else LOOKALIKES[name]
        row = i // _COLUMNS
        scene = Scene(background=_ROOMS[(i + row) % len(_ROOMS)], yaw=(-14, 0, 12)[i % 3], noise=1)
        if i % 2:
            pose = pose.mirrored()
        pictures.append(render(_PEOPLE[i % len(_PEOPLE)], pose, scene, width, height))
    return _sheet(pictures)


def object_sheet(count: int = 12, width: int = 480, seed: int = 3) -> RgbImage:
    """Scenes at random with objects, and the boxes of what is seen of them."""
    from PIL import Image, ImageDraw

    pictures = []
    for number in range(count):
        shown = draw_object_scene(np.random.default_rng([seed, number]))
        size = width, width * 9 // 16
        drawn, seen = render_objects(shown.person, shown.pose, shown.scene, *size, seed=number)
        picture = Image.fromarray(drawn)
        draw = ImageDraw.Draw(picture)
        for one in seen:
            draw.rectangle((one.left, one.top, one.right, one.bottom), outline=(90, 255, 90))
            draw.text((one.left + 2, one.top + 1), one.name, (255, 255, 90))
        pictures.append(np.asarray(picture))
    return _sheet(pictures)


def _sheet(pictures: Sequence[RgbImage]) -> RgbImage:
    """``pictures`` of one size, row by row."""
    height, width = pictures[0].shape[:2]
    rows = -(-len(pictures) // _COLUMNS)
    shape = (rows * (height + _GAP) + _GAP, _COLUMNS * (width + _GAP) + _GAP, 3)
    sheet = np.full(shape, _PAPER, np.uint8)
    for i, picture in enumerate(pictures):
        row, column = divmod(i, _COLUMNS)
        top, left = _GAP + row * (height + _GAP), _GAP + column * (width + _GAP)
        sheet[top : top + height, left : left + width] = picture
    return sheet


def main(arguments: Sequence[str]) -> int:
    """Write a contact sheet; the exit status."""
    files = [one for one in arguments if one != "--objects"]
    if len(files) != 1 or len(arguments) > 2:
        usage = "usage: python -m reactions.mannequin.contact_sheet [--objects] OUT.png"
        print(usage, file=sys.stderr)
        return 2
    try:
        save(object_sheet() if len(arguments) == 2 else contact_sheet(), Path(files[0]))
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
