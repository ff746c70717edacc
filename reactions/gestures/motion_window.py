"""The last second and a half of hands and head as numbers: what a network of motions reads. Pure.

All of it is in the ``Motion`` that travels with samples. The times of samples differ, so each
course is resampled to the same steps; its spectrum says how it swings wherever its swings begin.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from reactions.gestures.context import Context, SeenFace, SeenHand
from reactions.gestures.face_motion import HeadMoment
from reactions.gestures.motion import WINDOW, HandTrack, Moment

STEPS: Final = 12
"""Of the window: 7.5 a second, between the rates at which samples are taken."""
FEWEST: Final = 4
"""Moments of a hand or of the head from which a course is read."""
_SPECTRUM: Final = STEPS // 2
_COURSE: Final = STEPS + (STEPS - 1) + _SPECTRUM + 1
_HAND: Final = 2 * _COURSE + 4
_OTHER: Final = 3
_GAP: Final = _COURSE + 3
_PLACE: Final = 3
_HEAD: Final = 2 * _COURSE + 4
HANDS_READ: Final = slice(0, _HAND + _OTHER + _GAP + _PLACE)
"""The numbers that are zero where hands are not read; likewise ``HEAD_READ``."""
HEAD_READ: Final = slice(HANDS_READ.stop - _PLACE, HANDS_READ.stop + _HEAD)
WINDOW_NUMBERS: Final = HEAD_READ.stop
_DEGREES: Final = 10.0
"""Turns of the head are in units of so many."""
_MOST: Final = 8.0
"""What any number is cut to."""

Moments = Sequence[tuple[float, float]]


@dataclass(frozen=True, slots=True, eq=False)
class MotionWindow:
    """What moved in the window that ends with a sample."""

    vector: npt.NDArray[np.float32]
    """(``WINDOW_NUMBERS``,)"""
    hand: SeenHand | None
    """The hand that moves most across."""
    head: SeenFace | None
    """The face, where its course is read."""


def read_window(context: Context) -> MotionWindow | None:
    """The window that ends with the sample of ``context``; None where no course can be read."""
    now = context.observation.time
    seen = [(hand, hand.track) for hand in context.hands if hand.track is not None]
    followed = [one for one in seen if len(_recent(one[1], now)) >= FEWEST]
    followed.sort(key=lambda one: -_spread(one[1], now))
    moments = [one for one in context.motion.face.moments if now - one.time <= WINDOW]
    face = context.face if len(moments) >= FEWEST else None
    if not followed and face is None:
        return None
    numbers: list[float] = []
    hand = followed[0] if followed else None
    numbers += [0.0] * _HAND if hand is None else _hand(hand[1], now)
    numbers += [0.0] * _OTHER if len(followed) < 2 else [1.0, *_reach(followed[1][1], now)]
    gaps = [gap for gap in context.motion.gaps if now - gap[0] <= WINDOW]
    numbers += [0.0] * _GAP if hand is None or len(gaps) < FEWEST else _gap(gaps, now)
    numbers += [0.0] * _PLACE if hand is None or face is None else _place(hand[0], face)
    numbers += [0.0] * _HEAD if face is None else _head(moments, now)
    vector = np.clip(np.array(numbers, np.float32), -_MOST, _MOST)
    return MotionWindow(vector, None if hand is None else hand[0], face)


def _hand(track: HandTrack, now: float) -> list[float]:
    moments = _recent(track, now)
    size = float(np.median([moment.size for moment in moments]))
    across = [(moment.time, moment.tips[0] / size) for moment in moments]
    down = [(moment.time, moment.tips[1] / size) for moment in moments]
    opened = [moment.open for moment in moments]
    uprights = [moment.upright for moment in moments]
    held = [float(np.mean(opened)), min(opened), float(np.mean(uprights)), min(uprights)]
    return [*_course(across, now), *_course(down, now), *held]


def _gap(gaps: Moments, now: float) -> list[float]:
    widths = [width for _, width in gaps]
    return [*_course(gaps, now), min(widths), float(np.mean(widths)), 1.0]


def _place(hand: SeenHand, face: SeenFace) -> list[float]:
    """Where the palm is from the middle of the face, and its size, in heights of the face."""
    mesh = face.face.points[:, :2]
    (left, top), (right, bottom) = mesh.min(axis=0).tolist(), mesh.max(axis=0).tolist()
    tall = max(bottom - top, 1.0)
    assert hand.track is not None
    newest = hand.track.newest
    x, y = newest.center
    return [(x - (left + right) / 2) / tall, (y - (top + bottom) / 2) / tall, newest.size / tall]


def _head(moments: Sequence[HeadMoment], now: float) -> list[float]:
    pitch = [(moment.time, moment.pitch / _DEGREES) for moment in moments]
    yaw = [(moment.time, moment.yaw / _DEGREES) for moment in moments]
    mouths = [moment.mouth for moment in moments]
    mouth = [float(np.mean(mouths)), max(mouths), max(mouths) - min(mouths)]
    return [*_course(pitch, now), *_course(yaw, now), *mouth, 1.0]


def _course(values: Moments, now: float) -> list[float]:
    """A course about its middle, its velocities, its spectrum and its range."""
    times, heights = np.array(values, np.float64).T
    steps = np.interp(np.linspace(now - WINDOW, now, STEPS), times, heights)
    steps -= steps.mean()
    waves = np.abs(np.fft.rfft(steps * np.hanning(STEPS)))[1 : _SPECTRUM + 1]
    reach = float(heights.max() - heights.min())
    return [*steps.tolist(), *np.diff(steps).tolist(), *waves.tolist(), reach]


def _recent(track: HandTrack, now: float) -> list[Moment]:
    return [moment for moment in track.moments if now - moment.time <= WINDOW]


def _spread(track: HandTrack, now: float) -> float:
    """How far the fingertips moved across, in palm lengths."""
    return _reach(track, now)[0]


def _reach(track: HandTrack, now: float) -> list[float]:
    moments = _recent(track, now)
    size = float(np.median([moment.size for moment in moments]))
    tips = np.array([moment.tips for moment in moments]) / size
    return [float(reach) for reach in tips.max(axis=0) - tips.min(axis=0)]
