"""What a network adds to a hand's features by itself: how far each joint is from each other one.

Distances hold for any turn of the hand in the picture, so what they teach of one turn is known of
all; features say which way the hand is turned. A network takes both, and people whom it has not
seen surprise it less than with either alone (docs/training.md). They follow from the joints, which
features begin with, so what feeds a network gives features as before.
"""

from typing import Any, Final

import numpy as np
import numpy.typing as npt

from reactions.gestures.features import FEATURES, Features

_JOINTS: Final = 21
_PAIRS: Final = np.array([(a, b) for a in range(_JOINTS) for b in range(a)])
WIDE: Final = FEATURES + len(_PAIRS)
"""Length of the vector that networks read."""

WideFeatures = npt.NDArray[np.float32]
"""(n, WIDE): a hand's features, then the distances."""


def widened(features: Features) -> WideFeatures:
    """``features`` (n, FEATURES) and, behind them, the distances of their joints, in palm sizes."""
    joints = features[:, : 2 * _JOINTS].reshape(-1, _JOINTS, 2)
    apart = joints[:, _PAIRS[:, 0]] - joints[:, _PAIRS[:, 1]]
    distances = np.sqrt(np.einsum("nij,nij->ni", apart, apart))
    return np.concatenate([features, distances], axis=1, dtype=np.float32)


def widened_in_keras(entry: Any) -> Any:
    """The same for a Keras tensor ``entry`` (…, FEATURES), as layers whose weights are fixed."""
    from keras import layers, ops

    joints = entry[:, : 2 * _JOINTS]
    squares = []
    for axis in (0, 1):
        # One column a pair: 1 at this coordinate of one joint, -1 at that of the other.
        apart = np.zeros((2 * _JOINTS, len(_PAIRS)), np.float32)
        apart[2 * _PAIRS[:, 0] + axis, np.arange(len(_PAIRS))] = 1
        apart[2 * _PAIRS[:, 1] + axis, np.arange(len(_PAIRS))] = -1
        layer = layers.Dense(len(_PAIRS), use_bias=False)
        difference = layer(joints)
        layer.set_weights([apart])
        squares.append(layers.Multiply()([difference, difference]))
    return layers.Concatenate()([entry, ops.sqrt(layers.Add()(squares))])
