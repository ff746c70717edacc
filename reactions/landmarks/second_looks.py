"""Second looks in a stream: when to search for a hand that the palm detector does not see.

A stream's first sample gets every second look, later ones none: at five samples a second nearly all
of them would be in vain. A hand that comes so near that it fills the picture is an exception. It
changes much of the picture or hides the face, and then each sample takes a look: a wider frame for
the palm detector, and the landmark model alone on what changed. That ends when a hand is found or
the alarm is over. A credit limits the cost in a restless picture.
"""

from dataclasses import dataclass, replace
from typing import Self

from reactions.compact_pickle import CompactPickle
from reactions.landmarks.roi import Roi

ALERT = 16
"""Samples, about three seconds, in which looks are due after a large change."""
CREDIT = 12.0
"""Looks that may follow each other."""
PER_SAMPLE = 0.1
"""Looks that each sample adds to the credit: in the long run one sample in ten has a look."""


@dataclass(frozen=True, slots=True)
class SecondLooks(CompactPickle):
    """The state of the second looks of one participant."""

    credit: float = CREDIT
    alert: float = 0.0
    taken: int = 0
    """Looks so far: each takes the next region in turn."""
    palms: int = 0
    """Looks so far at palms in which no hand was read: each takes the next regions in turn."""
    region: Roi | None = None
    """Where the change of the last alarm was, in pixels."""

    def after(self, alarm: Roi | None, *, found: bool, pace: float = 1.0) -> Self:
        """The state after one more sample, which counts as much as ``pace`` (``sample_pace``).

        ``alarm``: where much changed or the face went, None otherwise. ``found``: a hand is in
        view.
        """
        alert = max(0.0, self.alert - pace) if alarm is None else ALERT
        credit = min(CREDIT, self.credit + pace * PER_SAMPLE)
        return replace(
            self, credit=credit, alert=0.0 if found else alert, region=alarm or self.region
        )

    @property
    def due(self) -> bool:
        """Whether this sample may have a look."""
        return self.alert > 0 and self.affordable

    @property
    def affordable(self) -> bool:
        """Whether the credit has a look left: a palm that is seen needs no alarm."""
        return self.credit >= 1

    def used(self) -> Self:
        """The state after a look."""
        return replace(self, credit=self.credit - 1, taken=self.taken + 1)

    def used_on_palm(self) -> Self:
        """The state after a look at a palm in which no hand was read."""
        return replace(self, credit=self.credit - 1, palms=self.palms + 1)
