"""How often palms are looked for in a stream. Pure.

The palm detector is half of the cost of a person without hands. A hand that comes into the picture
of a person near the camera changes more than 1.8 % of it between two samples (89 of 90 photos of 9
sources, shown as the evaluation shows them: a hand painted out, and then there), a person who sits
and looks mostly less than 1 %.
"""

from typing import Final

_EVERY: Final = (2, 3)
"""Palms are looked for in every so many samples of the usual five a second while no hand, and one
or more, are in view."""
_CALMLY: Final = 2
"""So many times as seldom in a calm picture: what the search saw wrong is still put right there."""
_STIRRED: Final = 0.015
"""The share of the picture that changes between two samples when a hand comes."""
_CALM: Final = 5
"""Usual samples without such a change after which a picture is calm: a hand that came is looked for
in two or three of them, the first one being the one that shows the change."""


def still_for(before: float, changed: float, pace: float) -> float:
    """For how many usual samples little changed, after one more sample of ``pace``
    (``sample_pace``), of which the share ``changed``, 0–1, is new."""
    return 0.0 if changed >= _STIRRED * pace else before + pace


def search_every(hands: int, still: float, *, near: bool) -> int:
    """Usual samples from one search to the next while so many ``hands`` are in view.

    ``near``: the face is seen and so near that a hand would not go unnoticed (``still_for``).
    """
    calm = near and still >= _CALM
    return _EVERY[min(hands, 1)] * (_CALMLY if calm else 1)
