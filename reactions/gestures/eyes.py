"""Eyes and wide-open mouths, from the finer face mesh: shut, winking, yawning, laughing.

The coarse mesh hardly moves its lids (0.20–0.40 of an eye's width where eyes are shut, 0.30 ± 0.05
where not), so nothing here is read from it. Decision points were checked on photos; docs/labels.md
says on which, and with what result.
"""

from dataclasses import dataclass
from math import dist
from typing import NamedTuple, Self

from reactions.compact_pickle import CompactPickle
from reactions.gestures.calibration import ramp
from reactions.gestures.expressions import EYES, LIDS, FaceReading, read_face
from reactions.landmark_types import Face, FaceDetail, Points
from reactions.landmarks.detail_looks import BLINKS
from reactions.landmarks.sample_pace import USUAL

_BROWS_DOWN = slice(1, 3)
"""The places of both lowered brows among the blendshapes."""
_WIDE_EYES = 0.36
"""An eye's opening by its width from which on it is wide, as in surprise."""
_NARROW_MOUTH = 0.46
"""A mouth's width below which its lips are drawn together, as in surprise."""


LATELY = 1.3
"""Seconds over which the readings of lids are averaged. Single ones of eyes that are about shut
have an ``eyes_closed`` of 0.2–0.98 within one stream, as the mesh wavers; a blink counts little.
As long a mouth that gaped is none of surprise."""
YAWN_LASTS = 0.7
"""Seconds for which a yawn that was read is one: the mesh shuts gaping mouths now and then."""
_MOST_MOMENTS = 24
"""Readings that are kept of these, at any rate of samples."""


class DetailMoment(NamedTuple):
    """What wavers between one fine reading and the next. A tuple, as ``motion.Moment`` is."""

    time: float
    gape: float
    """``DetailReading.gape``."""
    yawn: float
    """How much the face yawned, 0–1."""
    blink: float
    """The blendshape of the more open eye, 0–1; 0 where not asked for."""
    lid: float
    """The opening of the more open eye by its width."""


@dataclass(frozen=True, slots=True)
class DetailReading(CompactPickle):
    """What one fine reading of a face says, and when it was made."""

    time: float
    face: FaceReading
    """The measures of ``expressions``, from the finer mesh."""
    lids: tuple[float, float]
    """The opening of the right and of the left eye by its width: 0.29 ± 0.07, shut 0.02–0.24."""
    blinks: tuple[float, float] | None
    """The blendshapes of the right and the left eye, 0 open – 1 shut; None where not asked for."""
    frown: float = 0.0
    """The blendshape of the less lowered brow, 0–1: 0–0.14 over shut eyes, 0.4–0.9 over eyes that
    squint, or look down at something."""
    lately: tuple[DetailMoment, ...] = ()
    """The readings of the ``LATELY`` before it, oldest first."""

    @classmethod
    def of(cls, face: Face, time: float, before: Self | None = None) -> Self | None:
        """The reading of ``face``'s detail at ``time``; None where it has none.

        ``before`` is the reading before it.
        """
        detail = face.detail
        if detail is None:
            return None
        right, left = (_lid_opening(detail.points, k) for k in range(2))
        reading = read_face(Face(detail.points, face.presence))
        seen = () if before is None else (*before.lately, before.moment)
        lately = [each for each in seen if 0 < time - each.time <= LATELY]
        return cls(
            *(time, reading, (right, left), _blinks(detail), _frown(detail)),
            lately=tuple(lately[-_MOST_MOMENTS:]),
        )

    @property
    def gape(self) -> float:
        """How far the mouth gapes: its opening by its width, less for wide eyes and drawn lips.

        0.54–1.21 in 20 photos of yawns, 0.20–0.53 in those of surprise and laughter.
        """
        wide = max(0.0, self.face.eye_open - _WIDE_EYES)
        drawn = max(0.0, _NARROW_MOUTH - self.face.mouth_width)
        return self.face.mouth_round - 1.5 * wide - 2 * drawn

    @property
    def moment(self) -> DetailMoment:
        """What wavers of this reading."""
        return DetailMoment(
            time=self.time,
            gape=self.gape,
            yawn=_yawns(self.gape, self.face),
            blink=0.0 if self.blinks is None else min(self.blinks),
            lid=max(self.lids),
        )

    def moments(self, now: float, seconds: float = LATELY) -> tuple[DetailMoment, ...]:
        """The readings of the last ``seconds`` before ``now``, and in any case this one."""
        return *(each for each in self.lately if now - each.time <= seconds), self.moment

    def eyes(self, now: float) -> tuple[float, float]:
        """``blink`` and ``lid`` of a ``DetailMoment``, the mean of the last ``LATELY`` seconds.

        A reading counts for as long as it stands: blinks are read more often than open eyes.
        """
        seen = self.moments(now)
        ends = [*(each.time for each in seen[1:]), now + USUAL]
        stands = [end - each.time for each, end in zip(seen, ends, strict=True)]
        blink = sum(each.blink * time for each, time in zip(seen, stands, strict=True))
        lid = sum(each.lid * time for each, time in zip(seen, stands, strict=True))
        return blink / sum(stands), lid / sum(stands)


def yawn(detail: DetailReading, now: float) -> float:
    """How much a face yawns, 0–1: the mouth gapes, its corners far down, the eyes not wide."""
    return max(each.yawn for each in detail.moments(now, YAWN_LASTS))


def _yawns(gape: float, face: FaceReading) -> float:
    return min(
        ramp(gape, at=0.535, sure=0.6),
        ramp(face.smiling, at=0.16, sure=0.1),
        ramp(abs(face.yaw), at=40, sure=32),
    )


def no_yawn(detail: DetailReading, now: float) -> float:
    """Whether a face that seems surprised doesn't yawn, 0–1.

    A single reading may be wrong either way: the second widest of those lately counts.
    """
    gapes = sorted(each.gape for each in detail.moments(now))
    return ramp(gapes[-2:][0], at=0.53, sure=0.45)


def laugh(detail: DetailReading) -> float:
    """How much a face laughs, 0–1: a smile with the mouth open, wider than any yawn's."""
    return min(
        ramp(detail.face.mouth_round, at=0.36, sure=0.44),
        ramp(detail.face.smiling, at=0.18, sure=0.24),
        ramp(detail.face.mouth_width, at=0.61, sure=0.65),
        ramp(abs(detail.face.yaw), at=35, sure=28),
    )


def eyes_closed(detail: DetailReading, now: float) -> float:
    """How much both eyes are shut, 0–1, of a head that is upright: who looks down at a keyboard has
    lowered lids, too, and mostly lowered brows. A broad smile narrows eyes until they seem shut."""
    if detail.blinks is None:
        return 0.0
    blink, lid = detail.eyes(now)
    return min(
        ramp(blink, at=0.33, sure=0.46),
        ramp(lid, at=0.27, sure=0.2),
        ramp(detail.face.smiling, at=0.42, sure=0.36),
        ramp(detail.face.pitch, at=8, sure=4),
        ramp(detail.frown, at=0.35, sure=0.25),
        ramp(abs(detail.face.yaw), at=35, sure=28),
        ramp(detail.face.scale, at=42, sure=48),
    )


def wink(detail: DetailReading) -> float:
    """How much one eye is shut and the other open, 0–1, of a face that is seen from the front."""
    if detail.blinks is None:
        return 0.0
    shut = 0 if detail.lids[0] < detail.lids[1] else 1
    return min(
        ramp(detail.blinks[shut] - detail.blinks[1 - shut], at=0.2, sure=0.34),
        ramp(detail.lids[shut] / max(detail.lids[1 - shut], 0.01), at=0.67, sure=0.5),
        ramp(detail.lids[1 - shut], at=0.2, sure=0.25),
        ramp(abs(detail.face.yaw), at=25, sure=18),
        ramp(detail.face.scale, at=42, sure=48),
    )


def _lid_opening(points: Points, eye: int) -> float:
    outer, inner = points[list(EYES[eye])].tolist()
    upper, lower = points[list(LIDS[eye])].tolist()
    return dist(upper, lower) / (dist(outer, inner) or 1.0)


def _frown(detail: FaceDetail) -> float:
    return 0.0 if detail.blendshapes is None else float(detail.blendshapes[_BROWS_DOWN].min())


def _blinks(detail: FaceDetail) -> tuple[float, float] | None:
    if detail.blendshapes is None:
        return None
    left, right = detail.blendshapes[BLINKS].tolist()
    return right, left
