"""When the body is read: seldom at rest, soon after something moved, and never beyond a budget.

A body costs as much as everything else in a sample of a person without hands. Arms that are raised,
crossed or laid on the head move a good part of the picture first and are held still then. Where no
palm is seen, however faint, they are not.
"""

from dataclasses import dataclass, replace
from typing import Self

from reactions.compact_pickle import CompactPickle
from reactions.landmarks.roi import Roi, letterbox
from reactions.landmarks.sample_pace import NEARLY

STIRRED = 0.02
"""The share of the picture that changes between two samples when an arm moves."""
RESTING = 10
"""Samples from one reading to the next, two seconds, while nothing stirs."""
UNHINTED = 25
"""The same, five seconds, where no hand is in view and no palm hints at arms (``arm_hints``)."""
CREDIT = 3.0
"""Readings that may follow each other closely."""
PER_SAMPLE = 0.2
"""Readings that each sample adds to the credit: in the long run one sample in five is read."""


@dataclass(frozen=True, slots=True)
class BodyTrail(CompactPickle):
    """Where the body was, and the state of its schedule."""

    region: Roi | None = None
    unread: float = UNHINTED
    """Samples since the last reading, each counted by its pace (``sample_pace``)."""
    stirred: bool = False
    """Whether something moved since then."""
    credit: float = CREDIT
    searches: int = 0
    """Readings so far that found no body."""

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

    def is_due(self, *, hinted: bool = True) -> bool:
        """Whether this sample's body is to be read; ``hinted``: whether arms may show a label."""
        passed = self.unread + NEARLY
        rested = passed >= (RESTING if hinted else UNHINTED)
        return rested or (self.stirred and passed >= 2 and self.credit >= 1)

    def read(self, region: Roi | None) -> Self:
        """The state after a reading that found the body in ``region``, or none."""
        return replace(
            self,
            region=region,
            unread=0,
            stirred=False,
            credit=max(0.0, self.credit - 1),
            searches=self.searches + (region is None),
        )

    def looks(self, width: int, height: int, *, alone: bool) -> tuple[Roi | None, ...]:
        """Where to look for a body that is lost in a picture of that size; None is all of it.

        A body across a room is too small for the detector in the whole picture, as are its face and
        hands: ``alone`` says that there are none. The first search then takes each part as well,
        later ones take whole and parts in turn, so that an empty room costs no more than before.
        """
        if not alone:
            return (None,)
        parts = body_looks(width, height)
        if self.searches == 0:
            return (None, *parts)
        turn, part = divmod(self.searches, 2)
        return (parts[turn % len(parts)] if part else None,)


def body_looks(width: int, height: int) -> tuple[Roi, ...]:
    """Parts of a picture in which to look for a body: the middle, three quarters at either end.

    Of nine photos of people five metres off whom the whole picture does not show, the middle half
    shows eight, the left three quarters eight and the right ones seven.
    """
    whole = letterbox(width, height)
    middle, most = whole.width / 2, whole.width * 0.75
    reach = (width - most) / 2, (height - most) / 2
    across, down = max(0.0, reach[0]), max(0.0, reach[1])
    return (
        Roi(whole.x, whole.y, middle, middle),
        Roi(whole.x - across, whole.y - down, most, most),
        Roi(whole.x + across, whole.y + down, most, most),
    )
