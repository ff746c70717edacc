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
_SHAPES: Final = ((1.0, 1.0), (1.42, 1.0), (1.2, 2.0), (1.2, 0.5), (1.2, 0.3), (1.2, 3.2))
"""Size and height by width of a cell's boxes: spectacles are flat, phones tall."""
_CHANNELS: Final = 96
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
    found = [head(layer) for layer in pyramid]
    join = keras.layers.Concatenate(axis=1)
    codes = join([codes for codes, _ in found])
    logits = keras.layers.Concatenate(axis=1)([logits for _, logits in found])
    return keras.Model(inputs, [codes, logits])


def _pyramid(fine: Any, middle: Any, coarse: Any, channels: int) -> tuple[Any, ...]:
    import keras

    layers = keras.layers

    def joined(lateral: Any, above: Any, name: str) -> Any:
        side = layers.Conv2D(channels, 1, name=f"{name}_side")(lateral)
        return layers.Add()([side, layers.UpSampling2D()(above)])

    p5 = layers.Conv2D(channels, 1, name="p5_side")(coarse)
    p4 = joined(middle, p5, "p4")
    p3 = joined(fine, p4, "p3")
    p6 = layers.SeparableConv2D(channels, 3, 2, "same", name="p6_down")(p5)
    return p3, p4, p5, p6


class _Head:
    """The same two rounds of convolutions for every layer, then codes and logits."""

    def __init__(self, classes: int, channels: int) -> None:
        import keras

        layers = keras.layers
        self._layers = [
            layers.SeparableConv2D(channels, 3, padding="same", name=f"head{k}") for k in (1, 2)
        ]
        count = len(_SHAPES)
        self._codes = layers.Conv2D(count * 4, 1, name="codes")
        bias = keras.initializers.Constant(-log((1 - _PRIOR) / _PRIOR))
        start = keras.initializers.RandomNormal(stddev=0.01)
        self._logits = layers.Conv2D(
            count * classes, 1, name="logits", bias_initializer=bias, kernel_initializer=start
        )
        self._classes = classes

    def __call__(self, x: Any) -> tuple[Any, Any]:
        import keras

        for layer in self._layers:
            x = keras.layers.ReLU(6.0)(layer(x))
        codes = keras.layers.Reshape((-1, 4))(self._codes(x))
        return codes, keras.layers.Reshape((-1, self._classes))(self._logits(x))
