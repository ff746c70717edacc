"""The scorer of each label: what a sample must show for it.

A scorer never names its label: the spec that holds it does (``reactions.labels``). Where several
things must be true, the score is that of the weakest.
"""

from collections.abc import Callable, Iterator

from reactions.geometry import Box
from reactions.gestures import arms, expressions, eyes, face_motion, hand_at_face, motion, objects
from reactions.gestures.arms import ArmsReading
from reactions.gestures.calibration import ramp
from reactions.gestures.context import Context, Scorer, SeenFace, SeenHand, Sighting
from reactions.gestures.hand_at_face import HandAtHead
from reactions.gestures.hand_classes import HandClass
from reactions.landmark_types import Quality

WHOLE_FRAME = Box(0.0, 0.0, 1.0, 1.0)
_NO_SIGN = {HandClass.FIST, HandClass.POINTING_UP, HandClass.FINGER_HEART}
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
        if seen.detail is not None and look > 0:
            look = min(look, eyes.no_yawn(seen.detail, context.observation.time))
        yield Sighting(min(seen.near, seen.mouth_in_sight, seen.silent, look), seen.box)


def score_laugh(context: Context) -> Iterator[Sighting]:
    """A wide-open smile that no hand hides."""
    if (seen := context.face) is not None and seen.detail is not None:
        yield Sighting(min(seen.mouth_in_sight, eyes.laugh(seen.detail)), seen.box)


def score_yawn(context: Context) -> Iterator[Sighting]:
    """A gaping mouth of a person at a desk; a hand before it hides it."""
    if (seen := context.face) is not None and seen.detail is not None:
        look = eyes.yawn(seen.detail, context.observation.time)
        yield Sighting(min(seen.near, seen.mouth_in_sight, seen.silent, look), seen.box)


def score_eyes_closed(context: Context) -> Iterator[Sighting]:
    """Shut eyes of a person at a desk who holds the head up and does not talk."""
    if (seen := context.face) is not None and seen.eyes is not None:
        look = eyes.eyes_closed(seen.eyes, context.observation.time)
        yield Sighting(min(seen.near, _eyes_in_sight(context), seen.silent, look), seen.box)


def score_wink(context: Context) -> Iterator[Sighting]:
    """One shut eye of a person at a desk who looks into the camera."""
    if (seen := context.face) is not None and seen.detail is not None:
        score = min(seen.near, _eyes_in_sight(context), eyes.wink(seen.detail))
        yield Sighting(score, seen.box)


def _eyes_in_sight(context: Context) -> float:
    """Whether no hand is before the eyes, 0–1: the mesh invents the lids of those."""
    places = [hand.place for hand in context.hands if hand.place is not None]
    return min(map(hand_at_face.eyes_in_sight, places), default=1.0)


def score_head_tilt(context: Context) -> Iterator[Sighting]:
    """A head that leans to one shoulder, seen from the front."""
    if (seen := context.face) is not None:
        yield Sighting(expressions.head_tilt(seen.reading), seen.box)


def score_nod(context: Context) -> Iterator[Sighting]:
    """A head that nods while its mouth is silent."""
    if (seen := context.face) is not None:
        yield Sighting(min(seen.silent, face_motion.nod(context.motion.face)), seen.box)


def score_shake(context: Context) -> Iterator[Sighting]:
    """A head that is shaken while its mouth is silent."""
    if (seen := context.face) is not None:
        yield Sighting(min(seen.silent, face_motion.shake(context.motion.face)), seen.box)


def score_away(context: Context) -> Iterator[Sighting]:
    """A camera picture without a face, a hand or a body; the box is all of it.

    Of a person across the room, the body is often all that the models find. One that was read
    before the face went says nothing.
    """
    observation, arms_seen = context.observation, context.arms
    missed = context.motion.face.missed or 0.0
    body = arms_seen is not None and arms_seen.surely and arms_seen.time >= missed
    seen = face_motion.in_sight(observation.face) or bool(context.hands) or body
    if observation.quality is Quality.OK and not seen:
        yield Sighting(1.0, WHOLE_FRAME)


def score_back(context: Context) -> Iterator[Sighting]:
    """A face that was missing for long."""
    if (seen := context.face) is not None:
        motion_of_face, now = context.motion.face, context.observation.time
        yield Sighting(face_motion.came_back(motion_of_face, now), seen.box)


def score_thinking(context: Context) -> Iterator[Sighting]:
    """Each hand that alone holds the chin of a person at a desk and shows no sign; the face's box.

    Two hands at the face, clasped, steepled or at the cheeks, are no sign of thought.
    """
    if context.face is None:
        return
    places = [seen.place for seen in context.hands if seen.place is not None]
    for seen in context.hands:
        if (place := seen.place) is not None:
            sign = max(seen.shapes.get(shape, 0.0) for shape in _SIGNS)
            alone = min(
                (hand_at_face.apart(place, other) for other in places if other is not place),
                default=1,
            )
            holds = min(alone, hand_at_face.thinking(place))
            score = min(context.face.near, holds, ramp(sign, at=0.9, sure=0.8))
            yield Sighting(score, context.face.box, seen.hand.side)


def score_at_face(measure: Callable[[SeenHand, HandAtHead, SeenFace], float]) -> Scorer:
    """The scorer of what a hand does at the face, as ``measure`` reads it; the face's box."""

    def score(context: Context) -> Iterator[Sighting]:
        if (face := context.face) is None:
            return
        for seen in context.hands:
            if (place := seen.place) is not None:
                yield Sighting(measure(seen, place, face), face.box, seen.hand.side)

    return score


def score_facepalm(context: Context) -> Iterator[Sighting]:
    """Each hand on eyes or forehead, as the face is seen or was last seen without a hand before it,
    whichever shows more; that face's box."""
    bare = context.motion.bare
    before = bare.packed.face if bare and bare.time < context.observation.time else None
    for seen in context.hands:
        ways: list[Sighting] = []
        if context.face is not None and seen.place is not None:
            score = hand_at_face.facepalm(seen.place)
            ways.append(Sighting(score, context.face.box, seen.hand.side))
        if before is not None:
            score = hand_at_face.facepalm(hand_at_face.place_hand(seen.hand, before))
            ways.append(Sighting(score, context.observation.box(before.points), seen.hand.side))
        if ways:
            yield max(ways, key=lambda way: way.score)


score_shush = score_at_face(lambda hand, place, face: hand_at_face.shush(place))
score_head_on_hand = score_at_face(
    lambda hand, place, face: hand_at_face.head_on_hand(place, face.reading.roll)
)
score_phone_at_ear = score_at_face(
    lambda hand, place, face: min(hand.steady, hand_at_face.phone_at_ear(place))
)


def score_drinking(context: Context) -> Iterator[Sighting]:
    """A vessel at the mouth."""
    if (reading := context.motion.vessel) is not None:
        yield Sighting(objects.drinking(reading), reading.box)


def score_arms(measure: Callable[[ArmsReading], float]) -> Scorer:
    """The scorer of a label that is what both arms do, as ``measure`` reads it."""

    def score(context: Context) -> Iterator[Sighting]:
        if context.arms is not None:
            yield Sighting(measure(context.arms), context.arms.box)

    return score


def score_arms_crossed(context: Context) -> Iterator[Sighting]:
    """Forearms that cross by the body's landmarks, or by where the hands are and point to."""
    if (reading := context.arms) is not None:
        ways = [_palm(seen) for seen in context.hands]
        crossed = max(arms.arms_crossed(reading), arms.hands_crossed(reading, ways))
        yield Sighting(crossed, reading.box)


def _palm(seen: SeenHand) -> tuple[tuple[float, float], tuple[float, float]]:
    """Wrist and middle knuckle, pixels."""
    (a, b), (c, d) = seen.hand.points[[0, 9], :2].tolist()
    return (a, b), (c, d)


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


def score_pointing_up(context: Context) -> Iterator[Sighting]:
    """Each hand that points up, but for one whose finger is at the face or on the lips."""
    for seen in context.hands:
        if (probability := seen.shapes.get(HandClass.POINTING_UP)) is not None:
            free = 1.0 if seen.place is None else hand_at_face.points_freely(seen.place)
            yield Sighting(min(free, probability), seen.box, seen.hand.side)


def score_hand_shape(shape: HandClass) -> Scorer:
    """The scorer of a label that is the shape of one hand."""

    def score(context: Context) -> Iterator[Sighting]:
        for seen in context.hands:
            if (probability := seen.shapes.get(shape)) is not None:
                yield Sighting(probability, seen.box, seen.hand.side)

    return score
