"""The hand classifier as Keras models: small perceptrons side by side, averaged in the end.

All perceptrons of a training run are branches of one model, so that Keras compiles and feeds one:
those that are shipped, and for each fold those that must not see its people.
TensorFlow is imported inside the functions: it takes seconds and half a gigabyte, and only training
needs it.
"""

import os
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

from reactions.gestures.features import FEATURES, Features
from reactions.gestures.hand_classes import CLASSES
from reactions.training.training_set import Epoch

Network: TypeAlias = Any
"""A Keras model; Keras has no types."""
Logits = npt.NDArray[np.float32]
"""(n, members, classes)"""
Probabilities = npt.NDArray[np.float32]
"""(n, classes)"""

ALL_HANDS = -2
"""No fold: such a member is trained on all hands."""
_LAYERS = (192, 96)
_BATCH = 512
_RATE = 2e-3
_WARM_UP = 200
_DECAY = 0.01
_DROPOUT = 0.2
_NOISE = 0.03
_SMOOTHING = 0.05
_ROBUST = 0.3
"""Zhang & Sabuncu, Generalized Cross Entropy Loss, 2018: 0 is cross entropy, 1 the mean absolute
error. Hands that the model finds hopeless pull less, since some labels are wrong."""
_TEMPERATURES = np.geomspace(0.3, 3.0, 93)


def be_repeatable(seed: int) -> None:
    """Make all that follows in this process come out the same for the same ``seed``."""
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
    import keras
    import tensorflow as tf

    keras.utils.set_random_seed(seed)
    tf.config.experimental.enable_op_determinism()


def fit(drawn: Iterator[Epoch], *, epochs: int, kept_out: Sequence[int], seed: int) -> Network:
    """A model that gives logits (n, members, classes), trained on ``epochs`` epochs of ``drawn``.

    ``kept_out`` has a row for each member: the fold whose hands it must not see, or ALL_HANDS.
    """
    be_repeatable(seed)
    network: Network = None
    for _, epoch in zip(range(epochs), drawn, strict=False):
        if network is None:
            steps = epochs * -(-len(epoch.features) // _BATCH)
            network = _network(epoch.features, len(kept_out), steps)
        seen = epoch.fold[:, None] != np.array(kept_out)
        network.fit(
            epoch.features,
            epoch.right[:, None].astype(np.float32),
            sample_weight=seen.astype(np.float32),
            batch_size=_BATCH,
            verbose=0,
        )
    return network


def _network(features: Features, members: int, steps: int) -> Network:
    import keras

    scale = keras.layers.Normalization()
    scale.adapt(features)
    entry = keras.Input((FEATURES,))
    scaled = keras.layers.GaussianNoise(_NOISE)(scale(entry))
    answers = [_member(scaled, f"member_{k}") for k in range(members)]
    network = keras.Model(entry, keras.ops.stack(answers, axis=1))
    rate = keras.optimizers.schedules.CosineDecay(
        0.0, steps, warmup_target=_RATE, warmup_steps=min(_WARM_UP, steps // 5)
    )
    network.compile(
        keras.optimizers.AdamW(rate, weight_decay=_DECAY),
        _loss,
        jit_compile=False,  # models this small gain nothing from it
    )
    return network


def _member(value: Any, name: str) -> Any:
    from keras import layers

    for i, width in enumerate(_LAYERS):
        value = layers.Dense(width, activation="relu", name=f"{name}_{i}")(value)
        value = layers.Dropout(_DROPOUT)(value)
    return layers.Dense(len(CLASSES), name=f"{name}_{len(_LAYERS)}")(value)


def _loss(right: Any, values: Any) -> Any:
    """(n, members): how surprised logits ``values`` are that one of the ``right`` classes is the
    hand's.

    Any right class will do: what counts is the sum of their probabilities.
    """
    from keras import ops

    found = ops.clip(ops.sum(ops.softmax(values) * right, axis=-1), 1e-7, 1.0)
    smooth = ops.mean(ops.log_softmax(values), axis=-1)
    surprise = -(1 - _SMOOTHING) * ops.log(found) - _SMOOTHING * smooth
    return surprise * ops.stop_gradient(found) ** _ROBUST


def logits(network: Network, features: Features) -> Logits:
    """What ``network`` gives for ``features`` (n, FEATURES)."""
    return np.asarray(network.predict(features, batch_size=4096, verbose=0), np.float32)


def probabilities(values: Logits, temperature: float = 1.0) -> Probabilities:
    """The members' mean probability of each class, from their logits."""
    scaled = values / np.float32(temperature)
    grown = np.exp(scaled - scaled.max(axis=2, keepdims=True))
    return np.asarray((grown / grown.sum(axis=2, keepdims=True)).mean(axis=1), np.float32)


def best_temperature(
    values: Logits,
    right: npt.NDArray[np.bool_],
    weights: npt.NDArray[np.float64],
) -> float:
    """The temperature at which held-out ``values`` are least surprised by the ``right`` classes.

    Guo et al., On Calibration of Modern Neural Networks, 2017: one number says how sure the members
    may be.
    """

    def surprise(temperature: float) -> float:
        shares = (probabilities(values, temperature) * right).sum(axis=1)
        return float(-(weights * np.log(np.maximum(shares, 1e-9))).sum())

    return float(min(_TEMPERATURES, key=surprise))


def join_members(network: Network, members: Sequence[int], temperature: float) -> Network:
    """One model (n, FEATURES) → probabilities (n, classes): the mean of ``members``."""
    import keras

    (scale,) = (each for each in network.layers if isinstance(each, keras.layers.Normalization))
    entry = keras.Input((FEATURES,))
    answers = []
    for member in members:
        value = scale(entry)
        for i in range(len(_LAYERS) + 1):
            value = network.get_layer(f"member_{member}_{i}")(value)
        answers.append(keras.layers.Softmax()(value / temperature))
    mean = keras.layers.Average()(answers) if len(answers) > 1 else answers[0]
    return keras.Model(entry, mean)


def export(network: Network, path: Path) -> None:
    """Write ``network`` as a LiteRT file for one hand at a time."""
    import tensorflow as tf

    converter = tf.lite.TFLiteConverter.from_keras_model(network)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(converter.convert())
