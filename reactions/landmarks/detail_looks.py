"""When a face is worth the finer mesh, which costs as much as half of a sample: pure rules."""

from dataclasses import dataclass, replace
from math import atan2, dist, hypot
from typing import Self

import numpy as np

from reactions.compact_pickle import CompactPickle
from reactions.landmark_types import FaceDetail, Points, RgbImage
from reactions.landmarks.roi import Roi
from reactions.landmarks.sample_pace import NEARLY
from reactions.landmarks.warp import crop_on_edge

EVERY = 40
"""Samples, eight seconds, after which a face is looked at in any case, if its eyes are wanted: what
changes slowly is seen by what the eyes looked like then, too."""
_GAPES = 15
"""Samples after which a mouth that seems shut is looked at in the region of one that gapes."""
_GAPES_AGAIN = 5
"""The same where it was open in the last look: mouths that talk shut every other sample."""
_NARROW_LOOKS = 4
"""Looks for which eyes may be shut after a reading that says so: the mesh opens shut ones now and
then, and that reading must not stand for long."""
_NARROW_EVERY = 3
"""Samples after which eyes that may be shut are read again."""
_NEVER = 1000
_MOUTH_OPEN = 0.26
"""The mouth's opening by its width, as the coarse mesh sees it. A yawn has 0.26–0.69, surprise
0.30–0.46 in the photos there are."""
_MOUTH_WIDE = 0.35
"""The same as the finer mesh sees it."""
_GAPING = 0.5
"""The same in the region of a gaping mouth."""
_OUTER_CORNERS = (33, 263)
"""Of the right and the left eye."""
BLINKS = slice(9, 11)
"""The blendshapes eyeBlinkLeft and eyeBlinkRight."""
_SHUT = 0.45
"""From this ``BLINKS`` on an eye may be shut."""
_NARROW = 0.22
"""From here on, both may be: in 22 photos of shut eyes single readings have 0.12–0.79, in 315
portraits nine of ten up to 0.25."""
_UNLIKE = 0.35
"""From here on eyes have changed. In 20 clips of faces near to the camera (1,438 samples, 5 a
second) nine of ten with both eyes shut are read then."""
_PATCH_WIDTH, _PATCH_HEIGHT = 32, 16


@dataclass(frozen=True, slots=True)
class DetailTrail(CompactPickle):
    """What the last fine look at a face leaves behind."""

    unread: float = _NEVER
    """Samples since then, each counted by its pace (``sample_pace``)."""
    lively: bool = False
    """Whether an eye was shut or the mouth open: then the next sample counts, too."""
    narrow: int = 0
    """Looks in which both eyes are still to be taken for such that may be shut: they are read again
    soon, and in two regions in turn."""
    wide: bool = False
    """Whether the mouth was wide open."""
    long: bool = False
    """Whether it was so in the region of a gaping mouth alone (``roi.long_face``)."""
    unstretched: float = _NEVER
    """Samples since that region was tried, each by its pace."""
    close: bool = False
    """Whether the eyes were read in the closer region."""
    eyes: bytes = b""
    """What the eyes looked like, see ``eye_patches``."""

    @classmethod
    def of(
        cls,
        detail: FaceDetail,
        eyes: bytes,
        last: Self | None = None,
        *,
        long: bool = False,
        unstretched: float = 0.0,
        close: bool = False,
    ) -> Self:
        """The trail of a look that read ``detail`` of a face with such ``eyes``, after ``last``."""
        before = 0 if last is None else last.narrow
        return cls(
            unread=0,
            lively=is_lively(detail),
            narrow=_NARROW_LOOKS if is_narrow(detail) else max(0, before - 1),
            wide=is_wide(detail),
            long=long,
            unstretched=unstretched,
            close=close,
            eyes=eyes,
        )

    def passed(self, pace: float = 1.0) -> Self:
        """The same one sample later, which counts as much as ``pace``."""
        return replace(self, unread=self.unread + pace, unstretched=self.unstretched + pace)


def is_due(points: Points, eyes: bytes, last: DetailTrail, *, always: bool) -> bool:
    """Whether a face (468, 3) is to be read finely, ``last`` having passed to this sample.

    Its mouth is open or, with ``always``, its eyes have changed, there was something to see in the
    last look, or that was long ago; but never twice within a usual sample's time.
    """
    if last.unread < 1 - NEARLY:
        return False
    if last.long or mouth_opening(points) > _MOUTH_OPEN:
        return True
    long_ago = last.unread >= (_NARROW_EVERY if last.narrow else EVERY) - NEARLY
    return always and (last.lively or long_ago or unlike(eyes, last.eyes) > _UNLIKE)


def is_lively(detail: FaceDetail) -> bool:
    """Whether a finely read face may have an eye shut or the mouth wide open."""
    shapes = detail.blendshapes
    shut = shapes is not None and float(shapes[BLINKS].max()) > _SHUT
    return shut or is_wide(detail)


def is_wide(detail: FaceDetail) -> bool:
    """Whether a finely read face has the mouth wide open."""
    return mouth_opening(detail.points) > _MOUTH_WIDE


def gapes(detail: FaceDetail) -> bool:
    """Whether the mouth gapes in the region that is made for it, in which shut ones have up to
    0.46."""
    return mouth_opening(detail.points) > _GAPING


def may_gape(detail: FaceDetail, last: DetailTrail) -> bool:
    """Whether a mouth that looks shut in ``detail`` is to be read in the region of one that gapes:
    where it was open in the ``last`` look, and now and then."""
    every = _GAPES_AGAIN if last.wide else _GAPES
    return not is_wide(detail) and last.unstretched >= every - NEARLY


def is_narrow(detail: FaceDetail) -> bool:
    """Whether a finely read face may have both eyes shut."""
    shapes = detail.blendshapes
    return shapes is not None and float(shapes[BLINKS].min()) > _NARROW


def mouth_opening(points: Points) -> float:
    """The mouth's opening by its width; about 0–1."""
    upper, lower, right, left = points[[13, 14, 61, 291]].tolist()
    return dist(upper, lower) / (dist(right, left) or 1.0)


def eye_patches(picture: RgbImage, points: Points) -> bytes:
    """Both eyes as small upright grey pictures by their outer corners, one after the other."""
    (left, top, _), (right, bottom, _) = sorted(points[list(_OUTER_CORNERS)].tolist())
    width, angle = hypot(right - left, bottom - top), atan2(bottom - top, right - left)
    roi = Roi((left + right) / 2, (top + bottom) / 2, 1.1 * width, 0.27 * width, angle)
    strip = crop_on_edge(picture, roi, 2 * _PATCH_WIDTH, _PATCH_HEIGHT)[..., 1]
    return strip[:, :_PATCH_WIDTH].tobytes() + strip[:, _PATCH_WIDTH:].tobytes()


def unlike(eyes: bytes, other: bytes) -> float:
    """How unlike two ``eye_patches`` are: one less the correlation of the more changed eye, 0–2.

    Brighter or darker light makes no difference. Patches that can't be compared are unlike.
    """
    if len(eyes) != len(other) or not eyes:
        return 2.0
    pairs = np.frombuffer(eyes + other, np.uint8).astype(np.float32)
    pairs = pairs.reshape(2, 2, -1)
    pairs -= pairs.mean(axis=2, keepdims=True)
    now, then = pairs
    size = np.sqrt((now * now).sum(axis=1) * (then * then).sum(axis=1))
    return float((1 - (now * then).sum(axis=1) / np.maximum(size, 1e-6)).max())
