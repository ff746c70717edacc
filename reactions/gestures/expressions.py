"""Smile, surprise and calm from the face mesh: distances in the head's own axes.

Landmark numbers are MediaPipe's. Distances are in units of the distance between the outer corners
of the eyes (about 9 cm), measured after turning the mesh upright and frontal. The decision points
were set on faces photographed and drawn; docs/labels.md says how and gives the figures.
"""

from dataclasses import dataclass
from math import asin, atan2, degrees, dist, hypot
from statistics import fmean

import numpy as np
import numpy.typing as npt

from reactions.compact_pickle import CompactPickle
from reactions.gestures.calibration import ramp
from reactions.landmark_types import Face, Points

_Vector = npt.NDArray[np.float64]

# Points of MediaPipe's face mesh (canonical_face_model), left and right as in the picture.
EYE_OUTER = (33, 263)
TEMPLES = (234, 454)
FOREHEAD, NOSE_BRIDGE, NOSE_BASE = 10, 168, 2
LIP_CORNERS = (61, 291)
LIPS_INNER = (13, 14)
BROWS = (105, 334)
EYES = ((33, 133), (263, 362))
"""Outer and inner corner of the right and the left eye."""
BROW_BY_PITCH = 0.002
"""Eye widths a degree: how the brows seem to rise as the head nods, in portraits."""
LIDS = ((159, 145), (386, 374))
_READ = (*LIP_CORNERS, *LIPS_INNER, *BROWS, *EYES[0], *EYES[1], *LIDS[0], *LIDS[1], NOSE_BASE)
"""All that is read of a mesh, but for what turns it."""
_STEADY = np.array([*EYE_OUTER, *TEMPLES, FOREHEAD, NOSE_BRIDGE, NOSE_BASE])


@dataclass(frozen=True, slots=True)
class FaceReading(CompactPickle):
    """What one face mesh says about the head and its expression."""

    yaw: float
    """Degrees, positive towards the person's left."""
    pitch: float
    """Degrees by the mesh's own depth: good to about 10, with an offset that varies by person."""
    roll: float
    """Degrees, clockwise in the picture."""
    mouth_width: float
    """Between the corners of the lips: 0.53–0.60 at rest, 0.64–0.76 smiling."""
    corner_drop: float
    """The corners of the lips below the base of the nose: 0.20–0.25 at rest, 0.09–0.16 smiling."""
    mouth_open: float
    """Between the inner edges of the lips: up to 0.03 closed, 0.14 and more in surprise."""
    brow_height: float
    """The brows above the line of the eyes, ``BROW_BY_PITCH`` taken out: 0.24 ± 0.03 at rest."""
    eye_open: float
    """Between the lids, by the width of the eye: 0.30 ± 0.05 at rest."""
    scale: float
    """Pixels between the outer corners of the eyes: how much there was to see."""

    @property
    def smiling(self) -> float:
        """Corners apart and up: 0.12–0.33 at rest, 0.42–0.60 smiling.

        The corner's way up weighs 1.5 of its way outwards: with that weight the measure sorts
        portraits by how much they smile, for all shapes of mouths.
        """
        return self.mouth_width - 1.5 * self.corner_drop

    @property
    def mouth_round(self) -> float:
        """Height of the mouth's opening by its width: 0.05 closed, 0.3–0.6 for an "oh"."""
        return self.mouth_open / self.mouth_width

    @property
    def alarm(self) -> float:
        """Brows and lids raised: in standard deviations above people at rest, both summed up."""
        return (self.brow_height - 0.24) / 0.03 + (self.eye_open - 0.30) / 0.05


def read_face(face: Face) -> FaceReading:
    """Measure ``face`` (468 points) in its own axes."""
    axes = head_axes(face.points)
    turned = face.points[list(_READ)].astype(np.float64) @ axes.T
    # Plain numbers from here on: on single points numpy's cost a call is nearly all of the work.
    mesh = dict(zip(_READ, turned.tolist(), strict=True))
    unit = dist(*(mesh[eye] for eye in EYE_OUTER)) or 1.0

    def apart(one: int, other: int) -> float:
        return dist(mesh[one], mesh[other]) / unit

    def level(*points: int) -> float:
        return fmean(mesh[point][1] for point in points)

    lids = [apart(*lid) / (apart(*eye) or 1.0) for lid, eye in zip(LIDS, EYES, strict=True)]
    across, down, _ = axes.tolist()
    pitch = degrees(asin(_sine(down[2])))
    brows = (level(*EYES[0], *EYES[1]) - level(*BROWS)) / unit
    return FaceReading(
        yaw=degrees(asin(_sine(across[2]))),
        pitch=pitch,
        roll=degrees(atan2(across[1], across[0])),
        mouth_width=apart(*LIP_CORNERS),
        corner_drop=(level(*LIP_CORNERS) - level(NOSE_BASE)) / unit,
        mouth_open=apart(*LIPS_INNER),
        brow_height=brows - BROW_BY_PITCH * pitch,
        eye_open=fmean(lids),
        scale=unit,
    )


def head_axes(points: Points) -> npt.NDArray[np.float64]:
    """The head's axes as rows (3, 3): across to the person's left, down, and into the head.

    From points that neither mouth nor brows move: eye corners, temples, forehead, bridge and base
    of the nose.
    """
    right_eye, left_eye, right, left, forehead, bridge, base = points[_STEADY].astype(np.float64)
    across = _unit(left_eye - right_eye + left - right)
    down = base + bridge - 2 * forehead
    down = _unit(down - (down @ across) * across)
    (a, b, c), (d, e, f) = across.tolist(), down.tolist()
    return np.array([(a, b, c), (d, e, f), (b * f - c * e, c * d - a * f, a * e - b * d)])


def smile(face: FaceReading) -> float:
    """How much ``face`` smiles, 0–1."""
    return min(ramp(face.smiling, at=0.38, sure=0.44), _legible(face))


def surprised(face: FaceReading) -> float:
    """How surprised ``face`` looks, 0–1: a round open mouth under raised brows and wide eyes.

    Either sign alone may be weak, not both: hence the sum. A laugh opens the mouth as well, but
    draws its corners up and apart. A yawn widens the mouth (0.54–0.63 in 26 photos, 0.48–0.56 in
    surprise) and narrows the eyes: a wide mouth needs wider eyes.
    """
    return min(
        ramp(face.mouth_round, at=0.26, sure=0.34),
        ramp(face.alarm, at=0.8, sure=2.0),
        ramp(face.alarm + (face.mouth_round - 0.28) / 0.06, at=3.0, sure=4.5),
        ramp(face.smiling, at=0.28, sure=0.21),
        ramp(face.alarm - (face.mouth_width - 0.54) / 0.0167, at=2.0, sure=3.5),
        _legible(face),
    )


def calm(face: FaceReading) -> float:
    """How expressionless ``face`` is, 0–1."""
    return min(
        ramp(face.smiling, at=0.37, sure=0.31),
        ramp(face.mouth_open, at=0.08, sure=0.04),
        ramp(face.alarm, at=7.5, sure=6.0),
        ramp(abs(face.yaw), at=30, sure=20),
    )


def head_tilt(face: FaceReading) -> float:
    """How much the head leans to a shoulder, 0–1: 22° and more, looking here.

    11 of 272 portraits lean so far, as people do for a photo; in 14 clips of people who talk no one
    does for long.
    """
    return min(
        ramp(abs(face.roll), at=22, sure=26),
        ramp(abs(face.yaw), at=30, sure=22),
        ramp(face.scale, at=22, sure=27),
    )


def at_a_desk(face: FaceReading, width: int, height: int) -> float:
    """Whether ``face`` is as near to the camera as in a call, in a picture of so many pixels, 0–1.

    What is fine – lids, what touches the chin – can't be read of a person across the room: there
    the eyes' corners are 5–7 % of the picture's longer side apart, at a desk 8–14 %.
    """
    return ramp(face.scale / max(width, height), at=0.0735, sure=0.078)


def _legible(face: FaceReading) -> float:
    """Whether the mouth can be read: the mesh invents what it can't see.

    Both corners must be in sight, and the face large enough: with the eyes 20 pixels apart a pixel
    is the difference between a calm and a speaking mouth.
    """
    return min(ramp(abs(face.yaw), at=40, sure=32), ramp(face.scale, at=22, sure=27))


def _unit(vector: _Vector) -> _Vector:
    return vector / (hypot(*vector.tolist()) or 1.0)


def _sine(value: float) -> float:
    """``value`` without what rounding put outside -1–1."""
    return max(-1.0, min(1.0, value))
