"""The hand classifier as a Keras model: small perceptrons, trained apart and averaged.

TensorFlow is imported inside the functions: it takes seconds and half a gigabyte, and only training
needs it.
"""

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

from reactions.gestures.features import FEATURES, Features
from reactions.gestures.hand_classes import CLASSES
from reactions.training.dataset import Lesson

Network: TypeAlias = Any
"""A Keras model; Keras has no types."""
Logits = npt.NDArray[np.float32]

_LAYERS = (96, 48)
_BATCH = 256
_RATE = 2e-3
_DECAY = 1e-3
_DROPOUT = 0.2
_NOISE = 0.03
_SMOOTHING = 0.05
_TEMPERATURES = np.geomspace(0.3, 3.0, 93)


def be_repeatable(seed: int) -> None:
    """Make all that follows in this process come out the same for the same ``seed``."""
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
    import keras
    import tensorflow as tf

    keras.utils.set_random_seed(seed)
    tf.config.experimental.enable_op_determinism()


def fit(lesson: Lesson, *, epochs: int, seed: int) -> Network:
    """One perceptron that gives logits (n, classes), trained on ``lesson``."""
    be_repeatable(seed)
    import keras

    scale = keras.layers.Normalization()
    scale.adapt(lesson.features)
    layers: list[Any] = [keras.Input((FEATURES,)), scale, keras.layers.GaussianNoise(_NOISE)]
    for width in _LAYERS:
        layers += [keras.layers.Dense(width, activation="relu"), keras.layers.Dropout(_DROPOUT)]
    network = keras.Sequential([*layers, keras.layers.Dense(len(CLASSES))])
    steps = epochs * -(-len(lesson.features) // _BATCH)
    network.compile(
        keras.optimizers.AdamW(
            keras.optimizers.schedules.CosineDecay(_RATE, steps), weight_decay=_DECAY
        ),
        keras.losses.CategoricalCrossentropy(from_logits=True, label_smoothing=_SMOOTHING),
        jit_compile=False,  # models this small gain nothing from it
    )
    wanted = np.eye(len(CLASSES), dtype=np.float32)[lesson.classes]
    network.fit(
        lesson.features,
        wanted,
        sample_weight=lesson.weights,
        batch_size=_BATCH,
        epochs=epochs,
        verbose=0,
    )
    return network


def logits(network: Network, features: Features) -> Logits:
    """What ``network`` gives for ``features`` (n, FEATURES)."""
    return np.asarray(network.predict(features, batch_size=4096, verbose=0), np.float32)


def softmax(values: Logits, temperature: float = 1.0) -> Logits:
    """Probabilities (n, classes) of logits."""
    scaled = values / temperature
    grown = np.exp(scaled - scaled.max(axis=1, keepdims=True))
    return np.asarray(grown / grown.sum(axis=1, keepdims=True), np.float32)


def best_temperature(
    values: Logits, classes: npt.NDArray[np.int64], weights: npt.NDArray[np.float64]
) -> float:
    """The temperature at which held-out ``values`` are least surprised by their ``classes``.

    Guo et al., On Calibration of Modern Neural Networks, 2017: one number can't change which class
    is best, only how sure of it we are.
    """

    def surprise(temperature: float) -> float:
        shares = softmax(values, temperature)[np.arange(len(classes)), classes]
        return float(-(weights * np.log(np.maximum(shares, 1e-9))).sum())

    return float(min(_TEMPERATURES, key=surprise))


def join_networks(networks: Sequence[Network], temperature: float) -> Network:
    """One model (n, FEATURES) → probabilities (n, classes): the mean of the ``networks``'."""
    import keras

    entry = keras.Input((FEATURES,))
    answers = [keras.layers.Softmax()(network(entry) / temperature) for network in networks]
    mean = keras.layers.Average()(answers) if len(answers) > 1 else answers[0]
    return keras.Model(entry, mean)


def export(network: Network, path: Path) -> None:
    """Write ``network`` as a LiteRT file for one hand at a time."""
    import tensorflow as tf

    converter = tf.lite.TFLiteConverter.from_keras_model(network)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(converter.convert())
