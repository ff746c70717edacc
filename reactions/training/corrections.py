"""Recordings whose label contradicts what their hands show, and what they may be called besides.

Found by people held out: classifiers that had not seen a person called most hands of one label
another shape, and drawn as skeletons the hands show that shape. Learnt as ``none``, such a
recording teaches against the same shape of other people. It is learnt as either; figures count it
as labelled.
"""

from dataclasses import dataclass, replace
from typing import Final

import numpy as np

from reactions.training.recorded_hands import RecordedHands


@dataclass(frozen=True, slots=True)
class Correction:
    """One person's hands of one label, which are near a shape."""

    source: str
    label: str
    near: str


CORRECTIONS: Final = (
    # Fists from the side, the thumb over the fingers.
    Correction("AbdullahAftabSWE/ASL-SignBridge", "other:how", "fist"),
    # Index fingers up beside a thumb that is up, too; the other fingers are folded.
    Correction("AbdullahAftabSWE/ASL-SignBridge", "other:thirsty", "pointing_up"),
    Correction("AbdelrahmanElasrag/Static_Sign_Recognition_Final", "other:asl_t", "pointing_up"),
    # Palms that are turned by half, not seen from their edge.
    Correction(
        "PreetiNegi04/Advancements-in-Sign-Language-Recognition-Sign-Language-to-Speech-Conversion",
        "other:flat_edge",
        "open_palm",
    ),
    # Thumb and index finger that meet at their tips, stretched, over folded fingers.
    Correction("ksackvil/virtual-trackpad", "other:pick", "finger_heart"),
)


def corrected(hands: RecordedHands) -> RecordedHands:
    """``hands``, those of ``CORRECTIONS`` near what they show."""
    shapes = sorted({each.near for each in CORRECTIONS} - set(hands.nears))
    nears, near = (*hands.nears, *shapes), hands.near.copy()
    names, sources = np.array(hands.labels)[hands.label], np.array(hands.sources)[hands.source]
    for each in CORRECTIONS:
        near[(sources == each.source) & (names == each.label)] = nears.index(each.near)
    return replace(hands, near=near, nears=nears)
