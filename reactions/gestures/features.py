"""What a hand's 21 landmarks say about its shape, as one vector: pure numpy, no models.

The vector doesn't change when the hand moves, grows, or is seen in a mirror with its side swapped.
It does change when the hand turns: thumbs up and thumbs down are the same shape, turned.

Only x and y are used. The depth that the hand model reports is compressed, least where fingers are
folded, in a way that a synthetic hand doesn't share: with it, a classifier that is trained on
synthetic hands loses a tenth of its recall on real ones.
"""

import numpy as np
import numpy.typing as npt

from reactions.landmark_types import Hand, Side

Landmarks = npt.NDArray[np.float32]
"""(n, 21, ≥2): hands in MediaPipe's order; pixels, x right, y down."""
Features = npt.NDArray[np.float32]
"""(n, FEATURES)."""

# Points of MediaPipe's hand: 0 is the wrist, four points a finger from the thumb on.
_PALM = np.array([0, 1, 5, 9, 13, 17])
_TIPS = np.array([4, 8, 12, 16, 20])
# One bone a row, from the joint nearer to the wrist to the farther one, finger by finger.
_BONES = np.array(
    [
        *((0, 1), (1, 2), (2, 3), (3, 4)),
        *((0, 5), (5, 6), (6, 7), (7, 8)),
        *((0, 9), (9, 10), (10, 11), (11, 12)),
        *((0, 13), (13, 14), (14, 15), (15, 16)),
        *((0, 17), (17, 18), (18, 19), (19, 20)),
    ]
)
# Joints between two bones that follow each other on the same finger.
_JOINTS = np.array([(b, b + 1) for b in range(20) if b % 4 != 3])
_TIP_PAIRS = np.array([(a, b) for i, a in enumerate(_TIPS) for b in _TIPS[i + 1 :]])
# The tip's distance to its finger's own knuckle tells folded from straight at any tilt; the
# thumb's to the little finger's knuckle tells tucked in from stuck out.
_TIP_ROOTS = np.array([(4, 17), (8, 5), (12, 9), (16, 13), (20, 17)])
_SPANS = np.concatenate([_TIP_PAIRS, _TIP_ROOTS])

FEATURES = 21 * 2 + len(_BONES) * 2 + len(_JOINTS) + len(_SPANS)
"""Length of one hand's vector."""
_TINY = np.float32(1e-6)


def canonical(points: Landmarks, left: npt.NDArray[np.bool_]) -> Landmarks:
    """``points`` (n, 21, 2) as right hands round the palm's centre, in palm sizes; turns are kept.

    ``left`` (n,) says which are left hands: these are mirrored, so that the palm of an upright hand
    seen from the front has its thumb to the right. The unit is the root mean square distance of the
    palm's six joints from their centre.
    """
    flat = points[:, :, :2]
    palm = flat[:, _PALM]
    center = palm.mean(axis=1, keepdims=True)
    spread = palm - center
    size = np.sqrt(np.einsum("nij,nij->n", spread, spread) / np.float32(len(_PALM)))
    shape: Landmarks = (flat - center) / np.maximum(size, _TINY)[:, None, None]
    shape[:, :, 0] *= np.where(left, np.float32(-1), np.float32(1))[:, None]
    return shape


def features_of(hand: Hand) -> npt.NDArray[np.float32]:
    """The vector (FEATURES,) of one ``hand``."""
    points = hand.points[None].astype(np.float32, copy=False)
    vector: npt.NDArray[np.float32] = hand_features(points, np.array([hand.side is Side.LEFT]))[0]
    return vector


def hand_features(points: Landmarks, left: npt.NDArray[np.bool_]) -> Features:
    """One vector a hand: joints, bone directions, bends of the joints, distances of fingertips."""
    shape = canonical(points, left)
    bones = shape[:, _BONES[:, 1]] - shape[:, _BONES[:, 0]]
    lengths = np.sqrt(np.einsum("nij,nij->ni", bones, bones))
    bones /= np.maximum(lengths, _TINY)[:, :, None]
    bends = np.einsum("nij,nij->ni", bones[:, _JOINTS[:, 0]], bones[:, _JOINTS[:, 1]])
    spans = shape[:, _SPANS[:, 0]] - shape[:, _SPANS[:, 1]]
    distances = np.sqrt(np.einsum("nij,nij->ni", spans, spans))
    joints, ways = shape.reshape(len(shape), 21 * 2), bones.reshape(len(bones), len(_BONES) * 2)
    return np.concatenate([joints, ways, bends, distances], axis=1)
