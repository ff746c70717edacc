"""Whether a participant is worth sampling more often for a moment: something moves that could be a
sign made by moving. Pure.

A label names its suggestion (``LabelSpec.burst``), which reads the motion after each sample.
"""

from collections.abc import Callable
from typing import TypeAlias

from reactions.gestures.face_motion import NOD_SWING, SHAKE_SWING
from reactions.gestures.motion import SWING, HandTrack, Motion

LOOK_BACK = 0.45
"""Seconds in which the movement must fall: three samples of the usual five a second, and seven of
fifteen, so that a burst does not end because its own samples are closer together."""

Suggestion: TypeAlias = Callable[[Motion], bool]


def hand_in_motion(motion: Motion) -> bool:
    """Whether the fingertips of a hand moved by a swing (``SWING`` palms) in any direction."""
    newest = max((track.newest.time for track in motion.tracks), default=0.0)
    return any(track.newest.time == newest and _moved(track) for track in motion.tracks)


def head_in_motion(motion: Motion) -> bool:
    """Whether the head turned by a swing of a nod or of a shake."""
    moments = motion.face.moments
    recent = [one for one in moments if moments[-1].time - one.time <= LOOK_BACK]
    pitches, yaws = [one.pitch for one in recent], [one.yaw for one in recent]
    return bool(recent) and (
        max(pitches) - min(pitches) >= NOD_SWING or max(yaws) - min(yaws) >= SHAKE_SWING
    )


def _moved(track: HandTrack) -> bool:
    recent = [one for one in track.moments if track.newest.time - one.time <= LOOK_BACK]
    across, down = [one.tips[0] for one in recent], [one.tips[1] for one in recent]
    reach = max(max(across) - min(across), max(down) - min(down))
    return reach >= SWING * track.newest.size
