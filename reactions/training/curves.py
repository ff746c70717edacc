"""Learning curves of a training: a picture, and a log for TensorBoard."""

import os
from collections.abc import Sequence
from pathlib import Path

from reactions.training.checkpoints import MemberState
from reactions.training.tensorflow_notices import without_tensorflow_notices


def draw_curves(
    states: Sequence[MemberState],
    path: Path,
    *,
    held_out: str = "Held-out hands named right, %",
    unit: str = "epoch",
) -> None:
    """Loss, and the share of what is held out that is right, by epoch, as PNG at ``path``."""
    from matplotlib.figure import Figure

    figure = Figure((9, 3.6), layout="constrained")
    loss, named = figure.subplots(1, 2)
    for number, state in enumerate(states):
        epochs = range(1, len(state.losses) + 1)
        loss.plot(epochs, state.losses, label=f"member {number}")
        if any(state.held_out):
            named.plot(epochs, [100 * share for share in state.held_out])
    loss.set(title="Loss", xlabel=unit)
    named.set(title=held_out, xlabel=unit)
    if len(states) <= 12:
        loss.legend(fontsize="small", frameon=False)
    figure.savefig(path, format="png", dpi=110)


def write_tensorboard(
    states: Sequence[MemberState], folder: Path, *, held_out: str = "held_out_named_right"
) -> None:
    """The same curves as TensorBoard reads them, a run a member. TensorBoard itself is not needed:
    ``tf.summary.scalar`` would ask for it."""
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
    with without_tensorflow_notices():
        import tensorflow as tf

    kind = tf.compat.v1.SummaryMetadata()
    kind.plugin_data.plugin_name = "scalars"
    for number, state in enumerate(states):
        writer = tf.summary.create_file_writer(str(folder / f"member-{number:02}"))
        with writer.as_default():
            curves = {"loss": state.losses, held_out: state.held_out}
            for name, values in curves.items():
                for epoch, value in enumerate(values, 1):
                    tf.summary.write(name, tf.constant(value), step=epoch, metadata=kind)
        writer.close()
