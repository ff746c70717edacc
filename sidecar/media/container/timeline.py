"""Seconds of the video from the time stamps of a file's tracks. Pure.

Stamps that begin at an hour, start again (files joined end to end), jump or are missing are common.
A player begins at 0 and plays through all of them; so does this.
"""

from typing import Final

BACKWARD: Final = 0.1
"""Seconds that a stamp may lie before the last one; more is a new section. FFmpeg's own program
does the same (``ts_discontinuity_process`` in ``fftools/ffmpeg_demux.c``)."""
LEAP: Final = 3600.0
"""Seconds between two stamps that are believed: a recording of a still screen has few frames."""
BROADCAST_LEAP: Final = 10.0
"""The same in formats whose stamps may start again at any time, as MPEG-TS; FFmpeg's value."""
_JOIN: Final = 1.0
"""Seconds of a jump beyond which the tracks are put side by side again: there, two files meet."""

_STEP: Final = 0.0005
"""Seconds between two frames at least; closer ones have the same stamp."""


class Timeline:
    """What the tracks of one file share: the sections in which its stamps are continuous.

    Where a track's stamps begin again, they are placed after the end of all tracks; another track
    that begins again there is placed by the same shift, so that the tracks stay side by side.
    """

    def __init__(self, start: float | None = None, *, leap: float = LEAP) -> None:
        """``start`` is the stamp in seconds that counts as 0; None: the first one that comes."""
        self.leap = leap
        self.shifts = [] if start is None else [-start]
        """Seconds to add to the stamps of each section."""
        self.end = 0.0
        """Where the longest track ends so far."""

    def track(self, interval: float) -> "TrackClock":
        """The clock of a track; what doesn't say how long it lasts takes ``interval`` seconds."""
        return TrackClock(self, interval)


class TrackClock:
    """Seconds of the video for one track's frames or packets, which come in order of showing."""

    def __init__(self, timeline: Timeline, interval: float) -> None:
        self._timeline = timeline
        self._interval = interval
        self._section = 0
        self._last: float | None = None
        self._end = 0.0

    def at(self, stamp: float | None, length: float | None = None) -> float:
        """When the frame stamped ``stamp`` (in seconds, or None) begins; after all before it.

        ``length`` is how long it lasts, if that is known. A frame without a stamp, or with that of
        the frame before it, begins where that one ends.
        """
        time = self._end if stamp is None else self._placed(stamp)
        if self._last is not None and time < self._last + _STEP:
            time = max(self._end, self._last + _STEP)
        self._last = time
        self._end = time + max(self._interval if length is None else length, 0.0)
        self._timeline.end = max(self._timeline.end, self._end)
        return time

    def _placed(self, stamp: float) -> float:
        shifts = self._timeline.shifts
        for section in range(self._section, len(shifts)):
            if self._continues(stamp + shifts[section]):
                self._section = section
                return stamp + shifts[section]
        jump = stamp + shifts[self._section] - self._end if shifts else 0.0
        begin = self._timeline.end if abs(jump) > _JOIN else self._end
        self._section = len(shifts)
        shifts.append(begin - stamp)
        return begin

    def _continues(self, time: float) -> bool:
        earliest = -_JOIN if self._last is None else self._last - BACKWARD
        return earliest <= time <= self._end + self._timeline.leap
