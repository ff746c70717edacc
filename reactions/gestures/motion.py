"""Hands and mouth over the last two seconds: is a hand waving, does the mouth talk. Pure.

Built for 5 samples a second, where a wave of 1.5–3 Hz is near or beyond the Nyquist rate: its
frequency can't be trusted, but the sampled swings keep their size and keep changing direction.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from itertools import pairwise
from math import cos, dist, hypot, radians
from statistics import fmean, median
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from reactions.compact_pickle import CompactPickle
from reactions.gestures.arms import KEPT, ArmsReading, read_arms
from reactions.gestures.calibration import ramp
from reactions.gestures.face_motion import FaceMotion
from reactions.gestures.objects import (
    VESSEL_KEPT,
    ObjectReading,
    VesselReading,
    read_objects,
    read_vessel,
)
from reactions.gestures.pair_seen import PairSeen, same_hand
from reactions.gestures.turns import find_turns
from reactions.landmark_types import Face, Hand, Observation, Side
from reactions.packed_face import PackedFace

HISTORY = 2.0
"""Seconds of past that a motion keeps."""
LOST = 0.7
"""Seconds after which a hand that isn't seen is another one when it comes back."""
BARE_KEPT = 3.0
"""Seconds that a face without a hand before it is remembered."""
MOST_MOMENTS = 64
MOST_HANDS = 4
"""Hands that are followed at once, and ``MOST_MOMENTS`` of each: bounds of the memory."""
REACH = 4.0
"""How many palm lengths a hand may have moved between two samples and still be the same."""
SWING = 0.5
"""Palm lengths (about 5 cm): smaller turns of direction are tremor or noise of the landmarks."""
FULL_SWING = 1.4 * SWING
"""Palm lengths from which a swing counts in full; a smaller one counts by its share. Set, as
``SWING``, on simulated waves and on clips of people who talk (docs/labels.md)."""
WIDER_THAN_HIGH = 1.2
"""How many times as wide as high the movement of a wave is at least; set on the same clips."""
PALM_BY_KNUCKLES = 1.3
"""The length of a palm by the width of its knuckles. In the 1,266 real hands of
``reactions/training/data/hands.npz``, as pictures show them, the middle half has 1.29–1.63: the
lower end, so that a palm seen from the front has the length that is seen."""
WINDOW = 1.6
"""Seconds in which the swings of a wave, or of a talking mouth, must fall."""
CLAP = 0.7
"""Palm lengths by which clapping hands part at least."""
FULL_CLAP = 1.3 * CLAP
"""Palm lengths from which a swing of clapping hands counts in full."""
MEETING = 1.3
"""Palm lengths between the middles of two palms that meet, side by side before the camera."""
SYLLABLE = 0.15
"""How much the mouth's opening by its width changes at least as it talks."""

_PALM = (0, 5, 9, 13, 17)
_TIPS = (8, 12, 16)
_FINGERS = ((6, 8), (10, 12), (14, 16), (18, 20))
"""Middle joint and tip of each finger but the thumb."""


class Moment(NamedTuple):
    """One sighting of a hand. Lengths are pixels of the sample.

    A tuple, since a memory holds dozens, which are pickled with each sample.
    """

    time: float
    center: tuple[float, float]
    """The middle of the palm."""
    tips: tuple[float, float]
    """The middle of the fingertips."""
    size: float
    """The length of the palm, wrist to middle knuckle, as if seen from the front."""
    open: float
    """The share of fingers that are stretched, 0–1."""
    upright: float
    """The cosine of the angle between the hand and straight up."""


@dataclass(frozen=True, slots=True)
class HandTrack(CompactPickle):
    """One hand over time, oldest moment first; there is at least one."""

    side: Side
    moments: tuple[Moment, ...]

    @property
    def newest(self) -> Moment:
        return self.moments[-1]


@dataclass(frozen=True, slots=True)
class BareFace(CompactPickle):
    """A face that no hand was before."""

    time: float
    width: int
    height: int
    """Of its sample, in pixels: in one of another size it would be elsewhere."""
    packed: PackedFace


@dataclass(frozen=True, slots=True)
class Motion(CompactPickle):
    """One participant over the last two seconds: small, frozen, picklable."""

    tracks: tuple[HandTrack, ...] = ()
    mouth: tuple[tuple[float, float], ...] = ()
    """When the mouth was seen, and how round it was open (``FaceReading.mouth_round``)."""
    face: FaceMotion = field(default_factory=FaceMotion)
    gaps: tuple[tuple[float, float], ...] = ()
    """When two hands were seen, or one where a clap may take it, and the palm lengths between."""
    pair: PairSeen | None = None
    """Where two hands were when both were last seen."""
    vessel: VesselReading | None = None
    """The newest vessel near the mouth; looked for in some samples only."""
    objects: tuple[ObjectReading, ...] = ()
    """What the newest look of a bundle's detector found, the surest of each class."""
    arms: ArmsReading | None = None
    """The newest reading of the arms; bodies are read in some samples only."""
    bare: BareFace | None = None
    """The newest face that no hand was before: a hand over the eyes hides the face that
    it is placed by, or squeezes it. See ``BARE_KEPT``. None where no label needs it."""

    def follow(self, observation: Observation, mouth: float | None = None) -> "Motion":
        """The motion with ``observation``'s hands and ``mouth`` added, what is too old dropped."""
        kept = [track for track in self.tracks if 0 < observation.time - track.newest.time <= LOST]
        added: list[HandTrack] = []
        for hand in observation.hands[:MOST_HANDS]:
            moment = _moment(hand, observation.time)
            track = _nearest(kept, moment, hand.side)
            if track is None:
                added.append(HandTrack(hand.side, (moment,)))
                continue
            kept.remove(track)
            recent = tuple(
                past for past in track.moments if observation.time - past.time <= HISTORY
            )
            moments = (*recent, moment)[-MOST_MOMENTS:]
            added.append(replace(track, side=hand.side, moments=moments))
        said = tuple(past for past in self.mouth if 0 < observation.time - past[0] <= HISTORY)
        if mouth is not None:
            said = (*said, (observation.time, mouth))[-MOST_MOMENTS:]
        seen = _apart(observation.hands, added)
        return Motion(
            (*added, *kept)[:MOST_HANDS],
            said,
            self.face,
            gaps=self._gaps(seen, observation.time),
            pair=self._pair(seen, observation.time),
            vessel=self._vessel(observation),
            objects=read_objects(self.objects, observation),
            arms=self._arms(observation),
            bare=self._bare(observation),
        )

    def with_bare_face(self, face: Face, observation: Observation) -> "Motion":
        """The motion with the ``face`` of ``observation``, which no hand is before, as the newest
        such."""
        time, width, height = observation.time, observation.width, observation.height
        return replace(self, bare=BareFace(time, width, height, PackedFace.of(face)))

    def _bare(self, observation: Observation) -> BareFace | None:
        """The bare face of before, if it is new enough and of a sample of the same size."""
        bare = self.bare
        if bare is None or not 0 <= observation.time - bare.time <= BARE_KEPT:
            return None
        same = (bare.width, bare.height) == (observation.width, observation.height)
        return bare if same else None

    def _vessel(self, observation: Observation) -> VesselReading | None:
        """The vessel in ``observation``, or that of before where none was looked for."""
        if observation.vessels is not None and observation.face is not None:
            found = observation.vessels[:1]
            readings = [read_vessel(each, observation.face, observation) for each in found]
            return readings[0] if readings else None
        held = self.vessel is not None and 0 <= observation.time - self.vessel.time <= VESSEL_KEPT
        return self.vessel if held else None

    def _arms(self, observation: Observation) -> ArmsReading | None:
        """The arms in ``observation``, or those of before that still hold.

        A palm as long as the shoulders are apart has no such body: it was found in the hand itself.
        """
        arms = self.arms if observation.body is None else read_arms(observation.body, observation)
        if arms is None or not 0 <= observation.time - arms.time <= KEPT:
            return None
        palm = max((palm_length(hand.points) for hand in observation.hands), default=0.0)
        return arms if palm < arms.unit else None

    def _gaps(self, seen: Sequence[Moment], time: float) -> tuple[tuple[float, float], ...]:
        """The gaps with that between the hands ``seen`` at ``time`` added."""
        past = tuple(gap for gap in self.gaps if 0 < time - gap[0] <= HISTORY)
        if len(seen) > 1:
            past = (*past, (time, _gap(*seen)))
        elif seen and self.pair and past and time - past[-1][0] <= LOST and past[-1][1] <= REACH:
            past = (*past, (time, self.pair.gap(seen[0].center, seen[0].size)))
        return past[-MOST_MOMENTS:]

    def _pair(self, seen: Sequence[Moment], time: float) -> PairSeen | None:
        """The pair that is ``seen`` at ``time``, or that of before."""
        if len(seen) > 1:
            return PairSeen(time, seen[0].center, seen[1].center, _gap(*seen))
        palms = [(moment.center, moment.size) for moment in seen]
        return None if self.pair is None else self.pair.follow(time, palms)

    def track_of(self, hand: Hand, time: float) -> HandTrack | None:
        """The track whose newest moment is ``hand``, seen at ``time``."""
        seen = time, _middle(hand.points.tolist(), _PALM)
        ends = ((track, (track.newest.time, track.newest.center)) for track in self.tracks)
        return next((track for track, end in ends if end == seen), None)


def _apart(hands: Sequence[Hand], tracks: Sequence[HandTrack]) -> list[Moment]:
    """The newest moments of the first two ``hands``; of one, where both are the same hand."""
    seen = [track.newest for track in tracks[:2]]
    if len(seen) > 1 and same_hand(hands[0], hands[1], (seen[0].size + seen[1].size) / 2):
        return seen[:1]
    return seen


def _gap(one: Moment, other: Moment) -> float:
    """Palm lengths between two hands."""
    return 2 * dist(one.center, other.center) / (one.size + other.size)


def wave(track: HandTrack) -> float:
    """How much ``track`` is a wave, 0–1: an open, upright hand that swings from side to side.

    Three swings (two changes of direction) within 1.6 s decide. Hands that talk are rarely open,
    upright and level in their movement at the same time.
    """
    legs, moments = _swings(track)
    if not legs:
        return 0.0
    spread_x = float(np.std([moment.tips[0] for moment in moments]))
    spread_y = float(np.std([moment.tips[1] for moment in moments]))
    return min(
        ramp(_strength(legs), at=2.5, sure=3.2),
        ramp(fmean(moment.open for moment in moments), at=0.7, sure=0.85),
        ramp(fmean(moment.upright for moment in moments), at=cos(radians(45)), sure=0.9),
        ramp(spread_x - WIDER_THAN_HIGH * spread_y, at=0.0, sure=0.3 * _size(moments)),
    )


def steadiness(track: HandTrack) -> float:
    """Whether ``track`` is held rather than swung, 0–1: at two swings it may be a wave."""
    legs, _ = _swings(track)
    return ramp(_strength(legs), at=1.6, sure=1.2)


def speechless(motion: Motion) -> float:
    """Whether the mouth is held rather than talking, 0–1: talking opens and shuts it again."""
    end = motion.mouth[-1][0] if motion.mouth else 0.0
    openings = [opening for time, opening in motion.mouth if end - time <= WINDOW]
    turns = len(find_turns(openings, SYLLABLE)) - 2
    return ramp(turns, at=1.3, sure=0.7)


def claps(motion: Motion) -> float:
    """How much two hands clap, 0–1: within the window they part and meet at least twice.

    Hands that talk seldom meet, and not twice within 1.6 s.
    """
    end = motion.gaps[-1][0] if motion.gaps else 0.0
    gaps = [gap for time, gap in motion.gaps if end - time <= WINDOW]
    turns = find_turns(gaps, CLAP)
    met = sum(gaps[turn] <= MEETING for turn in turns) if len(turns) > 1 else 0
    swings = sum(min(1.0, abs(gaps[b] - gaps[a]) / FULL_CLAP) for a, b in pairwise(turns))
    return min(ramp(swings, at=2.5, sure=3.2), ramp(met, at=1.5, sure=2.0))


def _strength(legs: Sequence[float]) -> float:
    """How many full swings ``legs`` (palm lengths) amount to."""
    return sum(min(1.0, abs(leg) / FULL_SWING) for leg in legs)


def _swings(track: HandTrack) -> tuple[list[float], tuple[Moment, ...]]:
    """The swings across of the window, in palm lengths, and the moments of the newest three."""
    end = track.newest.time
    moments = tuple(moment for moment in track.moments if end - moment.time <= WINDOW)
    size = _size(moments)
    turns = find_turns([moment.tips[0] / size for moment in moments], SWING)
    legs = [(moments[b].tips[0] - moments[a].tips[0]) / size for a, b in pairwise(turns)]
    # Only these: before them the hand may have been on its way up into the picture.
    return legs, moments[turns[-4:][0] :]


def _size(moments: Sequence[Moment]) -> float:
    return median(moment.size for moment in moments) or 1.0


def _moment(hand: Hand, time: float) -> Moment:
    points, joints = hand.points, hand.points.tolist()
    return Moment(
        time,
        _middle(joints, _PALM),
        _middle(joints, _TIPS),
        palm_length(points),
        stretched(points),
        upright(points),
    )


def _middle(joints: Sequence[Sequence[float]], some: Sequence[int]) -> tuple[float, float]:
    """The middle of ``some`` of a hand's joints in the picture."""
    return fmean(joints[n][0] for n in some), fmean(joints[n][1] for n in some)


def palm_length(points: npt.NDArray[np.floating]) -> float:
    """How long the palm of a hand (21, ≥2) is, wrist to middle knuckle, seen from the front; ≥ 1.

    Foreshortening shrinks the palm's length or its width, seldom both: it is the longer of what is
    seen and what the knuckles' width says (``PALM_BY_KNUCKLES``).
    """
    wrist, first, middle, last = points[[0, 5, 9, 17], :2].tolist()
    return max(dist(wrist, middle), PALM_BY_KNUCKLES * dist(first, last), 1.0)


def stretched(points: npt.NDArray[np.floating]) -> float:
    """The share of a hand's four fingers, thumb left out, whose tip is farther out than its joint.

    ``points`` are 21 landmarks (21, 3).
    """
    joints = points.tolist()
    wrist = joints[0]
    out = [dist(joints[tip], wrist) > dist(joints[joint], wrist) for joint, tip in _FINGERS]
    return fmean(out)


def upright(points: npt.NDArray[np.floating]) -> float:
    """The cosine of the angle between a hand (21, 3) and straight up in the picture."""
    (left, bottom), (right, top) = points[[0, 9], :2].tolist()
    return float(bottom - top) / (hypot(right - left, top - bottom) or 1.0)


def _nearest(tracks: Sequence[HandTrack], moment: Moment, side: Side) -> HandTrack | None:
    """The track that ``moment`` most likely continues; the wrong side counts as a palm length."""

    def distance(track: HandTrack) -> float:
        (x, y), (u, v) = track.newest.center, moment.center
        return hypot(x - u, y - v) / moment.size + (track.side is not side)

    near = min(tracks, key=distance, default=None)
    return near if near is not None and distance(near) <= REACH else None
