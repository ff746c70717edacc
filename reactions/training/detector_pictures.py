"""What a detector learns from: pictures of data sets, changed at random, and their boxes.

Example ``n`` of a seed is the same whenever it is asked for: a training that was interrupted goes
on with the very pictures that it would have had.
"""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from typing import Final

import numpy as np
import numpy.typing as npt
from PIL import Image, ImageFilter, ImageOps

from config.errors import DatasetError
from reactions.datasets.records import PictureRecord, Split
from reactions.datasets.store import Dataset
from reactions.detected_labels import label_of_box
from reactions.landmarks.default_boxes import box_codes
from reactions.landmarks.roi import letterbox

Array = npt.NDArray[np.float32]
Pixels = npt.NDArray[np.uint8]

IGNORED: Final = -1
"""The class of a default box that neither fits an object nor misses all."""
NOTHING: Final = -2
_FITS, _MISSES = 0.5, 0.4
"""Overlaps from which a default box learns an object, and to which it learns nothing."""
_OWN, _OWN_LEAST = 4, 0.35
"""Each object has its nearest default boxes, so many at most, where they overlap it so much: long
ones, as phones seen from a side, fit none well."""
_LEAST_LEFT: Final = 0.35
"""Of a box, so much must be in a cut-out."""
_KINDS: Final = ("AVIF", "BMP", "GIF", "JPEG", "JPEG2000", "PNG", "TIFF", "WEBP")
"""What data sets take. Others of Pillow's kinds run programs."""
_HELD_OUT: Final = 10
"""Without a split of validation one picture in so many is held out."""


@dataclass(frozen=True, slots=True, eq=False)
class BoxedPicture:
    """A picture and its boxes."""

    path: Path
    name: str
    boxes: Array
    """(n, 4): left, top, right, bottom, pixels."""
    classes: npt.NDArray[np.int64]
    held_out: bool = False


def boxed_pictures(datasets: Sequence[Dataset], classes: Sequence[str]) -> tuple[BoxedPicture, ...]:
    """All pictures but those of the split ``test``; boxes of other labels are left out.

    Raises DatasetError where no picture that is learnt from has a box, and for a missing one.
    """
    found = []
    for dataset in datasets:
        records = [one for one in dataset.records.values() if one.split is not Split.TEST]
        marked = any(one.split is Split.VALIDATION for one in records)
        for record in sorted(records, key=lambda one: one.file):
            held = record.split is Split.VALIDATION
            if not marked and not record.split:
                held = int(record.file[:6], 16) % _HELD_OUT == 0
            found.append(boxed_picture(dataset, record, classes, held_out=held))
    if not any(len(one.boxes) for one in found if not one.held_out):
        raise DatasetError("holds no boxes to learn from", where="--data", do="import or draw some")
    for one in found:
        if not one.path.is_file():
            what = f"{one.name} is missing"
            raise DatasetError(what, where=str(one.path), do="import it again")
    return tuple(found)


def boxed_picture(
    dataset: Dataset, record: PictureRecord, classes: Sequence[str], *, held_out: bool = False
) -> BoxedPicture:
    """The boxes of ``record`` that are labelled with one of ``classes``."""
    names = {name: number for number, name in enumerate(classes)}
    mine = [box for box in record.boxes if box.label in names]
    boxes = np.array([(b.left, b.top, b.right, b.bottom) for b in mine], np.float32)
    numbers = np.array([names[box.label] for box in mine], np.int64)
    return BoxedPicture(dataset.path(record), record.name, boxes.reshape(-1, 4), numbers, held_out)


def boxed_objects(dataset: Dataset, record: PictureRecord, labels: Sequence[str]) -> BoxedPicture:
    """As ``boxed_picture``, with the names that ``labels`` have in a bundle; boxes are fractions
    of the picture."""
    boxes = [(box, label_of_box(box.label)) for box in record.boxes]
    mine = [(box, name) for box, name in boxes if name in labels]
    size = np.array([record.width, record.height] * 2, np.float32)
    ends = np.array([(b.left, b.top, b.right, b.bottom) for b, _ in mine], np.float32)
    numbers = np.array([labels.index(name) for _, name in mine], np.int64)
    return BoxedPicture(dataset.path(record), record.name, ends.reshape(-1, 4) / size, numbers)


def box_classes(datasets: Sequence[Dataset]) -> tuple[str, ...]:
    """The labels of all boxes, in the order of the alphabet."""
    names = {
        box.label for dataset in datasets for one in dataset.records.values() for box in one.boxes
    }
    return tuple(sorted(names))


def digest_of(pictures: Sequence[BoxedPicture]) -> str:
    """Differs for other pictures, boxes or held-out ones."""
    digest = hashlib.sha256()
    for one in pictures:
        digest.update(f"{one.path.name} {one.held_out}".encode())
        digest.update(one.boxes.tobytes() + one.classes.tobytes())
    return digest.hexdigest()


@dataclass(frozen=True, slots=True, eq=False)
class BoxedExample:
    """A picture as the network reads it, and its boxes in it."""

    pixels: Pixels
    """(height, width, 3)."""
    boxes: Array
    """(n, 4): y, x, height, width; 0–1."""
    classes: npt.NDArray[np.int64]


def upright_picture(picture: BoxedPicture) -> Image.Image:
    """The picture as its boxes count it: turned as its Exif data says, in RGB.

    Raises DatasetError where the file is missing or damaged.
    """
    try:
        with Image.open(picture.path, formats=_KINDS) as file:
            return ImageOps.exif_transpose(file).convert("RGB")
    except (OSError, ValueError, SyntaxError, Image.DecompressionBombError) as error:
        why = "is missing" if isinstance(error, FileNotFoundError) else "can't be read"
        do = "import it again"
        raise DatasetError(f"{picture.name} {why}", where=str(picture.path), do=do) from error


def plain_example(picture: BoxedPicture, width: int, height: int) -> BoxedExample:
    """The whole picture, black beside it where its shape is another."""
    image = upright_picture(picture)
    region = letterbox(*image.size, width / height)
    left, top = region.x - region.width / 2, region.y - region.height / 2
    return _cut(image, picture, (left, top, region.width, region.height), (width, height))


def drawn_example(
    picture: BoxedPicture, width: int, height: int, rng: np.random.Generator
) -> BoxedExample:
    """A part of the picture, or more than all of it, in other colours and worse quality."""
    image = upright_picture(picture)
    region = letterbox(*image.size, width / height)
    zoom = 1.0 if rng.random() < 0.3 else float(rng.uniform(0.45, 1.2))
    across = region.width * zoom * float(np.exp(rng.uniform(-0.13, 0.13)))
    down = region.height * zoom
    free_x, free_y = image.width - across, image.height - down
    left = float(rng.uniform(min(free_x, 0) - 1e-3, max(free_x, 0) + 1e-3))
    top = float(rng.uniform(min(free_y, 0) - 1e-3, max(free_y, 0) + 1e-3))
    example = _cut(image, picture, (left, top, across, down), (width, height))
    boxes, pixels = example.boxes, example.pixels
    if rng.random() < 0.5:
        pixels = pixels[:, ::-1]
        boxes = np.column_stack([boxes[:, 0], 1 - boxes[:, 1], boxes[:, 2:]])
    return BoxedExample(_disturbed(pixels, rng), boxes.astype(np.float32), example.classes)


def _cut(
    image: Image.Image,
    picture: BoxedPicture,
    region: tuple[float, float, float, float],
    size: tuple[int, int],
) -> BoxedExample:
    left, top, across, down = region
    extent = (left, top, left + across, top + down)
    pixels = image.transform(size, Image.Transform.EXTENT, extent, Image.Resampling.BILINEAR)
    ends = (picture.boxes - np.array([left, top] * 2)) / np.array([across, down] * 2)
    cut = np.clip(ends, 0, 1)
    area = (ends[:, 2:] - ends[:, :2]).prod(axis=1)
    left_over = (cut[:, 2:] - cut[:, :2]).prod(axis=1)
    kept = left_over > np.maximum(_LEAST_LEFT * area, 1e-5)
    cut = cut[kept]
    middle, sides = (cut[:, :2] + cut[:, 2:]) / 2, cut[:, 2:] - cut[:, :2]
    boxes = np.column_stack([middle[:, ::-1], sides[:, ::-1]]).astype(np.float32)
    return BoxedExample(np.asarray(pixels), boxes, picture.classes[kept])


def _disturbed(pixels: Pixels, rng: np.random.Generator) -> Pixels:
    """Light, colour, focus, grain and compression of another camera."""
    gains = rng.uniform(0.6, 1.35) * np.exp(rng.normal(0, 0.06, 3))
    levels = np.arange(256)[:, None] / 255
    curve = np.clip(levels ** np.exp(rng.normal(0, 0.18)) * gains + rng.normal(0, 0.03), 0, 1)
    table = (curve * 255).astype(np.uint8)
    changed = np.stack([table[pixels[..., c], c] for c in range(3)], axis=-1)
    if rng.random() < 0.5:
        grey = changed.mean(axis=-1, keepdims=True)
        mixed = grey + (changed - grey) * rng.uniform(0.0, 1.5)
        changed = np.clip(mixed, 0, 255).astype(np.uint8)
    if rng.random() < 0.3:
        blur = ImageFilter.GaussianBlur(float(rng.uniform(0.3, 1.4)))
        changed = np.asarray(Image.fromarray(changed).filter(blur))
    if rng.random() < 0.4:
        noise = rng.normal(0, rng.uniform(1, 12), changed.shape)
        changed = np.clip(changed + noise, 0, 255).astype(np.uint8)
    if rng.random() < 0.4:
        packed = BytesIO()
        Image.fromarray(changed).save(packed, "JPEG", quality=int(rng.integers(20, 90)))
        with Image.open(packed) as again:
            changed = np.asarray(again.convert("RGB"))
    return changed


def match(example: BoxedExample, defaults: Array) -> tuple[Array, npt.NDArray[np.int64]]:
    """What each default box learns: codes (n, 4), and a class, ``IGNORED`` or ``NOTHING``."""
    codes = np.zeros((len(defaults), 4), np.float32)
    learns = np.full(len(defaults), NOTHING, np.int64)
    if not len(example.boxes):
        return codes, learns
    shared = overlaps(defaults, example.boxes)
    best = shared.argmax(axis=1)
    most = shared[np.arange(len(defaults)), best]
    learns[most >= _MISSES] = IGNORED
    fits = most >= _FITS
    for number in np.argsort(shared.max(axis=0)):
        nearest = np.argsort(-shared[:, number], kind="stable")[:_OWN]
        fits[nearest[(best[nearest] == number) & (most[nearest] >= _OWN_LEAST)]] = True
        # One is its own, however badly that fits.
        best[nearest[0]], fits[nearest[0]] = number, shared[nearest[0], number] > 0
    learns[fits] = example.classes[best[fits]]
    codes[fits] = box_codes(example.boxes[best[fits]], defaults[fits])
    return codes, learns


def overlaps(first: Array, second: Array) -> Array:
    """(n, m): intersection over union of boxes (n, 4) and (m, 4): y, x, height, width."""
    low = np.maximum(_low(first)[:, None], _low(second)[None])
    high = np.minimum(_high(first)[:, None], _high(second)[None])
    shared = np.maximum(high - low, 0).prod(axis=-1)
    sizes = first[:, 2:].prod(axis=1)[:, None] + second[:, 2:].prod(axis=1)[None]
    return np.asarray(shared / np.maximum(sizes - shared, 1e-9), np.float32)


def _low(boxes: Array) -> Array:
    return np.asarray(boxes[:, :2] - boxes[:, 2:] / 2, np.float32)


def _high(boxes: Array) -> Array:
    return np.asarray(boxes[:, :2] + boxes[:, 2:] / 2, np.float32)
