"""When the body is read: seldom at rest, soon after something moved, and never beyond a budget.

A body costs as much as everything else in a sample of a person without hands. Arms that are raised,
crossed or laid on the head move a good part of the picture first and are held still then.
"""

from dataclasses import dataclass, replace
from typing import Self

from reactions.compact_pickle import CompactPickle
from reactions.landmarks.roi import Roi
from reactions.landmarks.sample_pace import NEARLY

STIRRED = 0.02
"""The share of the picture that changes between two samples when an arm moves."""
RESTING = 10
"""Samples from one reading to the next, two seconds, while nothing stirs."""
CREDIT = 3.0
"""Readings that may follow each other closely."""
PER_SAMPLE = 0.2
"""Readings that each sample adds to the credit: in the long run one sample in five is read."""


@dataclass(frozen=True, slots=True)
class BodyTrail(CompactPickle):
    """Where the body was, and the state of its schedule."""

    region: Roi | None = None
    unread: float = RESTING
    """Samples since the last reading, each counted by its pace (``sample_pace``)."""
    stirred: bool = False
    """Whether something moved since then."""
    credit: float = CREDIT

    def after(self, changed: float, pace: float = 1.0) -> Self:
        """The state after one more sample, of which the share ``changed``, 0–1, is new.

        It counts as much as ``pace``: in less time than usual less changes, too.
        """
        return replace(
            self,
            unread=self.unread + pace,
            stirred=self.stirred or changed >= STIRRED * pace,
            credit=min(CREDIT, self.credit + pace * PER_SAMPLE),
        )

    @property
    def due(self) -> bool:
        """Whether this sample's body is to be read."""
        passed = self.unread + NEARLY
        return passed >= RESTING or (self.stirred and passed >= 2 and self.credit >= 1)

    def read(self, region: Roi | None) -> Self:
        """The state after a reading that found the body in ``region``, or none."""
        return replace(
            self, region=region, unread=0, stirred=False, credit=max(0.0, self.credit - 1)
        )
