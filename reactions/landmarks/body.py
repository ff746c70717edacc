"""Bodies: the pose detector and the pruned landmark model with its heat maps."""

from collections.abc import Sequence
from typing import Protocol

import numpy as np

from reactions.landmark_types import Body, Hand, RgbImage
from reactions.landmarks.downscale import shrunk
from reactions.landmarks.interpreter import Interpreter, Range, Tensor
from reactions.landmarks.model_manifest import POSE_DETECTOR
from reactions.landmarks.model_store import ModelStore
from reactions.landmarks.roi import Roi, body_from_keypoints, letterbox
from reactions.landmarks.ssd import SsdDetector
from reactions.landmarks.warp import crop_on_edge

PRESENT = 0.5
"""From this confidence on it is a body."""
_SURE_BODY = 0.97
"""What a part of the picture shows must be this certain: bodies of people have 0.99 and more, what
is none up to 0.93 in an empty room."""
_STRIDES = (8, 16, 32, 32, 32)
"""Of the detector's layers, in pixels (MediaPipe's pose_detection)."""
_KERNEL = 7
"""Cells a side of the window in which a heat map refines a landmark (MediaPipe's own)."""
_SURE = 0.5
"""Where a heat map's best value in the window is lower, a landmark stays where it is."""
_SHOULDERS = (11, 12)
_HANDS = ((15, 19), (16, 20))
"""Wrist and index finger of each hand."""
_HAND_SEEN = 0.6
"""Visibility of a wrist from which its hand is looked at."""
_HAND_LOOKS = ((0.0, 0.0, 2.0), (0.0, 0.2, 1.2), (0.2, 0.2, 1.5), (0.0, 0.0, 1.5))
"""Where it is looked for by its finger, in shoulder widths: inwards, up, and the region's side. Of
those tried the sequence that finds most in ten photos of pressed palms, 640 to 360 pixels high."""
_OTHER_HAND = 0.33
"""Shoulder widths (12 cm) between the middle of a hand that is known and another hand."""
_PALM = [0, 5, 17]
_BODY, _AUXILIARY = slice(0, 33), slice(33, 35)


class Bodies(Protocol):
    """Finds people in a picture."""

    def find(self, picture: RgbImage, region: Roi | None = None) -> list[Roi]:
        """Where bodies are in ``region`` (default: all of ``picture``), the surest first."""
        ...


class BodyReader(Protocol):
    """Reads one body."""

    def read(
        self, picture: RgbImage, roi: Roi, *, roughly: bool = False
    ) -> tuple[Body, Roi] | None:
        """The body in ``roi`` and where it will be next, or None where there is none.

        ``roughly``: of no more pixels than the model has, as far as whole factors go.
        """
        ...


class BodyDetector:
    """Finds people by hips and height."""

    def __init__(self, store: ModelStore) -> None:
        path = store.path(POSE_DETECTOR)
        self._detector = SsdDetector(path, Range.SYMMETRIC, _STRIDES, keypoints=4)

    def find(self, picture: RgbImage, region: Roi | None = None) -> list[Roi]:
        """Where bodies are in ``region`` (default: all of ``picture``), the surest first."""
        height, width = picture.shape[:2]
        bodies = self._detector.detect(picture, region or letterbox(width, height))
        return [body_from_keypoints(body.keypoints) for body in bodies]


class BodyLandmarker:
    """Reads a body in a region."""

    def __init__(self, store: ModelStore, model: str) -> None:
        """``model``: POSE_LITE or POSE_FULL."""
        outputs = ((1, 195), (1, 1), (1, 64, 64, 39))
        self._session = Interpreter(store.path(model), Range.UNIT, outputs)

    def read(
        self, picture: RgbImage, roi: Roi, *, roughly: bool = False
    ) -> tuple[Body, Roi] | None:
        """The body in ``roi`` and where it will be next; as ``BodyReader.read``."""
        size = self._session.width
        crop = _shrunken_crop(picture, roi, size, size if roughly else 2 * size)
        raw, presence, heat = self._session.run(crop)
        if presence[0, 0] < PRESENT:
            return None
        values = raw.reshape(39, 5)
        points = refined(values[:, :3] / np.float32(size), heat[0])
        placed = roi.to_picture(points)
        visibility = (1 / (1 + np.exp(-values[_BODY, 3]))).astype(np.float32)
        body = Body(points=placed[_BODY], visibility=visibility, presence=float(presence[0, 0]))
        return body, body_from_keypoints(placed[_AUXILIARY])


class BodyFollower:
    """One body, from sample to sample."""

    def __init__(self, bodies: Bodies, landmarks: BodyReader) -> None:
        self._bodies = bodies
        self._landmarks = landmarks

    def follow(
        self,
        picture: RgbImage,
        region: Roi | None,
        guess: Roi | None = None,
        looks: Sequence[Roi | None] = (None,),
    ) -> tuple[Body | None, Roi | None]:
        """The body in ``picture`` and where it will be; looked for unless it is in ``region``.

        Without a region a ``guess`` is tried first. ``looks`` are the parts of the picture (None:
        all of it) that are searched until a body is found; in a part it must be certain.
        """
        read = self._landmarks.read(picture, region) if region else None
        if region is None and guess is not None:
            read = self._landmarks.read(picture, guess, roughly=True)
        for look in looks:
            if read is None or (read[0].presence < _SURE_BODY and look is not None):
                read = self._first(picture, look) or read
        return read or (None, None)

    def _first(self, picture: RgbImage, look: Roi | None) -> tuple[Body, Roi] | None:
        """The body that the detector is surest of in ``look``."""
        found = self._bodies.find(picture, look)
        read = self._landmarks.read(picture, found[0]) if found else None
        unsure = look is not None and read is not None and read[0].presence < _SURE_BODY
        return None if unsure else read


def _shrunken_crop(picture: RgbImage, roi: Roi, size: int, least: int) -> RgbImage:
    """``roi`` at ``size`` x ``size``, with the picture's edge repeated outside it.

    Near the camera a body's region is several times as large as the picture: what is repeated of a
    picture that was shrunk first, the region to ``least`` pixels or more, is a few times less.
    """
    by = max(1, int(min(roi.width, roi.height) / least))
    # A pixel that stands for several lies in their middle.
    middle = (by - 1) / (2 * by)
    small = Roi(
        roi.x / by - middle, roi.y / by - middle, roi.width / by, roi.height / by, roi.angle
    )
    return crop_on_edge(shrunk(picture, by), small, size, size)


def hand_regions(body: Body, width: int, height: int) -> list[Roi]:
    """Where the hands of ``body`` are in a picture of that size, the surer one first.

    The palm detector misses hands that lie palm to palm or on the head; the body shows where they
    are. Of ten photos of pressed palms, at three sizes each, one of the regions holds a hand for
    the landmark model in 28 of 30.
    """
    shoulders = float(np.hypot(*(body.points[_SHOULDERS[0]] - body.points[_SHOULDERS[1]])[:2]))
    places = []
    for wrist, finger in sorted(_HANDS, key=lambda hand: -float(body.visibility[hand[0]])):
        x, y = body.points[finger, :2].tolist()
        if body.visibility[wrist] >= _HAND_SEEN and 0 < x < width and 0 < y < height:
            places.append((x, y, -shoulders if finger == _HANDS[0][1] else shoulders))
    return [
        Roi(x + aside * inwards, y - up * shoulders, size * shoulders, size * shoulders)
        for aside, up, size in _HAND_LOOKS
        for x, y, inwards in places
    ]


def missed_hand(body: Body, hands: Sequence[Hand], width: int, height: int) -> Roi | None:
    """Where ``body`` shows a hand that is none of ``hands``, in a picture of that size."""
    shoulders = float(np.hypot(*(body.points[_SHOULDERS[0]] - body.points[_SHOULDERS[1]])[:2]))
    middles = [hand.points[_PALM, :2].mean(axis=0) for hand in hands]
    for wrist, finger in sorted(_HANDS, key=lambda hand: -float(body.visibility[hand[0]])):
        spot = body.points[finger, :2]
        x, y = spot.tolist()
        inside = body.visibility[wrist] >= _HAND_SEEN and 0 < x < width and 0 < y < height
        gap = min((float(np.hypot(*(spot - middle))) for middle in middles), default=np.inf)
        if inside and gap > _OTHER_HAND * shoulders:
            return Roi(x, y, shoulders, shoulders)
    return None


def refined(points: Tensor, heat: Tensor) -> Tensor:
    """``points`` (n, 3; 0–1) drawn to the middle of the heat (h, w, n; logits) around them."""
    rows, columns, count = heat.shape
    x = (points[:, 0] * columns).astype(np.int32)
    y = (points[:, 1] * rows).astype(np.int32)
    inside = (x >= 0) & (x < columns) & (y >= 0) & (y < rows)
    reach = np.arange(_KERNEL) - _KERNEL // 2
    across, down = x[:, None] + reach, y[:, None] + reach
    window = heat[
        np.clip(down, 0, rows - 1)[:, :, None],
        np.clip(across, 0, columns - 1)[:, None, :],
        np.arange(count)[:, None, None],
    ]
    heats = 1 / (1 + np.exp(-window))
    heats *= ((down >= 0) & (down < rows))[:, :, None]
    heats *= ((across >= 0) & (across < columns))[:, None]
    total = heats.sum(axis=(1, 2))
    moved = inside & (heats.max(axis=(1, 2)) >= _SURE) & (total > 0)
    drawn = points.copy()
    drawn[moved, 0] = ((heats.sum(axis=1) * across).sum(axis=1) / columns)[moved] / total[moved]
    drawn[moved, 1] = ((heats.sum(axis=2) * down).sum(axis=1) / rows)[moved] / total[moved]
    return drawn
