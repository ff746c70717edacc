"""Regions of interest: where in the picture a model looks, and how they follow from what was seen.

All rules and their numbers are MediaPipe 0.10.21's (hand_landmark, face_landmark and pose_landmark
graphs). Pure geometry: positions in pixels of the sample, angles in radians, clockwise on screen.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from reactions.compact_pickle import CompactPickle

Positions = npt.NDArray[np.float32]
"""(n, 2) or (n, 3): x, y in pixels, and z in the same unit."""


@dataclass(frozen=True, slots=True)
class Roi(CompactPickle):
    """A rectangle around (``x``, ``y``), turned by ``angle``."""

    x: float
    y: float
    width: float
    height: float
    angle: float = 0.0

    def to_picture(self, points: Positions) -> Positions:
        """Points in fractions of this region (z: of its width) as pixels of the picture."""
        cos, sin = math.cos(self.angle), math.sin(self.angle)
        right = (points[:, 0] - 0.5) * self.width
        down = (points[:, 1] - 0.5) * self.height
        placed = np.empty_like(points)
        placed[:, 0] = self.x + right * cos - down * sin
        placed[:, 1] = self.y + right * sin + down * cos
        if points.shape[1] > 2:
            placed[:, 2] = points[:, 2] * self.width
        return placed

    def from_picture(self, points: Positions) -> Positions:
        """The inverse of ``to_picture``."""
        cos, sin = math.cos(self.angle), math.sin(self.angle)
        right, down = points[:, 0] - self.x, points[:, 1] - self.y
        inside = np.empty_like(points)
        inside[:, 0] = (right * cos + down * sin) / self.width + 0.5
        inside[:, 1] = (down * cos - right * sin) / self.height + 0.5
        if points.shape[1] > 2:
            inside[:, 2] = points[:, 2] / self.width
        return inside

    def moved(self, right: float, down: float) -> "Roi":
        """The same region so many pixels further right and down."""
        return replace(self, x=self.x + right, y=self.y + down)

    def bounds(self) -> tuple[float, float, float, float]:
        """Left, top, right and bottom of the upright box around it."""
        cos, sin = abs(math.cos(self.angle)), abs(math.sin(self.angle))
        across = (self.width * cos + self.height * sin) / 2
        down = (self.width * sin + self.height * cos) / 2
        return self.x - across, self.y - down, self.x + across, self.y + down

    def overlap(self, other: "Roi") -> float:
        """Intersection over union of the two upright boxes, turns left aside; 0–1."""
        across = _shared(self.x, self.width, other.x, other.width)
        shared = across * _shared(self.y, self.height, other.y, other.height)
        union = self.width * self.height + other.width * other.height - shared
        return shared / union if union > 0 else 0.0


def _shared(first: float, first_size: float, second: float, second_size: float) -> float:
    start = max(first - first_size / 2, second - second_size / 2)
    end = min(first + first_size / 2, second + second_size / 2)
    return max(0.0, end - start)


def letterbox(width: int, height: int, aspect: float = 1.0) -> Roi:
    """The smallest upright region of ``aspect`` (width / height) that holds the whole picture."""
    across = max(float(width), height * aspect)
    return Roi(width / 2, height / 2, across, across / aspect)


def rotate_roi(start: Sequence[float], end: Sequence[float], target: float) -> float:
    """The angle (−π–π) that brings ``start`` → ``end`` to ``target``, π/2 being upwards."""
    angle = target - math.atan2(-(end[1] - start[1]), end[0] - start[0])
    return angle - 2 * math.pi * math.floor((angle + math.pi) / (2 * math.pi))


def grown(roi: Roi, scale: float, shift: float = 0.0) -> Roi:
    """``roi`` moved along its own downward axis by ``shift`` of its height, squared, and scaled."""
    x = roi.x - roi.height * shift * math.sin(roi.angle)
    y = roi.y + roi.height * shift * math.cos(roi.angle)
    side = max(roi.width, roi.height) * scale
    return Roi(x, y, side, side, roi.angle)


def turned_box(points: Positions, angle: float) -> Roi:
    """The smallest rectangle with this ``angle`` around ``points``."""
    cos, sin = math.cos(angle), math.sin(angle)
    x, y = points[:, 0], points[:, 1]
    middle_x, middle_y = float(x.min() + x.max()) / 2, float(y.min() + y.max()) / 2
    across = (x - middle_x) * cos + (y - middle_y) * sin
    down = -(x - middle_x) * sin + (y - middle_y) * cos
    left, right = float(across.min()), float(across.max())
    top, bottom = float(down.min()), float(down.max())
    right_of, below = (left + right) / 2, (top + bottom) / 2
    return Roi(
        middle_x + right_of * cos - below * sin,
        middle_y + right_of * sin + below * cos,
        right - left,
        bottom - top,
        angle,
    )


def around(center: Sequence[float], edge: Sequence[float], target: float) -> Roi:
    """A square around ``center`` reaching to ``edge``, turned so that the edge is at ``target``."""
    side = 2 * math.hypot(edge[0] - center[0], edge[1] - center[1])
    return Roi(float(center[0]), float(center[1]), side, side, rotate_roi(center, edge, target))


_UP, _RIGHT = math.pi / 2, 0.0
_PALM_BONES = np.array([0, 1, 2, 3, 5, 6, 9, 10, 13, 14, 17, 18])
"""Hand landmarks that stay put while fingers bend."""


def hand_from_palm(box: Roi, keypoints: Positions) -> Roi:
    """Where a hand is, from a palm's box and its keypoints 0 (wrist) and 2 (middle knuckle)."""
    angle = rotate_roi(keypoints[0], keypoints[2], _UP)
    return grown(Roi(box.x, box.y, box.width, box.height, angle), 2.6, -0.5)


def hand_from_landmarks(points: Positions) -> Roi:
    """Where a hand will be, from its 21 landmarks."""
    middle = ((points[5] + points[13]) / 2 + points[9]) / 2
    angle = rotate_roi(points[0], middle, _UP)
    return grown(turned_box(points[_PALM_BONES], angle), 2.0, -0.1)


def face_from_detection(box: Roi, keypoints: Positions) -> Roi:
    """Where a face is, from its box and keypoints 0 and 1 (right and left eye)."""
    angle = rotate_roi(keypoints[0], keypoints[1], _RIGHT)
    return grown(Roi(box.x, box.y, box.width, box.height, angle), 1.5)


def face_from_landmarks(points: Positions) -> Roi:
    """Where a face will be, from its 468 landmarks (33 and 263: outer eye corners)."""
    # Of one column at a time numpy finds the ends four times as fast as of two.
    x, y = points[:, 0], points[:, 1]
    left, right, top, bottom = float(x.min()), float(x.max()), float(y.min()), float(y.max())
    angle = rotate_roi(points[33], points[263], _RIGHT)
    box = Roi((left + right) / 2, (top + bottom) / 2, right - left, bottom - top, angle)
    return grown(box, 1.5)


def long_face(face: Roi, lower: float = 0.0) -> Roi:
    """The region in which the meshes read a mouth that gapes in ``face``, its region otherwise,
    moved down by the part ``lower`` of it.

    Ours. A gaping mouth makes a face half as long again; squeezed to its usual proportions, it is
    read like any other. Of seven photos of yawns that neither mesh read in squares of any size and
    place, five are open so; none of 40 portraits of shut mouths is.
    """
    region = grown(face, 1.1, lower)
    return replace(region, height=1.5 * region.height)


def body_from_face(face: Roi) -> Roi:
    """Where the body below a ``face`` (``face_from_landmarks``) is, if it stands or sits upright.

    Ours, in place of a run of the pose detector. In 86 photos of people from 0.5 to 3 m off
    (docs/landmarks.md) bodies lie 2.3 ± 0.3 widths of that region lower and are 5.5 to 10 wide.
    """
    side = 8.5 * face.width
    return Roi(face.x, face.y + 2.3 * face.width, side, side)


def body_from_keypoints(points: Positions) -> Roi:
    """Where a body is, from its middle (0) and a point of the circle around it (1).

    The detector's keypoints 0 and 1, or the landmark model's auxiliary points 33 and 34.
    """
    return grown(around(points[0], points[1], _UP), 1.25)
