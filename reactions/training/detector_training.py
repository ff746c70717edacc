"""Train a detector of objects from the boxes of data sets, in TensorFlow and Keras.

Every number that a step needs follows from the seed and its number, so a training that is killed
goes on from its newest checkpoint to the same weights, bit by bit with the same versions.
"""

import os
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from math import cos, pi
from typing import Any, Final

import numpy as np

from config.errors import DatasetError
from reactions.landmarks.default_boxes import default_boxes_of
from reactions.training.checkpoints import Checkpoints, MemberState
from reactions.training.detector_backbone import ConvWeights
from reactions.training.detector_network import USUAL_SHAPE, Array, DetectorShape, make_network
from reactions.training.detector_pictures import (
    IGNORED,
    BoxedPicture,
    drawn_example,
    match,
    overlaps,
    plain_example,
)
from reactions.training.tensorflow_notices import without_tensorflow_notices

_FADE, _KEEN = 0.25, 2.0
"""Alpha and gamma of the focal loss (Lin et al. 2017)."""
_BOXES: Final = 0.4
"""Weight of the boxes' loss by that of the classes."""
_SLOWER: Final = 0.3
"""Rate of a backbone that has learnt already."""
_FIRST, _SECOND, _TINY = 0.9, 0.999, 1e-7
"""Of Adam (Kingma and Ba 2015)."""
_WARM: Final = 0.06
"""Share of the steps in which the rate rises."""
_STEEPEST: Final = 5.0
"""Longer slopes are shortened."""
_CHECKED: Final = 40
"""Held-out pictures that the curve is measured on."""
_SURE: Final = 0.3

Move = Callable[[float, str], None]


@dataclass(frozen=True, slots=True)
class DetectorPlan:
    """How a detector is trained."""

    seed: int = 0
    steps: int = 2400
    batch: int = 8
    rate: float = 0.0012
    kept: int = 50
    """Steps from one checkpoint to the next."""
    shape: DetectorShape = USUAL_SHAPE

    @property
    def written(self) -> dict[str, Any]:
        """The plan as plain values."""
        return asdict(self)


class DetectorTrainer:
    """The network, its optimiser, and the pictures that it learns from."""

    def __init__(
        self,
        plan: DetectorPlan,
        pictures: Sequence[BoxedPicture],
        classes: int,
        weights: Sequence[ConvWeights] | None,
        threads: int = 2,
    ) -> None:
        os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
        with without_tensorflow_notices():
            import tensorflow as tf

        # It would say where it writes files that are then moved.
        tf.get_logger().setLevel("WARNING")
        tf.config.experimental.enable_op_determinism()
        self._plan, self._threads = plan, threads
        self._learnt = [one for one in pictures if not one.held_out]
        self._held_out = [one for one in pictures if one.held_out][:_CHECKED]
        self._defaults = default_boxes_of(plan.shape.layers())
        self._classes = classes
        self.network = make_network(plan.shape, classes, weights, plan.seed)
        learning = self.network.trainable_variables
        self._first = [tf.Variable(tf.zeros_like(each)) for each in learning]
        self._second = [tf.Variable(tf.zeros_like(each)) for each in learning]
        slow = {
            id(each)
            for layer in self.network.layers
            if weights is not None and layer.name.startswith("block")
            for each in layer.trainable_variables
        }
        self._pace = [_SLOWER if id(each) in slow else 1.0 for each in learning]
        self._step = tf.function(self._learn)
        self._unread: DatasetError | None = None

    def train(
        self,
        checkpoints: Checkpoints,
        stepped: Callable[[int, float], None] = lambda steps, loss: None,
    ) -> MemberState:
        """Learn up to the plan's last step, from the newest of ``checkpoints``.

        ``stepped`` gets the number of steps and the loss after each one. Raises DatasetError for a
        damaged picture.
        """
        import tensorflow as tf

        try:
            return self._train(checkpoints, stepped)
        except tf.errors.OpError:
            if self._unread is None:
                raise
            raise self._unread from None

    def _train(
        self, checkpoints: Checkpoints, stepped: Callable[[int, float], None]
    ) -> MemberState:
        import tensorflow as tf

        state = checkpoints.load(0) or MemberState(*self._flat(), 0, {}, (), ())
        self._restore(state)
        losses: list[float] = []
        for step, batch in enumerate(self._batches(state.steps), state.steps):
            rate, count = (np.float32(one) for one in (self._rate(step), step + 1))
            loss = self._step(*batch, tf.constant(rate), tf.constant(count))
            losses.append(float(loss))
            stepped(step + 1, losses[-1])
            if (step + 1) % self._plan.kept == 0 or step + 1 == self._plan.steps:
                mean = sum(losses) / len(losses)
                state = MemberState(
                    *self._flat(),
                    step + 1,
                    {},
                    (*state.losses, mean),
                    (*state.held_out, self._share_found()),
                )
                checkpoints.save(0, state)
                losses = []
        return state

    def _rate(self, step: int) -> float:
        warm = max(self._plan.steps * _WARM, 1)
        rise = min((step + 1) / warm, 1.0)
        return self._plan.rate * rise * (0.51 + 0.49 * cos(pi * step / self._plan.steps))

    def _batches(self, done: int) -> Any:
        """The batches of the steps after ``done``."""
        import tensorflow as tf

        boxes, size = len(self._defaults), self._plan.batch
        shape = self._plan.shape

        def draw(number: Any) -> Any:
            types = (tf.uint8, tf.float32, tf.int64)
            pixels, codes, learns = tf.numpy_function(self._drawn, [number], types)
            pixels.set_shape((shape.height, shape.width, 3))
            codes.set_shape((boxes, 4))
            learns.set_shape((boxes,))
            return pixels, codes, learns

        numbers = tf.data.Dataset.range(done * size, self._plan.steps * size)
        drawn = numbers.map(draw, num_parallel_calls=self._threads, deterministic=True)
        return drawn.batch(size, drop_remainder=True).prefetch(2)

    def _drawn(self, number: int) -> tuple[Any, Any, Any]:
        rng = np.random.default_rng([self._plan.seed, 11, int(number)])
        order, place = divmod(int(number), len(self._learnt))
        turns = np.random.default_rng([self._plan.seed, 12, order]).permutation(len(self._learnt))
        shape = self._plan.shape
        try:
            example = drawn_example(self._learnt[turns[place]], shape.width, shape.height, rng)
        except DatasetError as error:
            # TensorFlow makes another error of it.
            self._unread = error
            raise
        return np.ascontiguousarray(example.pixels), *match(example, self._defaults)

    def _learn(self, pixels: Any, codes: Any, learns: Any, rate: Any, count: Any) -> Any:
        import tensorflow as tf

        pictures = tf.cast(pixels, tf.float32) * (2 / 255) - 1
        with tf.GradientTape() as tape:
            answers, logits = self.network(pictures, training=True)
            loss = detector_loss(answers, logits, codes, learns, self._classes)
        learning = self.network.trainable_variables
        slopes, _ = tf.clip_by_global_norm(tape.gradient(loss, learning), _STEEPEST)
        scale = tf.sqrt(1 - tf.pow(_SECOND, count)) / (1 - tf.pow(_FIRST, count))
        for value, first, second, slope, pace in zip(
            learning, self._first, self._second, slopes, self._pace, strict=True
        ):
            first.assign(_FIRST * first + (1 - _FIRST) * slope)
            second.assign(_SECOND * second + (1 - _SECOND) * slope * slope)
            value.assign_sub(rate * pace * scale * first / (tf.sqrt(second) + _TINY))
        return loss

    def _share_found(self) -> float:
        """Of the boxes of some held-out pictures, how many are found."""
        found = boxes = 0
        shape = self._plan.shape
        for one in self._held_out:
            example = plain_example(one, shape.width, shape.height)
            picture = np.asarray(example.pixels, np.float32)[None] * np.float32(2 / 255) - 1
            codes, logits = (np.asarray(part)[0] for part in self.network(picture, training=False))
            boxes += len(example.boxes)
            found += _found(example.boxes, example.classes, codes, logits, self._defaults)
        return found / boxes if boxes else 0.0

    def _flat(self) -> tuple[Array, Array, Array]:
        """Weights that change, and both moments of their slopes, as flat arrays."""
        return _joined(self._changing()), _joined(self._first), _joined(self._second)

    def _changing(self) -> Sequence[Any]:
        moving = [each for each in self.network.non_trainable_variables if "moving" in each.path]
        return [*self.network.trainable_variables, *moving]

    def _restore(self, state: MemberState) -> None:
        parts = ((self._changing(), state.values), (self._first, state.first))
        for variables, values in (*parts, (self._second, state.second)):
            start = 0
            for each in variables:
                size = int(np.prod(each.shape))
                each.assign(values[start : start + size].reshape(each.shape))
                start += size


def detector_loss(answers: Any, logits: Any, codes: Any, learns: Any, classes: int) -> Any:
    """The focal loss of all default boxes that learn a class or nothing, and the boxes' loss of
    those that learn one; by the number of these."""
    import tensorflow as tf

    fits = tf.cast(learns >= 0, tf.float32)
    count = tf.maximum(tf.reduce_sum(fits), 1.0)
    right = tf.one_hot(learns, classes, dtype=tf.float32)
    counted = tf.cast(learns != IGNORED, tf.float32)[..., None]
    chance = tf.sigmoid(logits)
    entropy = tf.nn.sigmoid_cross_entropy_with_logits(right, logits)
    missed = right * (1 - chance) + (1 - right) * chance
    weight = (right * _FADE + (1 - right) * (1 - _FADE)) * tf.pow(missed, _KEEN)
    named = tf.reduce_sum(entropy * weight * counted) / count
    gap = tf.abs(answers - codes)
    smooth = tf.where(gap < 1, 0.5 * gap * gap, gap - 0.5)
    placed = tf.reduce_sum(smooth * fits[..., None]) / count
    return named + _BOXES * placed / 4


def _found(boxes: Array, classes: Any, codes: Array, logits: Array, defaults: Array) -> int:
    """How many ``boxes`` a sure answer of their class overlaps by half."""
    from reactions.landmarks.default_boxes import placed_boxes

    count = 0
    least = float(np.log(_SURE / (1 - _SURE)))
    for number in np.unique(classes):
        sure = np.flatnonzero(logits[:, number] >= least)
        if not sure.size:
            continue
        corners = placed_boxes(codes[sure], defaults[sure])[:, :, ::-1]
        placed = np.concatenate([corners.mean(axis=1), corners[:, 1] - corners[:, 0]], axis=1)
        mine = boxes[classes == number]
        count += int((overlaps(placed, mine).max(axis=0) >= 0.5).sum())
    return count


def _joined(variables: Sequence[Any]) -> Array:
    parts = [np.asarray(each, np.float32).ravel() for each in variables]
    return np.concatenate(parts) if parts else np.zeros(0, np.float32)
