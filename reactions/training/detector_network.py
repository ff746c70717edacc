"""The detector's network: MobileNetV2, a pyramid of its layers, and one head for all of them.

An SSD (Liu et al. 2016) whose layers get what the deeper ones know (Lin et al. 2017), with
depthwise-separable convolutions throughout.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from math import log
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from reactions.landmarks.default_boxes import BoxLayer
from reactions.training.detector_backbone import ConvWeights, add_backbone

Array = npt.NDArray[np.float32]

STRIDES: Final = (8, 16, 32, 64)
_BASE: Final = 2.5
"""The side of a layer's middle box, in strides."""
_SHAPES: Final = (
    *((size, ratio) for ratio in (1.0, 2.0, 0.5) for size in (1.0, 1.42)),
    (1.2, 0.3),
    (1.2, 3.2),
)
"""Size and height by width of a cell's boxes: spectacles are flat, phones tall."""
_CHANNELS: Final = 112
_ROUNDS: Final = 3
"""Convolutions of the head before what it gives out."""
_SLOWLY: Final = 0.97
"""Momentum of the normalisation's running means: those of some 30 batches."""
_PRIOR: Final = 0.01
"""What a new network gives any box (Lin et al. 2017: else the many others drown the few)."""


@dataclass(frozen=True, slots=True)
class DetectorShape:
    """Size of the input, and what the network is made of."""

    width: int = 320
    height: int = 192
    """Multiples of 64. 16:9 nearly, as cameras; 0.68 times the pixels of 300x300."""
    alpha: float = 1.0
    """Width of a backbone that starts from nothing; with the weights it is 1."""
    channels: int = _CHANNELS
    """Of the pyramid and the head."""

    def layers(self) -> tuple[BoxLayer, ...]:
        """The default boxes of each layer, finest first."""
        return tuple(
            BoxLayer(
                self.height // stride,
                self.width // stride,
                tuple(
                    (
                        _BASE * stride * size * ratio**0.5 / self.height,
                        _BASE * stride * size / ratio**0.5 / self.width,
                    )
                    for size, ratio in _SHAPES
                ),
            )
            for stride in STRIDES
        )


USUAL_SHAPE: Final = DetectorShape()


def make_network(
    shape: DetectorShape, classes: int, weights: Sequence[ConvWeights] | None, seed: int
) -> Any:
    """A ``keras.Model`` of pictures (n, height, width, 3), -1–1: codes (n, boxes, 4) and logits
    (n, boxes, classes)."""
    import keras

    keras.utils.set_random_seed(seed)
    inputs = keras.Input((shape.height, shape.width, 3), name="picture")
    fine, middle, coarse = add_backbone(inputs, weights, shape.alpha)
    pyramid = _pyramid(fine, middle, coarse, shape.channels)
    head = _Head(classes, shape.channels)
    found = [head(layer, number) for number, layer in enumerate(pyramid)]
    join = keras.layers.Concatenate(axis=1)
    codes = join([codes for codes, _ in found])
    logits = keras.layers.Concatenate(axis=1)([logits for _, logits in found])
    return keras.Model(inputs, [codes, logits])


def _pyramid(fine: Any, middle: Any, coarse: Any, channels: int) -> tuple[Any, ...]:
    import keras

    layers = keras.layers

    def side(lateral: Any, name: str) -> Any:
        x = layers.Conv2D(channels, 1, use_bias=False, name=f"{name}_side")(lateral)
        return _normal(x, f"{name}_side")

    def joined(lateral: Any, above: Any, name: str) -> Any:
        both = layers.Add()([side(lateral, name), layers.UpSampling2D()(above)])
        x = layers.SeparableConv2D(
            channels, 3, padding="same", use_bias=False, name=f"{name}_mixed"
        )(layers.ReLU(6.0)(both))
        return layers.Add()([both, _normal(x, f"{name}_mixed")])

    p5 = side(coarse, "p5")
    p4 = joined(middle, p5, "p4")
    p3 = joined(fine, p4, "p3")
    down = layers.SeparableConv2D(channels, 3, 2, "same", use_bias=False, name="p6_down")
    p6 = _normal(down(layers.ReLU(6.0)(p5)), "p6_down")
    return p3, p4, p5, p6


def _normal(x: Any, name: str) -> Any:
    import keras

    return keras.layers.BatchNormalization(name=f"{name}_norm", momentum=_SLOWLY)(x)


class _Head:
    """The same rounds of convolutions for every layer, then codes and logits.

    Each layer has a normalisation of its own: what is usual differs from layer to layer.
    """

    def __init__(self, classes: int, channels: int) -> None:
        import keras

        layers = keras.layers
        self._layers = [
            layers.SeparableConv2D(channels, 3, padding="same", use_bias=False, name=f"head{k + 1}")
            for k in range(_ROUNDS)
        ]
        count = len(_SHAPES)
        self._codes = layers.Conv2D(count * 4, 1, name="codes")
        bias = keras.initializers.Constant(-log((1 - _PRIOR) / _PRIOR))
        start = keras.initializers.RandomNormal(stddev=0.01)
        self._logits = layers.Conv2D(
            count * classes, 1, name="logits", bias_initializer=bias, kernel_initializer=start
        )
        self._classes = classes

    def __call__(self, x: Any, number: int) -> tuple[Any, Any]:
        """Codes and logits of the pyramid's layer ``number``, ``x``."""
        import keras

        x = keras.layers.ReLU(6.0)(x)
        for layer in self._layers:
            x = keras.layers.ReLU(6.0)(_normal(layer(x), f"{layer.name}_{number}"))
        codes = keras.layers.Reshape((-1, 4))(self._codes(x))
        return codes, keras.layers.Reshape((-1, self._classes))(self._logits(x))
