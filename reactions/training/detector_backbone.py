"""MobileNetV2 without its head: newly made, or with the weights of the detector of cups.

That detector's file (Google's, Apache-2.0) has them as float16, normalisation folded in. They are
read out of the flatbuffer and are never part of this repository.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from config.errors import ModelError
from reactions.landmarks.tflite_edit import Flatbuffer

_BLOCKS: Final = (
    (1, 16, 1), (6, 24, 2), (6, 24, 1), (6, 32, 2), (6, 32, 1), (6, 32, 1), (6, 64, 2), (6, 64, 1),
    (6, 64, 1), (6, 64, 1), (6, 96, 1), (6, 96, 1), (6, 96, 1), (6, 160, 2), (6, 160, 1),
    (6, 160, 1), (6, 320, 1),
)  # fmt: skip
"""Expansion, channels and stride of each block (Sandler et al. 2018, table 2)."""
_STEM: Final = 32
TAPPED: Final = (6, 13, 16)
"""The blocks whose layers feed a detector: the widened ones of the first two, at strides of 8 and
16, and what the last gives out, at 32."""
_OURS: Final = re.compile(r"FeatureExtractor/MobilenetV2/(Conv|expanded_conv\w*)/")
"""What convolutions give out that are not those of the head."""
_CONV, _DEPTHWISE, _DEQUANTIZE = 3, 4, 6
"""Builtin operators of LiteRT's schema."""

Array = npt.NDArray[np.float32]


@dataclass(frozen=True, slots=True, eq=False)
class ConvWeights:
    """One convolution, as Keras has it."""

    kernel: Array
    """(h, w, in, out); of a depthwise one (h, w, in, 1)."""
    bias: Array


def read_backbone(path: Path) -> tuple[ConvWeights, ...]:
    """The convolutions of MobileNetV2 in the detector at ``path``, in their order.

    Raises ModelError where the file holds something else.
    """
    wanted = 1 + sum(2 if expansion == 1 else 3 for expansion, _, _ in _BLOCKS)
    do = "fetch the models again"
    try:
        model = Flatbuffer(path.read_bytes())
    except OSError as error:
        raise ModelError(f"can't be read: {error.strerror}", where=str(path), do=do) from error
    found = tuple(_convolutions(model))
    if len(found) != wanted or found[0].kernel.shape != (3, 3, 3, _STEM):
        raise ModelError("holds no MobileNetV2", where=str(path), do=do)
    return found


def _convolutions(model: Flatbuffer) -> Iterator[ConvWeights]:
    operators = range(model.operators)
    kinds = [model.builtin(k) for k in operators]
    halves = [k for k in operators if kinds[k] == _DEQUANTIZE]
    source = {model.writes(k)[0]: model.reads(k)[0] for k in halves}
    for k in operators:
        if kinds[k] in (_CONV, _DEPTHWISE) and _OURS.match(model.name(model.writes(k)[0])):
            kernel, bias = (model.weights(source.get(one, one)) for one in model.reads(k)[1:3])
            # LiteRT has (out, h, w, in), and of depthwise ones (1, h, w, in).
            yield ConvWeights(np.ascontiguousarray(kernel.transpose(1, 2, 3, 0)), bias)


def add_backbone(
    inputs: Any, weights: Sequence[ConvWeights] | None, width: float
) -> tuple[Any, ...]:
    """The layers of MobileNetV2 over ``inputs``, a tensor of Keras: what its taps give out.

    Without ``weights`` it is ``width`` times as wide and normalises by batch. Frozen layers (up to
    the first tap, with weights) are not trainable.
    """
    stream = None if weights is None else iter(weights)
    layers = _Layers(stream, 1.0 if weights else width)
    x = layers.conv(inputs, _STEM, 3, 2, name="stem")
    taps = []
    for number, (expansion, channels, stride) in enumerate(_BLOCKS):
        layers.frozen = weights is not None and number <= TAPPED[0]
        x, widened = _block(layers, x, expansion, channels, stride, number)
        if number in TAPPED[:2]:
            taps.append(widened)
    return (*taps, x)


def _block(
    layers: "_Layers", x: Any, expansion: int, channels: int, stride: int, number: int
) -> tuple[Any, Any]:
    import keras

    inside = wide = x
    if expansion > 1:
        wide = layers.conv(
            x, int(x.shape[-1]) * expansion, 1, 1, f"block{number}_widen", scale=False
        )
        inside = wide
    inside = layers.depthwise(inside, stride, f"block{number}_depth")
    out = layers.conv(inside, channels, 1, 1, f"block{number}_out", active=False)
    if stride == 1 and out.shape[-1] == x.shape[-1]:
        out = keras.layers.Add(name=f"block{number}_add")([x, out])
    return out, wide


class _Layers:
    """Adds convolutions, each with the next weights."""

    def __init__(self, weights: Iterator[ConvWeights] | None, width: float) -> None:
        self._weights, self._width = weights, width
        self.frozen = weights is not None

    def conv(
        self,
        x: Any,
        channels: int,
        size: int,
        stride: int,
        name: str,
        *,
        active: bool = True,
        scale: bool = True,
    ) -> Any:
        import keras

        if scale and self._width != 1.0:
            channels = max(8, int(channels * self._width + 4) // 8 * 8)
        layer = keras.layers.Conv2D(
            channels, size, stride, "same", use_bias=self._weights is not None, name=name
        )
        return self._finished(layer, x, active)

    def depthwise(self, x: Any, stride: int, name: str) -> Any:
        import keras

        bias = self._weights is not None
        layer = keras.layers.DepthwiseConv2D(3, stride, "same", use_bias=bias, name=name)
        return self._finished(layer, x, active=True)

    def _finished(self, layer: Any, x: Any, active: bool) -> Any:
        import keras

        y = layer(x)
        if self._weights is None:
            y = keras.layers.BatchNormalization(name=f"{layer.name}_norm", momentum=0.95)(y)
        else:
            one = next(self._weights)
            layer.set_weights([one.kernel, one.bias])
            layer.trainable = not self.frozen
        return keras.layers.ReLU(6.0, name=f"{layer.name}_relu")(y) if active else y
