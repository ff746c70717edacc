"""Second looks: parts of a picture, or a wider frame around it, where its whole shows nothing.

The detectors see a picture at 128–192 pixels and know their object at some sizes only: a face
farther than two metres from a webcam is too small, a hand that fills the picture too large.
Measured on photos: of 250 tight crops of a hand the whole picture shows 113 hands and second looks
234; of 58 streams of such crops in which the whole picture shows none, the looks of a stream
without a face find 45; of webcams some way off the whole picture shows 68 % of faces and second
looks 99 %; in 239 portraits without a hand they see two.
"""

from dataclasses import replace
from math import radians

from reactions.landmarks.roi import Roi, grown, letterbox
from reactions.landmarks.wide_palm_model import HEIGHT, WIDTH

SURE = 0.8
"""What a second look finds must be this certain: the more looks, the more chances of an error."""
STILL_THERE = 0.7
"""And what is read in a region in which it was read before, not in the one that follows from it: a
false reading would stay for ever."""
WIDE = WIDTH / HEIGHT
"""Width / height of a region from which on the wide palm detector sees it as large as the square
one, for two thirds of the work. Its boxes are a little less exact, which matters in a still picture
only: in a stream the next sample reads the hand from where its landmarks were."""
_FACE_LOOKS = ((0.0, 0.0), (0.0, -0.2), (-0.25, 0.0), (0.25, 0.0))
"""Middles of the half-size squares to look for a face in: right, down, of the letterbox."""
_HAND_SCALES = (2.0, 3.0, 1.5, 0.6, 0.8, 4.0)
"""Sizes of the squares to look for a hand in, of the letterbox; most productive first."""
_STREAM_LOOKS = ((2.0, 0.0), (1.5, 0.0), (3.0, 0.0), (4.0, 0.0))
"""The same for a stream, in which a near hand is missed, not a far one: size and turn as below."""
_FACELESS_LOOKS = (
    *((0.8, 0.0), (2.0, 0.0), (0.7, 20.0), (1.5, 0.0), (0.8, -20.0)),
    *((3.0, 0.0), (0.7, 40.0), (0.6, 0.0), (0.7, -40.0), (1.0, 20.0)),
)
"""And for a stream without a face, perhaps of a hand and nothing else."""
_STREAM_CLOSE_UPS = ((1.7, 0.0), (1.7, 30.0), (1.7, -30.0), (2.4, 0.0))
"""Regions that a near hand may fill in a stream: size, of what changed, and turn in degrees."""
_FACELESS_CLOSE_UPS = ((0.4, 0.0), (0.4, -30.0), (0.4, 30.0), (0.65, 0.0))
"""The same in the picture's middle, without a face: size of the letterbox."""
_TURNED_LOOKS = ((2.5, 20.0), (2.5, -20.0), (1.5, 40.0), (1.5, -40.0))
"""More of them, by size and turn in degrees: they show the detector a slanted hand upright."""
_CLOSE_UPS = tuple(
    (scale, turn) for scale in (0.65, 1.3, 0.4) for turn in (0.0, 30.0, -30.0, 60.0, -60.0)
)
"""Regions that a hand may fill: size and turn as above."""
_PALM = 1 / 2.6
"""Side of a palm's box, of the region that it gives (``hand_from_palm``)."""
_UNREAD_PALM = (
    *((1.0, 0.5, 30.0), (1.0, 0.5, -30.0), (1.2, 0.5, 0.0), (1.2, 0.0, 180.0)),
    *((1.2, 0.0, -30.0), (1.2, 0.0, 30.0), (1.5, 0.5, 0.0), (1.0, 0.0, -60.0), (1.0, 0.0, 60.0)),
)
"""Where the hand of a palm may be that its region does not show: size, of that region, how far from
the palm's middle towards the fingers, of the palm's side, and turn in degrees."""
_AT_ONCE = 2
"""Of these regions, so many are read in one sample of a stream."""
_FILLING = 0.9
"""Width of a hand's region, of the letterbox, from which on it is too large for the detector."""
_SMALL_FACE = 0.15
"""Width of a face's region, of the picture's longer side, below which hands are small too."""


def quick_look(width: int, height: int) -> Roi:
    """The whole picture, in the shape of the cheapest palm detector that loses nothing on it."""
    return letterbox(width, height, WIDE if width >= WIDE * height else 1.0)


def face_looks(width: int, height: int) -> list[Roi]:
    """Where else to look for a face."""
    whole = letterbox(width, height)
    side = whole.width
    half = Roi(whole.x, whole.y, side / 2, side / 2)
    return [half.moved(right * side, down * side) for right, down in _FACE_LOOKS]


def hand_search_regions(width: int, height: int) -> list[Roi]:
    """Where else to look for a hand."""
    return [_framed(width, height, scale, 0.0) for scale in _HAND_SCALES]


def turned_looks(width: int, height: int) -> list[Roi]:
    """Where else to look for a hand in a picture without a face, perhaps of nothing but a hand."""
    return [_framed(width, height, scale, turn) for scale, turn in _TURNED_LOOKS]


def stream_look(width: int, height: int, turn: int, *, face: bool = True) -> Roi:
    """Where a stream, with or without a ``face``, looks for a hand in the ``turn``-th second look.

    With a face the palm detector misses hands that fill the picture, without one slanted ones too.
    """
    looks = _STREAM_LOOKS if face else _FACELESS_LOOKS
    scale, degrees = looks[turn % len(looks)]
    if scale <= 1:
        return _framed(width, height, scale, degrees)
    whole = quick_look(width, height)
    return Roi(whole.x, whole.y, whole.width * scale, whole.height * scale)


def middle_close_up(width: int, height: int, turn: int) -> Roi:
    """Where the hand would be in a stream of nothing but a hand, in the ``turn``-th look."""
    return _framed(width, height, *_FACELESS_CLOSE_UPS[turn % len(_FACELESS_CLOSE_UPS)])


def stream_close_up(changed: Roi, turn: int) -> Roi:
    """Where the hand would be that changed so much of the picture, in the ``turn``-th look."""
    scale, degrees = _STREAM_CLOSE_UPS[turn % len(_STREAM_CLOSE_UPS)]
    side = max(changed.width, changed.height) * scale
    return Roi(changed.x, changed.y, side, side, radians(degrees))


def unread_palm_regions(hand: Roi) -> list[Roi]:
    """Where else the hand of a palm may be, if the region ``hand`` that it gives shows none.

    The detector takes the heel of a hand that points aside or down, or two fingers, for a palm that
    is upright.
    """
    side = hand.width * _PALM
    middle = grown(hand, 1.0, 0.5 * _PALM)
    palm = replace(middle, width=side, height=side)
    return [
        grown(replace(palm, angle=hand.angle + radians(degrees)), scale / _PALM, -towards)
        for scale, towards, degrees in _UNREAD_PALM
    ]


def next_unread_palm_regions(hand: Roi, turn: int) -> list[Roi]:
    """Those of them that a stream reads in the ``turn``-th look at such a palm."""
    regions = unread_palm_regions(hand)
    return [regions[(turn * _AT_ONCE + n) % len(regions)] for n in range(_AT_ONCE)]


def close_ups(width: int, height: int) -> list[Roi]:
    """Where the hand would be in a picture of nothing but a hand, without the detector."""
    return [_framed(width, height, scale, turn) for scale, turn in _CLOSE_UPS]


def fills(hand: Roi, width: int, height: int) -> bool:
    """Whether a hand's region takes up most of the picture."""
    return hand.width >= _FILLING * max(width, height)


def around_small_face(face: Roi | None, width: int, height: int) -> Roi | None:
    """Where the hands of a person far away would be; None where the face is near or unknown."""
    if face is None or face.width >= _SMALL_FACE * max(width, height):
        return None
    # The region is 1.5 faces wide, so this is an arm's length to each side.
    return Roi(face.x, face.y + face.height / 3, face.width * 4, face.width * 4 / 1.5)


def _framed(width: int, height: int, scale: float, turn: float) -> Roi:
    """A square round the picture's middle: size of the letterbox, turn in degrees."""
    whole = letterbox(width, height)
    return Roi(whole.x, whole.y, whole.width * scale, whole.height * scale, radians(turn))
