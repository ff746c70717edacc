"""The scorer of each label: what a sample must show for it.

A scorer never names its label: the spec that holds it does (``reactions.labels``). Where several
things must be true, the score is that of the weakest.
"""

from collections.abc import Iterator

from reactions.gestures import expressions, hand_at_face, motion
from reactions.gestures.calibration import ramp
from reactions.gestures.context import Context, Scorer, Sighting
from reactions.gestures.hand_classes import HandClass

_NO_SIGN = {HandClass.FIST, HandClass.POINTING_UP}
"""Shapes that chins are held with: they say nothing about why the hand is there."""
_SIGNS = tuple(shape for shape in HandClass if shape not in _NO_SIGN)
"""Shapes that no hand has that holds a chin: a hand that shows one there is showing it."""


def score_face(context: Context) -> Iterator[Sighting]:
    """A face, by the landmark model's own confidence."""
    if context.face is not None:
        yield Sighting(context.face.face.presence, context.face.box)


def score_hand(context: Context) -> Iterator[Sighting]:
    """Each hand, by the landmark model's own confidence."""
    for seen in context.hands:
        yield Sighting(seen.hand.presence, seen.box, seen.hand.side)


def score_neutral(context: Context) -> Iterator[Sighting]:
    """A calm face, and no hand in the picture."""
    if (seen := context.face) is not None:
        yield Sighting(0.0 if context.hands else expressions.calm(seen.reading), seen.box)


def score_smile(context: Context) -> Iterator[Sighting]:
    """A smile that neither a hand hides nor talking makes."""
    if (seen := context.face) is not None:
        score = min(seen.mouth_free, seen.silent, expressions.smile(seen.reading))
        yield Sighting(score, seen.box)


def score_surprised(context: Context) -> Iterator[Sighting]:
    """Surprise of a person at a desk, not made by talking."""
    if (seen := context.face) is not None:
        look = expressions.surprised(seen.reading)
        yield Sighting(min(seen.near, seen.mouth_in_sight, seen.silent, look), seen.box)


def score_thinking(context: Context) -> Iterator[Sighting]:
    """Each hand that holds the chin of a person at a desk and shows no sign; the face's box."""
    if context.face is None:
        return
    for seen in context.hands:
        if seen.place is not None:
            sign = max(seen.shapes.get(shape, 0.0) for shape in _SIGNS)
            holds = hand_at_face.thinking(seen.place)
            score = min(context.face.near, holds, ramp(sign, at=0.9, sure=0.8))
            yield Sighting(score, context.face.box, seen.hand.side)


def score_raised_hand(context: Context) -> Iterator[Sighting]:
    """Each flat hand beside or above the head, held rather than waved."""
    for seen in context.hands:
        if seen.place is not None:
            score = min(seen.steady, hand_at_face.raised_hand(seen.place))
            yield Sighting(score, seen.box, seen.hand.side)


def score_wave(context: Context) -> Iterator[Sighting]:
    """Each open hand that swings from side to side."""
    for seen in context.hands:
        if seen.track is not None:
            yield Sighting(motion.wave(seen.track), seen.box, seen.hand.side)


def score_open_palm(context: Context) -> Iterator[Sighting]:
    """Each open palm. A waving hand is open as well; only one that stops is a shown palm."""
    for seen in context.hands:
        if (probability := seen.shapes.get(HandClass.OPEN_PALM)) is not None:
            yield Sighting(min(seen.steady, probability), seen.box, seen.hand.side)


def score_hand_shape(shape: HandClass) -> Scorer:
    """The scorer of a label that is the shape of one hand."""

    def score(context: Context) -> Iterator[Sighting]:
        for seen in context.hands:
            if (probability := seen.shapes.get(shape)) is not None:
                yield Sighting(probability, seen.box, seen.hand.side)

    return score
