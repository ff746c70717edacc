"""A hand in a stream: when it is due for a careful reading, and for how long that stands.

The lite model that reads a hand in every sample sees some hands wrongly for as long as they are
held: fists from the back, thumbs from the side. The full model, as is and in the mirror, sees most
of them (``still_refine``), for five times the cost. So a hand that is held is read carefully once,
and that shape stands, where the lite readings place it, until they show another one. Where the two
differ much, that is done three times and averaged: of a hand that is hard to read, one reading may
be wrong by chance. Pure.
"""

import math
from dataclasses import dataclass, replace
from typing import Final, Self

import numpy as np
import numpy.typing as npt

from reactions.compact_pickle import CompactPickle
from reactions.landmark_types import Hand, Side
from reactions.landmarks.roi import Roi, hand_from_landmarks
from reactions.landmarks.sample_pace import NEARLY

CALM: Final = 0.05
"""By how much of its region a hand's points may move in it, on average, between two lite readings
of one shape. Of hands that are held still they move by 0.005 (median; 95 %: 0.02), and where the
lite model reads them wrongly by 0.015 (95 %: 0.065)."""
FINGER: Final = 0.2
"""By how much one point may: a thumb that folds moves the mean little. It moves by 0.3."""
STILL: Final = 0.1
"""Widths of its region by which a hand that is to be read carefully may have moved in a sample."""
DOUBT: Final = 0.06
"""Readings of which a point differs by more than that of the region differ much."""
READINGS: Final = 3
"""So many of one shape are averaged, where they differ much from the lite ones."""
EVERY: Final = 50
"""Usual samples between two careful readings of one shape."""
EVERY_IN_DOUBT: Final = 3
"""The same where more are averaged."""
CREDIT: Final = 3.0
"""Careful readings of a hand that may follow each other."""
PER_SAMPLE: Final = 0.05
"""Careful readings that each usual sample adds to the credit: in the long run one in twenty."""

_Shape = npt.NDArray[np.float32]
"""(21, 3): a hand's landmarks in fractions of its region, which they follow from."""


@dataclass(frozen=True, slots=True)
class HeldHand(CompactPickle):
    """One hand as a stream's last samples read it: less than a kilobyte, pickled."""

    region: Roi
    """Of the newest lite reading, in pixels."""
    lite: bytes
    """That reading: landmarks in fractions of the region, (21, 3) as float32."""
    calm: bool = False
    """Whether it shows what the one before showed."""
    credit: float = CREDIT
    readings: int = 0
    """Careful ones of this shape."""
    age: float = 0.0
    """Usual samples since the last of them."""
    before: bytes = b""
    """The mean of the lite readings that the careful ones replaced, as ``lite``."""
    careful: bytes = b""
    """The mean of the careful ones, in the regions of those lite ones."""
    right: float = 0.0
    """How sure the last careful one is that the hand is a right one, 0–1."""

    @classmethod
    def of(cls, hand: Hand) -> Self:
        """A hand that is seen for the first time."""
        region = hand_from_landmarks(hand.points)
        return cls(region, _packed(region.from_picture(hand.points)))

    def after(self, hand: Hand, pace: float) -> "HeldHand":
        """The state after a lite reading of the same hand in a sample that counts ``pace``."""
        new = HeldHand.of(hand)
        moved = math.hypot(new.region.x - self.region.x, new.region.y - self.region.y)
        shape = _unpacked(new.lite)
        change = _distances(shape, _unpacked(self.lite)).mean()
        calm = bool(change < CALM) and moved < STILL * new.region.width
        credit = min(CREDIT, self.credit + pace * PER_SAMPLE)
        if not self.readings or not _alike(shape, _unpacked(self.before)):
            return replace(new, calm=calm, credit=credit)
        age = self.age + pace
        return replace(self, region=new.region, lite=new.lite, calm=calm, credit=credit, age=age)

    @property
    def due(self) -> bool:
        """Whether a careful reading is."""
        if not self.calm or self.credit < 1:
            return False
        return not self.readings or self.age >= self._every - NEARLY

    @property
    def _every(self) -> int:
        far = _distances(_unpacked(self.careful), _unpacked(self.before)).max()
        doubted = self.readings < READINGS and far > DOUBT
        return EVERY_IN_DOUBT if doubted else EVERY

    def read(self, careful: Hand | None) -> Self:
        """The state after a careful reading, None where it saw no hand."""
        paid = replace(self, credit=self.credit - 1, age=0.0)
        if careful is None:
            return paid
        lite, exact = _unpacked(self.lite), self.region.from_picture(careful.points)
        if self.readings:
            share = np.float32(1 / (self.readings + 1))
            lite = _unpacked(self.before) * (1 - share) + lite * share
            exact = _unpacked(self.careful) * (1 - share) + exact * share
        right = careful.side_score if careful.side is Side.RIGHT else 1 - careful.side_score
        return replace(
            paid,
            readings=self.readings + 1,
            before=_packed(lite),
            careful=_packed(exact),
            right=right,
        )

    def seen_in(self, hand: Hand) -> Hand:
        """``hand``, the newest lite reading, in the shape that the careful ones show."""
        if not self.readings:
            return hand
        return replace(
            hand,
            points=self.region.to_picture(_unpacked(self.careful)),
            side=Side.RIGHT if self.right > 0.5 else Side.LEFT,
            side_score=max(self.right, 1 - self.right),
        )


def _alike(shape: _Shape, other: _Shape) -> bool:
    """Whether they may be readings of one shape."""
    distances = _distances(shape, other)
    return bool(distances.mean() <= CALM and distances.max() <= FINGER)


def _distances(shape: _Shape, other: _Shape) -> npt.NDArray[np.float32]:
    """(21,): how far each point of one is from the other's on screen."""
    across, down = (shape - other)[:, :2].T
    return np.asarray(np.hypot(across, down), np.float32)


def _packed(shape: _Shape) -> bytes:
    return shape.astype(np.float32).tobytes()


def _unpacked(packed: bytes) -> _Shape:
    return np.frombuffer(packed, np.float32).reshape(21, 3)
