"""Whether a picture may show raised, crossed or resting arms, by the palms that a search half saw.

A body costs a quarter of a single picture's detection. The labels of arms (``arms_raised``,
``hands_on_head``, ``arms_crossed``, ``shrug``, ``namaste``) have hands above the head, on it, or
before the chest and below it: where the palm detector sees nothing there that is the least like a
palm, none of them shows. Measured on 1,285 photos with a face (docs/annotate.md): 315 bodies are
left out, and no label of any photo changes; of the 94 photos in which a label of arms fires, the
faintest best palm has a score of 0.15.
"""

from typing import Final

import numpy as np

from reactions.landmarks.roi import Positions, Roi

FAINT: Final = 0.1
"""From this score on a box may be a palm."""
_ON_FACE: Final = (0.33, 0.4)
"""Half the width and height of what the detector takes for a palm and is the face itself, in widths
of the face's region (``face_from_landmarks``)."""
_BESIDE: Final = 0.66
"""Widths of that region from the face's middle, beyond which a hand at its height is beside it."""
_HEAD: Final = (-0.2, 0.6)
"""That height: from and to so many of these widths below the middle."""


def arms_hinted(palms: Positions, face: Roi) -> bool:
    """Whether one of ``palms`` (n, 2; pixels), however faint, is where arms would bring it."""
    right = np.abs(palms[:, 0] - face.x) / face.width
    down = (palms[:, 1] - face.y) / face.width
    on_face = (right < _ON_FACE[0]) & (np.abs(down) < _ON_FACE[1])
    beside = (right > _BESIDE) & (down > _HEAD[0]) & (down < _HEAD[1])
    return bool((~(on_face | beside)).any())
